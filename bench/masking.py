"""How much of personal data masking finds, how much else it masks, and what word lists flag wrongly.

`python -m bench.masking` prints recall and precision of each kind and ends with 1 where a reach is
missed. Numbers are made by a seed and put into the places that a publisher had blanked in citizens'
letters; names are those marked in a collection of news sentences; word lists run over whole letters.
The data lies beside the repository (`../shared/data`). No text of it is printed.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import openpyxl

from bench.personal_data import GENERATORS, Made
from moderation.screening.masking import MaskingRules, mask
from moderation.screening.name_characters import COMPOUND, FOREIGN, FREQUENT, PLAIN, WORDLIKE
from moderation.screening.spans import Kind
from moderation.screening.words import flags_of, read_word_lists

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
LETTERS = ("messages-zh", "a3_messages_votes.xlsx")
SLOTS = ("messages-zh", "publisher_redaction_slots.csv")
ORDERS = ("hotline-orders", "work_orders.csv")
SENTENCES = ("names-addresses", "cluener_dev.jsonl")
WORDS = ("word-lists", "ldnoobw_zh.json")
ALLOWED = ("must-not-block-corruption.txt", "must-not-block-livelihood.txt")

NUMBER_RECALL, NUMBER_PRECISION = 0.995, 0.99
NAME_RECALL, NAME_PRECISION = 0.90, 0.80
FALSE_FLAGS = 0.005
MEANT = frozenset({"卖淫", "色情", "强奸", "白痴"})
"""Words that say in these letters what the list is for: an offence complained of, an insult."""
NUMBERS: tuple[Kind, ...] = tuple(GENERATORS)


@dataclass
class Score:
    """Counts of one kind. `found` of `there`; `right` of `masked`."""

    there: int = 0
    found: int = 0
    masked: int = 0
    right: int = 0

    @property
    def recall(self) -> float:
        return self.found / self.there if self.there else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.masked if self.masked else 1.0


OTHERWISE = re.compile("[ ]?(?:元|[万亿]|年|米|平|[%％]|@|路|线|[.][0-9])")
"""What follows a number that cannot have led to a person: an amount, a date, a bus line."""


@dataclass(frozen=True)
class Slot:
    """A place where a number stood: what stands before it and after it."""

    before: str
    after: str


def _sheet(shared: Path) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(shared.joinpath(*LETTERS), read_only=True)
    try:
        return list(book.active.iter_rows(values_only=True))
    finally:
        book.close()


def slots(shared: Path = SHARED) -> list[Slot]:
    """The 420 places in the letters, with the whole letter around each, and the others with the few
    characters before them that were kept. A place that is glued to a digit or letter of what the
    publisher left of the number is put apart by a space: it is no text that anybody wrote. Left out is
    where what follows says that no such number stood there (:data:`OTHERWISE`)."""
    header, *rows = _sheet(shared)
    letters = {str(row[0]): dict(zip(header, row, strict=True)) for row in rows}
    made = []
    with shared.joinpath(*SLOTS).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["file"] == "a3_messages_votes":
                text = letters[row["留言编号"]][row["field"]]
                before, after = text[: int(row["start"])], text[int(row["end"]) :]
            else:
                before, after = row["left_context"], "。"
            if OTHERWISE.match(after):
                continue
            glue = "[0-9A-Za-z０-９Ａ-Ｚａ-ｚ*._%+—－-]"
            made.append(
                Slot(
                    before + " " * bool(re.search(f"{glue}$", before)),
                    " " * bool(re.match(glue, after)) + after,
                )
            )
    return made


def numbers(shared: Path = SHARED, seed: int = 1, every: int = 1) -> dict[Kind, Score]:
    """Each slot gets one number of each kind, and a look-alike for each. Found is a number of which no
    letter and digit is left. Of what is masked at the slot, a span is right when it is of the number's kind
    and lies in it: a look-alike that is masked, a number taken for another kind, and a span that
    takes more than the number are wrong. `every` takes only each n-th slot."""
    scores: dict[Kind, Score] = {kind: Score() for kind in NUMBERS}
    made = Made(seed)
    for slot in slots(shared)[::every]:
        for kind in NUMBERS:
            number = GENERATORS[kind](made)
            start, end = len(slot.before), len(slot.before) + len(number)
            covered: set[int] = set()
            spans = mask(slot.before + number + slot.after).spans
            for span in spans:
                if span.kind not in scores or span.end <= start or end <= span.start:
                    continue
                covered.update(range(span.start, span.end))
                inside = start <= span.start and span.end <= end
                scores[span.kind].masked += 1
                scores[span.kind].right += inside and span.kind == kind
            scores[kind].there += 1
            scores[kind].found += {*_personal(kind, number, start)} <= covered
            other = made.look_alike()
            if other.isdigit() and ACCOUNT.search(slot.before):
                continue  # after a word that says account, any number is one
            for span in mask(slot.before + other + slot.after).spans:
                touches = span.start < start + len(other) and start < span.end
                if touches and span.kind in scores:
                    scores[span.kind].masked += 1
    return scores


ACCOUNT = re.compile("(?:[Qq]{2}|微信|[Vv][Xx])[^。，]{0,8}$")


def _personal(kind: Kind, number: str, start: int) -> Iterator[int]:
    """The places of the number's own letters and digits, without the words that belong to its form."""
    if kind in ("qq", "wechat"):
        found = re.search(r"[A-Za-z_0-9]*[0-9]$", number.removeprefix("QQ").removeprefix("qq"))
        assert found is not None
        yield from range(start + len(number) - len(found[0]), start + len(number))
        return
    for at, character in enumerate(number, start):
        digit = character.isdigit() or (character.isascii() and character.isalpha())
        if digit or (kind == "plate" and character.isalpha()):
            yield at


def orders(shared: Path = SHARED, seed: int = 2) -> int:
    """How many numbers of work orders are masked: the 700 rows' own, those in their texts, 700 made."""
    made, wrong = Made(seed), 0
    with shared.joinpath(*ORDERS).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            order = made.order()
            for text in (
                row["content"],
                row["reply"],
                f"工单{order}",
                f"编号：{order}，",
                row["id"],
            ):
                for span in mask(text).spans:
                    near = text[max(0, span.start - 2) : span.end]
                    wrong += bool(re.search("FZ[0-9]", near)) or text == row["id"]
    return wrong


@dataclass(frozen=True)
class Names:
    """What became of the names of some sentences."""

    score: Score
    touched: int
    """Names of which at least a letter was masked."""
    surnames: int
    """Spans that are a surname before a courtesy (张先生), which the collection marks nowhere."""
    kinds: dict[str, Score]
    """Found of there, by :func:`kind_of`."""


NAME_KINDS = (
    "surname and given name",
    "foreign, dotted",
    "foreign, in one",
    "nickname",
    "Latin",
    "other",
)


def kind_of(name: str) -> str:
    """What a marked name is made of, told by its characters alone: 马丁 counts as a surname with a given
    name, as 马军 does. `other`: given names alone, Japanese ones, kings and heroes without a surname."""
    if any(one.isascii() and one.isalpha() for one in name):
        return "Latin"
    if len(name) > 3 and re.search("[·•・-]", name):
        return "foreign, dotted"
    grades = [FOREIGN.get(one, -3) for one in name]
    if len(name) > 2 and min(grades) >= 0 and sum(grades) >= 2 * len(name):
        return "foreign, in one"
    if len(name) in (2, 3) and name[0] in "小老阿大" and name[1] not in "鼠虎":
        return "nickname"
    surname = name[0] in FREQUENT | PLAIN | WORDLIKE and len(name) in (2, 3)
    if surname or (name[:2] in COMPOUND and len(name) in (3, 4)):
        return "surname and given name"
    return "other"


def half_of(sentence: str) -> str:
    """`tuned`: seen while the points were set. `held`: a quarter, looked at only by its figures."""
    digest = hashlib.sha256(sentence.encode()).digest()
    return "tuned" if digest[0] % 2 == 0 or digest[1] % 2 == 0 else "held"


def names(part: str, shared: Path = SHARED) -> Names:
    """Names as marked, public figures too. A name is found when each of its letters is masked; a masked
    span is right when it shares a letter with a marked name."""
    score, touched, surnames = Score(), 0, 0
    kinds = {kind: Score() for kind in NAME_KINDS}
    rules = MaskingRules(public_figures_visible=False)
    for line in shared.joinpath(*SENTENCES).read_text("utf-8").splitlines():
        entry: dict[str, Any] = json.loads(line)
        text = entry["text"]
        if half_of(text) != part:
            continue
        marked = [(a, b + 1) for spans in entry["label"].get("name", {}).values() for a, b in spans]
        spans = [span for span in mask(text, rules).spans if span.kind == "name"]
        covered = {at for span in spans for at in range(span.start, span.end)}
        for start, end in set(marked):
            letters = {at for at in range(start, end) if text[at].isalnum()}
            score.there += 1
            score.found += letters <= covered
            kind = kinds[kind_of(text[start:end])]
            kind.there += 1
            kind.found += letters <= covered
            touched += bool(letters & covered)
        for span in spans:
            right = any(span.start < end and start < span.end for start, end in marked)
            score.masked += 1
            score.right += right
            surnames += not right and len(span.original) == 1
    return Names(score, touched, surnames, kinds)


@dataclass(frozen=True)
class Flagged:
    """What a list of insults flags in letters that hold hardly any."""

    texts: int
    flagged: int
    wrongly: int
    """Without those whose flags are all :data:`MEANT`."""
    by_substring: int
    blocked: int
    """Of the words that must not be blocked, those flagged though the operator allows them."""
    seconds: float
    """For 100,000 letters."""


def flags(shared: Path = SHARED) -> Flagged:
    """Substring matching and whole words over all letters."""
    listed = json.loads(shared.joinpath(*WORDS).read_text(encoding="utf-8"))
    lists = read_word_lists({"insults": "\n".join(listed)})
    letters = [str(row[4]) for row in _sheet(shared)[1:]]
    began = time.perf_counter()
    found = [flags_of(letter, lists) for letter in letters]
    seconds = (time.perf_counter() - began) / len(letters) * 100_000
    allowed = {name: (shared / "word-lists" / name).read_text("utf-8-sig") for name in ALLOWED}
    passing = read_word_lists(
        {"insults": "\n".join(listed), **{f"allow-{name}": told for name, told in allowed.items()}}
    )
    return Flagged(
        texts=len(letters),
        flagged=sum(map(bool, found)),
        wrongly=sum(any(flag.word not in MEANT for flag in of) for of in found),
        by_substring=sum(any(word in letter.lower() for word in lists.words) for letter in letters),
        blocked=sum(
            bool(flags_of(word, passing)) for told in allowed.values() for word in told.splitlines()
        ),
        seconds=seconds,
    )


def main() -> int:
    """Prints the tables; 1 where a reach is missed."""
    missed: list[str] = []
    print(f"{len(slots())} places for numbers")
    print(f"{'kind':<12} {'recall':>8} {'of':>6} {'precision':>10} {'of':>6}")
    for kind, score in numbers().items():
        print(
            f"{kind:<12} {score.recall:>8.4f} {score.there:>6} {score.precision:>10.4f} {score.masked:>6}"
        )
        if score.recall < NUMBER_RECALL or score.precision < NUMBER_PRECISION:
            missed.append(kind)
    wrong = orders()
    print(f"\nwork-order numbers masked: {wrong}")
    if wrong:
        missed.append("work orders")
    for part in ("tuned", "held"):
        told = names(part)
        score = told.score
        print(
            f"\nnames, {part}: {score.there} marked, recall {score.recall:.3f} whole, "
            f"{told.touched / score.there:.3f} in part; precision {score.precision:.3f} of {score.masked}"
            f" ({score.right / max(1, score.masked - told.surnames):.3f} without {told.surnames} surnames"
            " before a courtesy)"
        )
        for kind, one in told.kinds.items():
            print(f"  {kind:<24} {one.found:>4} of {one.there}")
        if part == "held" and (score.recall < NAME_RECALL or score.precision < NAME_PRECISION):
            missed.append("names")
    flagged = flags()
    print(
        f"\nword lists: by substring {flagged.by_substring / flagged.texts:.2%} of letters flagged, "
        f"by whole words {flagged.flagged / flagged.texts:.2%}, wrongly {flagged.wrongly / flagged.texts:.2%}; "
        f"allowed words flagged: {flagged.blocked}; {flagged.seconds:.0f} s for 100,000 letters"
    )
    if flagged.wrongly / flagged.texts > FALSE_FLAGS or flagged.blocked:
        missed.append("word lists")
    print(f"\nmissed: {', '.join(missed)}" if missed else "\nevery reach is met")
    return 1 if missed else 0


if __name__ == "__main__":
    assert set(NUMBERS) < set(get_args(Kind))
    sys.exit(main())

"""What an official's office reads of the questions that wait for it, before they are asked. Pure (docs/decisions/0022-read-in-advance.md).

Rule 1. A line is a running number, the wording, the district and the number of people, and nothing else: no
code, order, number, time, attachment or place below the district.
Rule 2. Only a wording that a moderator wrote goes out; a citizen's own words never do (`not_neutral`), nor one
that repeats what a source tells (`tells_source`): its numbers, names, places, times, or a stretch of its
text; nor one that names a place below the district, a day or an hour, told by a source or not (neutral.py).
Rule 3. Fewer than `LEAST` people are not told, nor is a district behind which fewer stand.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.domain.district import district_of, split
from server.domain.journal import canonical
from server.domain.neutral import is_rewritten, names_of, repeats_words, tells_place_or_time

LEAST = 3
"""People who must stand behind what is told of them (rule 3)."""
IN_BRIEF = ("shortlisted", "queued")
"""States of a question that is chosen and not asked yet."""
WORDS_LONGEST = 2_000
"""Characters of a reply that an office proposes."""

_KEPT = frozenset(
    {"district", "channel", "request_type", "category_path", "hash", "urgency", "resolved"}
    | {"satisfaction", "status", "warning", "public_consent", "agency", "office", "role", "likes"}
)
"""Fields of a source that say nothing of a person or a place: words of classes and of units."""
_OF_PLACES = ("subdistrict", "community", "location", "enterprise")
_OF_SOMEBODY = re.compile(
    "人$|人员|姓名|名字|名称|联系|地点|地址|位置|区域|路段|小区|社区|时间|日期|号码?$"
)
"""Headers of columns that nobody here knows, and that tell of a person, a place or a time all the same."""
_NAME = re.compile(
    "[王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪"
    "陆金石戴贾韦夏邱侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严覃武莫孔向汤][\u3400-\u9fff]{2}"
    "|[\u3400-\u9fff]{1,3}(?:某.?|先生|女士|师傅|老师|同志|[*×]+)|[\u3400-\u9fff]某.{0,2}"
)
"""What looks like a person's name."""
LONG = 6
"""Characters of a value that is told by itself: a shorter one is a class (停水, 道路破损) until it looks like
something else."""
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}))?")
_DIGITS = re.compile(r"\d(?:[ -]?\d){4,}")
_PUBLIC = re.compile(r"(?<!\d)(?:12\d{3}|(?:19|20)\d\d[-—~至](?:19|20)\d\d)(?![\d-])")
"""Numbers that are everybody's: a hotline's, and from year to year."""
_MASK = re.compile(r"\[[\u3400-\u9fffA-Za-z]{1,8}\]")
"""What masking left, in what a moderator copied or wrote."""


@dataclass(frozen=True)
class Source:
    """One message behind a question: how many people stand behind it alone, where it is from, and what it
    tells (`private`) and says (`words`) that nobody outside may read; `title` is the name of its matter."""

    people: int
    district: str
    private: tuple[str, ...] = ()
    words: str = ""
    title: str = ""


def private_of(external_id: str, fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything that a source tells beside its text, as pieces that a wording may not repeat."""
    told = [external_id]
    for name, value in fields.items():
        if name in _KEPT:
            continue
        told += _of_columns(value) if name == "extra" else _pieces(value)
    district, below = split(str(fields.get("district", "")))
    if not district and not tells_place_or_time(below):
        below = ""  # A district by another form of its name.
    places = [str(fields.get(name, "")) for name in _OF_PLACES]
    wanted = [*told, *(name for place in (*places, below) for name in names_of(place))]
    return tuple(dict.fromkeys(one for one in wanted if len(one) >= 2 and one not in district))


def _of_columns(extra: Any) -> list[str]:
    """Of columns that nobody here knows: what looks like a number, a time, a name or a place, or is long."""
    if not isinstance(extra, Mapping):
        return _pieces(extra)
    return [
        piece
        for header, value in extra.items()
        for piece in _pieces(value)
        if _OF_SOMEBODY.search(str(header)) or _tells(piece)
    ]


def _tells(value: str) -> bool:
    return (
        len(value) >= LONG
        or any(c.isdigit() for c in value)
        or _NAME.fullmatch(value) is not None
        or tells_place_or_time(value)
    )


def _pieces(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [piece for one in value.values() for piece in _pieces(one)]
    if isinstance(value, list | tuple):
        return [piece for one in value for piece in _pieces(one)]
    text = "".join(str(value).split())
    day = _DAY.match(text)
    if day is None:
        return [text]
    year, month, date = (str(int(day[n])) for n in (1, 2, 3))
    clock = [f"{day[4]}:{day[5]}", f"{int(day[4])}点{int(day[5])}分"] if day[4] else []
    return [
        text,
        f"{day[1]}-{day[2]}-{day[3]}",
        f"{month}月{date}日",
        f"{year}.{month}.{date}",
        *clock,
    ]


@dataclass(frozen=True)
class Waiting:
    """A question that may go out, with all that stands behind it, itself first."""

    id: int
    code: str
    text: str
    rewritten: bool
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Line:
    """What is read of one question (rule 1)."""

    number: int
    wording: str
    district: str | None
    people: int | None


@dataclass(frozen=True)
class HeldBack:
    """A question that does not go out: `why` is the code of the refusal."""

    id: int
    code: str
    why: str


@dataclass(frozen=True)
class Brief:
    """What would be read now; `ids` are the questions of the lines, `held` keeps all of it back."""

    lines: tuple[Line, ...]
    ids: tuple[int, ...]
    held: tuple[HeldBack, ...]

    @property
    def hash(self) -> str:
        """What tells this very content from any other."""
        told = [[line_state(one) for one in self.lines], list(self.ids)]
        return hashlib.sha256(canonical(told)).hexdigest()[:32]


def brief_of(waiting: Iterable[Waiting]) -> Brief:
    """In the order of the questions; each line has the number of its place."""
    lines: list[Line] = []
    ids, held = [], []
    for one in waiting:
        why = _why_not(one)
        if why is not None:
            held.append(HeldBack(one.id, one.code, why))
            continue
        ids.append(one.id)
        people = sum(source.people for source in one.sources)
        lines.append(
            Line(
                len(ids),
                one.text,
                _district(one.sources),
                people if people >= LEAST else None,
            )
        )
    return Brief(tuple(lines), tuple(ids), tuple(held))


def _district(sources: Sequence[Source]) -> str | None:
    """The districts behind which enough people stand, most people first."""
    people: Counter[str] = Counter()
    for one in sources:
        people[district_of(one.district)] += one.people
    named = [name for name, n in people.most_common() if name and n >= LEAST]
    return "、".join(named) or None


def _why_not(one: Waiting) -> str | None:
    said = [text for source in one.sources for text in (source.words, source.title) if text]
    if not one.rewritten or not is_rewritten(one.text, *said):
        return "not_neutral"
    wording = "".join(one.text.split())
    if tells_place_or_time(wording) or _MASK.search(wording):
        return "tells_source"
    if _DIGITS.search(_PUBLIC.sub("", wording)):
        return "tells_source"
    if any(_repeats(wording, source) for source in one.sources):
        return "tells_source"
    return None


def _repeats(wording: str, source: Source) -> bool:
    """Whether the wording repeats what the source tells, or a stretch of what it says."""
    if any(_stands_in(piece, wording) for piece in source.private):
        return True
    return repeats_words(wording, source.words) or repeats_words(wording, source.title, whole=False)


def _stands_in(piece: str, wording: str) -> bool:
    """A number stands there by itself alone: 20 is not in 2025."""
    if piece not in wording:
        return False
    if not piece.isdigit():
        return True
    return re.search(rf"(?<!\d){piece}(?!\d)", wording) is not None


@dataclass(frozen=True)
class Sent:
    """What was sent, as it was then, and may still be read; `ids` are the questions of the lines.
    `replies`: line number → what the office proposes to reply."""

    id: int
    subject: str
    lines: tuple[Line, ...]
    ids: tuple[int, ...]
    hash: str
    at: int
    replies: Mapping[int, str]

    def question(self, number: int) -> int | None:
        """The question of the line with this number, while it may be read."""
        return next(
            (id_ for line, id_ in zip(self.lines, self.ids, strict=True) if line.number == number),
            None,
        )


def line_state(line: Line) -> dict[str, Any]:
    """A line as it is kept and told."""
    return {
        "number": line.number,
        "wording": line.wording,
        "district": line.district,
        "people": line.people,
    }


def line_of(state: Mapping[str, Any]) -> Line:
    """A line that was kept."""
    return Line(state["number"], state["wording"], state["district"], state["people"])

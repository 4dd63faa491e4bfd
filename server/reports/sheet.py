"""Everything that a document about one round shows, worked out once for all documents. Pure.

A mark is the text of the result, letter by letter, or its reading as a percentage (`marks_shown.py`):
no document works one out or rounds one. The tables that they print of it are made in `tables.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from server.domain.comments import Comment
from server.domain.exact import number_of, percent
from server.domain.explained import Lang
from server.domain.journal import Entry
from server.domain.marks_shown import reading
from server.domain.rounds import Round
from server.domain.rule_file import parse_rule_set
from server.domain.rules import Rules
from server.domain.rules_in_words import rules_in_words
from server.domain.view import HearingView, SubjectView
from server.reports.wording import clock, day, moment, role, round_status, word

NONE = "—"
"""Stands where there is no mark."""


@dataclass(frozen=True)
class Named:
    """A dimension, a group, a channel: its key and the words that people know it by."""

    key: str
    label: str


@dataclass(frozen=True)
class SubjectLine:
    """What the result says of one subject; marks by key, None where there is none."""

    key: str
    name: str
    unit: str
    total: str | None
    rank: int | None
    grade: str
    dimensions: Mapping[str, str | None]
    groups: Mapping[str, str | None]
    channels: Mapping[str, str | None]
    valid: int
    abstain: int
    dont_know: int
    void: int


@dataclass(frozen=True)
class ChoiceLine:
    """One choice of a public round."""

    key: str
    label: str
    count: int
    share: str


@dataclass(frozen=True)
class Values:
    """How often each value was given to a subject in a dimension: (value in words, how many), the
    best first."""

    subject: str
    dimension: str
    counts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Signature:
    """A signer that the show names; `at` is empty until the signature is given."""

    role: str
    word: str
    at: str


@dataclass(frozen=True)
class Sheet:
    """One round as documents print it, in one language.

    `has_totals` is false where the rules give a grade and no mark. `root` is the root of the round's
    bundle, empty before there is one. `made_at` is a moment of the round itself, so that the same
    round gives the same file each time.
    """

    lang: Lang
    rehearsal: bool
    office: str
    hearing: str
    date: str
    id: str
    title: str
    public: bool
    facts: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]
    has_totals: bool
    counted_by_mark: bool
    labelled: bool
    dimensions: tuple[Named, ...]
    groups: tuple[Named, ...]
    channels: tuple[Named, ...]
    subjects: tuple[SubjectLine, ...]
    choices: tuple[ChoiceLine, ...]
    values: tuple[Values, ...]
    valid: bool
    signatures: tuple[Signature, ...]
    to_sign: tuple[str, ...]
    rules_hash: str
    ballots_hash: str
    root: str
    notes: tuple[str, ...]
    voided: bool
    made_at: int
    comments: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What panelists wrote of each subject, as far as it was released, in the order of random names."""

    def word(self, key: str, **values: object) -> str:
        """A fixed word in the sheet's language."""
        return word(key, self.lang, **values)

    @property
    def heading(self) -> str:
        """What kind of result it is."""
        return self.word("feedback_title" if self.public else "result_title")


# Building one -----------------------------------------------------------------------------------


def sheet_of(
    view: HearingView,
    round_: Round,
    entries: Iterable[Entry],
    lang: Lang,
    comments: Sequence[Comment] = (),
) -> Sheet:
    """The sheet of a round; `entries` are the run's journal, for signatures and the root. Of `comments`
    it takes those that were released."""
    own = [one for one in entries if one.body.get("round") == round_.id]
    result: Mapping[str, Any] = round_.result or {}
    rules: Mapping[str, Any] = round_.rules or {}
    names = {key: name for key, name, _ in view.groups} | dict(round_.labels)
    public = round_.audience == "public"
    subjects = _subjects(view, round_, result)
    again = next((one.id for one in view.rounds if one.replaces == round_.id), None)
    return Sheet(
        lang=lang,
        rehearsal=view.rehearsal,
        office=view.office_name,
        hearing=view.hearing.title,
        date=day(round_.closed_at or round_.opened_at, lang),
        id=round_.id,
        title=round_.title,
        public=public,
        facts=_facts(view, round_, lang),
        rules=rules_said(view, round_, names | {s.key: s.name for s in view.subjects}, lang),
        has_totals=rules.get("within") != "verdict",
        counted_by_mark=_counted_by_mark(round_),
        labelled=_labelled(rules),
        dimensions=_named(rules, "dimensions", "key", "dimensions", result, names),
        groups=_named(rules, "groups", "key", "groups", result, names),
        channels=_named(rules, "composite", "channel", "channels", result, names),
        subjects=subjects,
        choices=_choices(round_, result),
        values=_values(rules, result, {s.key: s.name for s in subjects}, names),
        valid=bool(result.get("valid", True)),
        signatures=_signatures(round_, own, lang),
        to_sign=_to_sign(round_, lang),
        rules_hash=str(result.get("rules_hash") or round_.rules_hash or ""),
        ballots_hash=str(result.get("ballots_hash") or ""),
        root=round_.root or "",
        notes=_notes(view, round_, result, again, lang),
        voided=round_.status == "voided",
        made_at=round_.closed_at or round_.opened_at or 0,
        comments=_released(view, round_, comments),
    )


def _released(
    view: HearingView, round_: Round, comments: Sequence[Comment]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    by_subject = {
        key: tuple(c.text for c in comments if c.subject == key and c.status == "released")
        for key in round_.subjects
    }
    names = {one.key: one.name for one in view.subjects}
    return tuple((names.get(key, key), texts) for key, texts in by_subject.items() if texts)


def _counted_by_mark(round_: Round) -> bool:
    parsed = parse_rule_set(dict(round_.rules)) if round_.rules and round_.sealed else None
    return isinstance(parsed, Rules) and parsed.counted_by_mark


def rules_said(
    view: HearingView, round_: Round, names: Mapping[str, str], lang: Lang
) -> tuple[str, ...]:
    """The rules of a round in sentences, with the names that people know subjects, groups,
    dimensions and grades by."""
    if round_.rules is None:
        return (word("rules_public", lang, how=word(round_.replacing, lang)),)
    rules = parse_rule_set(dict(round_.rules))
    return rules_in_words(rules, lang, names, own_units=view.own_units(round_))


def _facts(view: HearingView, round_: Round, lang: Lang) -> tuple[tuple[str, str], ...]:
    public = round_.audience == "public"
    if public:
        turnout = word("turnout_public", lang, cast=round_.cast)
    else:
        present = sum(one.present for one in round_.entitled)
        turnout = word(
            "turnout_panel", lang, due=len(round_.entitled), present=present, cast=round_.cast
        )
    how = ", ".join if lang == "en" else "，".join
    ways = [word(round_.replacing, lang)]
    if not public:
        ways.insert(0, word(round_.secrecy, lang))
    opened, closed = clock(round_.opened_at, seconds=True), clock(round_.closed_at, seconds=True)
    time = word("between", lang, opened=opened, closed=closed or "…") if opened else ""
    found = (
        (word("hearing", lang), view.hearing.title),
        (word("office", lang), view.office_name),
        (word("round", lang), round_.title),
        (word("number", lang), round_.id),
        (word("date", lang), day(round_.closed_at or round_.opened_at, lang)),
        (word("time", lang), time),
        (word("secrecy", lang), how(ways)),
        (word("turnout", lang), turnout),
        (word("status", lang), round_status(round_.status, lang)),
    )
    return tuple((name, text) for name, text in found if text)


def _named(
    rules: Mapping[str, Any],
    listed: str,
    key_name: str,
    marked: str,
    result: Mapping[str, Any],
    names: Mapping[str, str],
) -> tuple[Named, ...]:
    """In the order of the rules; what only the result names follows."""
    keys = [str(one[key_name]) for one in rules.get(listed) or ()]
    told = [key for one in result.get("subjects", ()) for key in one.get(marked) or ()]
    found = set(told)
    ordered = [key for key in keys if not told or key in found]
    ordered += [key for key in dict.fromkeys(told) if key not in keys]
    return tuple(Named(key, names.get(key) or key) for key in ordered if key)


def _labelled(rules: Mapping[str, Any]) -> bool:
    """Whether every dimension is marked by labels."""
    whole = rules.get("scale") or {}
    scales = [one.get("scale") or whole for one in rules.get("dimensions") or ()]
    return bool(scales) and all(scale.get("kind") == "labels" for scale in scales)


def _subjects(
    view: HearingView, round_: Round, result: Mapping[str, Any]
) -> tuple[SubjectLine, ...]:
    """In the office's order, never by score; subjects that got no sheet stand there without marks."""
    found = {one["subject"]: one for one in result.get("subjects", ())}
    if not found:
        return ()
    order = [*round_.subjects, *(key for key in found if key not in round_.subjects)]
    read = reading(round_.rules)

    def marks(of: Mapping[str, str | None] | None) -> dict[str, str | None]:
        return {key: None if mark is None else read.mark(mark) for key, mark in (of or {}).items()}

    lines = []
    for key in order:
        who = view.subject(key) or SubjectView(key, key, "", "")
        one: Mapping[str, Any] = found.get(key, {})
        sheets: Mapping[str, Any] = one.get("ballots") or {}
        grade = one.get("grade")
        lines.append(
            SubjectLine(
                key=key,
                name=who.name,
                unit=who.unit,
                total=None if (total := one.get("total")) is None else read.total(total),
                rank=one.get("rank"),
                grade=round_.labels.get(grade, grade) if grade else "",
                dimensions=marks(one.get("dimensions")),
                groups=marks(one.get("groups")),
                channels=marks(one.get("channels")),
                valid=int(sheets.get("valid", 0)),
                abstain=int(sheets.get("abstain", 0)),
                dont_know=int(sheets.get("dont_know", 0)),
                void=int(sheets.get("void", 0)),
            )
        )
    return tuple(lines)


def _choices(round_: Round, result: Mapping[str, Any]) -> tuple[ChoiceLine, ...]:
    counts = {one["key"]: int(one["count"]) for one in result.get("choices", ())}
    if not counts:
        return ()
    whole = sum(counts.values())
    return tuple(
        ChoiceLine(key, label, counts.get(key, 0), percent(counts.get(key, 0), whole))
        for key, label in round_.choices
    )


def _values(
    rules: Mapping[str, Any],
    result: Mapping[str, Any],
    subjects: Mapping[str, str],
    names: Mapping[str, str],
) -> tuple[Values, ...]:
    """From the trace's marks, all groups together; in a composite each channel has its own."""
    listed = [str(one["key"]) for one in rules.get("dimensions") or ()]
    counted: dict[tuple[str, str], Counter[str]] = {}
    for step in result.get("trace", ()):
        if step.get("step") not in {"dimension", "counts"} or "channel" in step:
            continue
        cell = (step["subject"], step.get("dimension") or listed[0])
        counts = counted.setdefault(cell, Counter())
        for mark, n in step["marks"]:
            counts[mark] += n
    scales = {one["key"]: one.get("scale") for one in rules.get("dimensions") or ()}
    found = []
    for (subject, dimension), counts in counted.items():
        scale = scales.get(dimension) or rules.get("scale") or {}
        labels = {one["key"]: one.get("label") or one["key"] for one in scale.get("labels") or ()}
        order = list(labels) or sorted(counts, key=lambda text: -(number_of(text) or Fraction(0)))
        found.append(
            Values(
                subjects.get(subject) or subject,
                names.get(dimension) or dimension,
                tuple((labels.get(one, one), counts[one]) for one in order),
            )
        )
    return tuple(found)


def _signatures(round_: Round, own: Sequence[Entry], lang: Lang) -> tuple[Signature, ...]:
    given = {
        str(e.body.get("signed_as")): moment(e.at, lang)
        for e in own
        if e.event in {"round_signed", "round_certified"}
    }

    def told(key: str) -> str:
        when = given.get(key, "✓") if key in round_.signed else ""
        instead = round_.overrides.get(key)
        if not instead:
            return when
        who = role(str(instead["as"]), lang)
        by = f"由{who}代签：" if lang == "zh" else f"signed by the {who} instead: "
        return f"{when} {by}{instead['reason']}"

    return tuple(Signature(key, role(key, lang), told(key)) for key in round_.signers)


def _to_sign(round_: Round, lang: Lang) -> tuple[str, ...]:
    """Who signs the paper: those who count, who watch and who chair, and whoever else must sign."""
    others = [key for key in round_.signers if key not in {"teller", "scrutineer", "host"}]
    return (
        role("teller", lang),
        role("scrutineer", lang),
        word("chair", lang),
        *(role(key, lang) for key in others),
    )


def _notes(
    view: HearingView, round_: Round, result: Mapping[str, Any], again: str | None, lang: Lang
) -> tuple[str, ...]:
    found = []
    if view.rehearsal:
        found.append(word("rehearsal_note", lang))
    if round_.status == "voided":
        found.append(word("void_note", lang, reason=round_.void_reason or NONE))
        if again:
            found.append(word("again", lang, id=again))
    if round_.status in {"contested", "upheld", "corrected"}:
        found.append(word(round_.status, lang, id=again or NONE))
    if round_.replaces:
        before = next((one for one in view.rounds if one.id == round_.replaces), None)
        voided = before is None or before.status == "voided"
        key = "replaces" if voided else "held_after_contest"
        found.append(word(key, lang, id=round_.replaces))
    if not result.get("valid", True):
        found.append(word("invalid", lang))
    if round_.audience == "public":
        found.append(word("public_note", lang))
    return tuple(found)

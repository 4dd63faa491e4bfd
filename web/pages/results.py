"""A round and its result as screens show them, each to its own audience.

Pure builders from the read model. A result is asked for with the audience of the page that shows
it, and is None unless the round was published for that audience.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from server.domain.exact import number_of, percent
from server.domain.explained import Lang
from server.domain.marks_shown import reading
from server.domain.rounds import TAKES_BALLOTS, Round
from server.domain.rule_file import parse_draft
from server.domain.rules_in_words import rules_in_words
from server.domain.view import HearingView, SubjectView
from web.layout.texts import Texts


@dataclass(frozen=True)
class Choice:
    """One choice of a public round; `count` is None while it may not be shown."""

    key: str
    label: str
    count: int | None
    share: str


@dataclass(frozen=True)
class Mark:
    """One dimension's mark of a subject; `share` is None where the scale gives no full mark."""

    label: str
    mark: str
    share: str | None


@dataclass(frozen=True)
class SubjectMarks:
    """What a panel round found for one subject."""

    key: str
    name: str
    post: str
    unit: str
    total: str
    rank: int | None
    grade: str
    marks: tuple[Mark, ...]
    valid: int


@dataclass(frozen=True)
class Correction:
    """A correction as both results tell it: the other round's title and figures; `replaced` on the old
    one. `decided` is the role that decided, `at` milliseconds since 1970."""

    title: str
    replaced: bool
    reason: str
    decided: str
    at: int
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RoundView:
    """A round as a screen shows it. `due` is 0 for public rounds: nobody is listed there.

    `choices` bear counts only where the rules show them live or the result is published for this
    screen's audience; `subjects` are empty before that; so is `root`, what the bundle stands under. `published` says that they are final.
    """

    id: str
    title: str
    word: str
    status: str
    status_key: str
    public: bool
    running: bool
    closes_at: int | None
    cast: int
    due: int
    names: tuple[str, ...]
    choices: tuple[Choice, ...]
    subjects: tuple[SubjectMarks, ...]
    published: bool
    valid: bool
    counted_by_mark: bool
    final: bool
    root: str
    correction: Correction | None


def round_view(
    view: HearingView, round_: Round, lang: str, audience: str, *, seen: bool = False
) -> RoundView:
    """A round for a page whose audience is `hall` or `public` (law 11: nothing before it is
    published for them, but for counts that the rules show live). `seen`: the reader is one of those
    who may see the result before."""
    texts = Texts(lang)
    published = (seen or round_.published_for(audience)) and round_.result is not None
    public = round_.audience == "public"
    live = public and round_.show_live and round_.status not in {"ready", "voided"}
    # A status that tells of a publication elsewhere would tell too much here.
    status = round_.status if published else round_.status_for(audience)
    result: Mapping[str, Any] = (round_.result or {}) if published else {}
    return RoundView(
        id=round_.id,
        title=round_.title,
        word=texts.word(round_.audience),
        status=texts.round(status),
        status_key=status,
        public=public,
        running=round_.status in TAKES_BALLOTS,
        closes_at=round_.closes_at if round_.status == "closing" else None,
        cast=round_.cast,
        due=len(round_.entitled),
        names=tuple(s.name for k in round_.subjects if (s := view.subject(k))),
        choices=_choices(round_, result, live),
        subjects=_subjects(view, round_, result),
        published=published,
        valid=bool(result.get("valid", True)),
        counted_by_mark=bool(
            round_.sealed and round_.rules and parse_draft(dict(round_.rules)).counted_by_mark
        ),
        final=round_.replacing == "first",
        root=(round_.root or "") if published else "",
        correction=_correction(round_, texts) if published else None,
    )


def _correction(round_: Round, texts: Texts) -> Correction | None:
    """What a corrected round and the one that replaces it say of each other."""
    told = round_.correction
    if told is None:
        return None
    return Correction(
        title=str(told["title"]),
        replaced="by" in told,
        reason=str(told["reason"]),
        decided=texts.role(str(told["as"])),
        at=int(told["at"]),
        figures=tuple((str(one["name"]), str(one["figure"])) for one in told["figures"]),
    )


def _choices(round_: Round, result: Mapping[str, Any], live: bool) -> tuple[Choice, ...]:
    counts: Mapping[str, int] | None = None
    if "choices" in result:
        counts = {one["key"]: int(one["count"]) for one in result["choices"]}
    elif live:
        counts = round_.counts
    whole = sum(counts.values()) if counts is not None else 0
    found = []
    for key, label in round_.choices:
        count = counts.get(key, 0) if counts is not None else None
        found.append(Choice(key, label, count, percent(count or 0, whole)))
    return tuple(found)


def _subjects(
    view: HearingView, round_: Round, result: Mapping[str, Any]
) -> tuple[SubjectMarks, ...]:
    """In the office's order, never by score."""
    found = {one["subject"]: one for one in result.get("subjects", ())}
    read = reading(round_.rules if found else None)
    shown = []
    for key in round_.subjects:
        one = found.get(key)
        if one is None:
            continue
        subject = view.subject(key) or SubjectView(key, key, "", "")
        grade = one.get("grade")
        shown.append(
            SubjectMarks(
                key=key,
                name=subject.name,
                post=subject.post,
                unit=subject.unit,
                total="—" if one.get("total") is None else read.total(one["total"]),
                rank=one.get("rank"),
                grade=round_.labels.get(grade, grade) if grade else "",
                marks=_marks(round_, one.get("dimensions") or {}),
                valid=int((one.get("ballots") or {}).get("valid", 0)),
            )
        )
    return tuple(shown)


def _marks(round_: Round, dimensions: Mapping[str, str | None]) -> tuple[Mark, ...]:
    rules = round_.rules or {}
    named = [d["key"] for d in rules.get("dimensions", ()) if d.get("key") in dimensions]
    read = reading(rules)
    order = named or list(dimensions)
    if len(order) < 2:  # One dimension says nothing that the total does not.
        return ()
    return tuple(
        Mark(
            label=round_.labels.get(key, key),
            mark="—" if (mark := dimensions[key]) is None else read.mark(mark),
            share=_of_full(dimensions[key], _full_mark(rules, key)),
        )
        for key in order
    )


def _full_mark(rules: Mapping[str, Any], dimension: str) -> Fraction | None:
    """The most that a dimension's mark can be, where that follows from the scale."""
    within = rules.get("within", "mean")
    if within == "rate":
        return Fraction(1)
    if within not in {"mean", "median"}:
        return None
    one: Mapping[str, Any] = next(
        (d for d in rules.get("dimensions", ()) if d.get("key") == dimension), {}
    )
    scale = one.get("scale") or rules.get("scale") or {}
    if scale.get("kind") == "labels":
        points = [number_of(label.get("points")) for label in scale.get("labels", ())]
        known = [p for p in points if p is not None]
        return max(known) if known else None
    return number_of(scale.get("max"))


def _of_full(mark: str | None, full: Fraction | None) -> str | None:
    value = number_of(mark)
    if value is None or full is None or full <= 0:
        return None
    share = min(max(value / full, Fraction(0)), Fraction(1))
    return percent(share.numerator, share.denominator)


def rules_said(view: HearingView, round_: Round, lang: str) -> tuple[str, ...]:
    """The rules of a panel round in sentences, with the names of its subjects, groups, dimensions and
    grades; nothing for a round of choices."""
    if round_.rules is None:
        return ()
    named = {key: name for key, name, _ in view.groups} | dict(round_.labels)
    named |= {one.key: one.name for one in view.subjects}
    rules = parse_draft(dict(round_.rules))
    side: Lang = "en" if lang == "en" else "zh"
    return rules_in_words(rules, side, named, own_units=view.own_units(round_))


def present_round(view: HearingView) -> Round | None:
    """The round that is going on: a panel round before a public one, the latest opened first."""
    running = [r for r in view.rounds if r.status in TAKES_BALLOTS]
    running.sort(key=lambda r: (r.audience == "panel", r.opened_at or 0, r.ordinal))
    return running[-1] if running else None


def revealed(view: HearingView, audience: str = "hall") -> Round | None:
    """The round that is being revealed, if it was published for those who see this screen."""
    round_ = next((r for r in view.rounds if r.id == view.screens.round), None)
    if round_ is None or round_.reveal < 1 or not round_.published_for(audience):
        return None
    return round_


def as_revealed(view: HearingView, round_: Round, step: int) -> HearingView:
    """The hearing as it would be with this step of the round's reveal on the hall screen."""
    shown = replace(round_, reveal=step, published_to=(*round_.published_to, "hall"))
    return replace(
        view,
        rounds=tuple(shown if one.id == round_.id else one for one in view.rounds),
        screens=replace(view.screens, cleared=False, round=round_.id),
    )


@dataclass(frozen=True)
class Reveal:
    """A result being revealed step by step: turnout first, then one subject or choice a step.

    `shown` counts the revealed ones, `latest` is the index of the newest (-1: turnout only).
    """

    round: RoundView
    shown: int
    latest: int
    of: int


def reveal(view: HearingView, lang: str, audience: str = "hall") -> Reveal | None:
    """The reveal in progress, or None."""
    round_ = revealed(view, audience)
    if round_ is None:
        return None
    # A correction is published to whom the old result was: from then on the screen shows its figures
    # large, as far as the reveal had come, and tells the old ones as superseded.
    by = (round_.correction or {}).get("by")
    new = next((r for r in view.rounds if r.id == by and r.published_for(audience)), round_)
    one = round_view(view, new, lang, audience)
    of = len(one.choices) if one.public else len(one.subjects)
    shown = min(round_.reveal - 1, of)
    return Reveal(round=one, shown=shown, latest=shown - 1, of=of)

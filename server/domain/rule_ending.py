"""What a rule set says of everything after the marks: rounding, the session, bands, adjustments, grades,
quotas and ties. One electorate and a composite of several end alike.

Source: the contract, "Rules and ballots".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import cast

from server.domain.explained import shown
from server.domain.keys import is_visible
from server.domain.rule_document import (
    KINDS,
    LONGEST_REASON,
    MOST_COUNT,
    Node,
    RulesInvalid,
    distinct,
    list_of,
    node,
    text_of,
)
from server.domain.rules import (
    OFFICE_ORDER,
    Adjustment,
    AfterKind,
    Band,
    Compare,
    Counted,
    EmptyGroup,
    Ending,
    GradeRule,
    LabelShare,
    Order,
    OutcomeQuota,
    Quorum,
    Rounding,
    RoundingMode,
    Session,
    Threshold,
)

ENDING = frozenset(
    {"rounding", "empty_group", "session", "bands", "after", "grades", "quota"}
    | {"order", "ties", "floor"}
)
"""The keys that are read here."""
_COMPARE = (">", ">=", "<", "<=")
COUNTED = ("present", "due", "members")
"""What of the hall a rule may count against."""


def listed(value: object) -> list[object]:
    """The list that stands there; nothing where it is no list."""
    return value if isinstance(value, list) else []


def beside(path: str, other: str) -> RulesInvalid:
    """What is said of a key that means nothing beside another."""
    return RulesInvalid("rules_needless", path, other=other)


def labels_among(one: Node, key: str, known: frozenset[str]) -> frozenset[str]:
    """A list of labels, each of which is on some scale."""

    def label(value: object, path: str) -> str:
        text = text_of(value, path)
        if text not in known:
            raise RulesInvalid("rules_label_unknown", path, key=shown(text))
        return text

    labels = list_of(one.need(key), one.place(key), label)
    distinct(labels, one.place(key))
    return frozenset(labels)


def threshold_of(one: Node) -> Threshold:
    """A share and how it is compared with, which may not be left to a default: exactly half is
    decided by the rules."""
    return Threshold(one.share("share"), cast(Compare, one.needed_choice("compare", _COMPARE)))


def ending_of(
    top: Node, ties: tuple[str, ...], labels: frozenset[str], verdict: tuple[str, ...]
) -> Ending:
    """All that happens to totals. Where a `verdict` gives the grades there is no total."""
    for key in ("bands", "grades", "quota"):
        if verdict and key in top:
            raise beside(top.place(key), "verdict")
    grades = _grades(top)
    known = frozenset((*verdict, *(rule.grade for rule in grades)))
    return Ending(
        rounding=_rounding(top),
        empty_group=cast(EmptyGroup, top.choice("empty_group", ("renormalise", "zero", "refuse"))),
        session=_session(top),
        bands=_bands(top, labels),
        after=_after(top, known, bool(verdict)),
        grades=grades,
        quotas=_quotas(top, known),
        order=cast(Order, top.choice("order", ("descending", "ascending"))),
        ties=ties,
        floor=top.count("floor", 0, MOST_COUNT),
    )


def _rounding(top: Node) -> Rounding:
    keys = frozenset({"mode", "dimension", "weighted", "group", "total"})
    one = node(top.members.get("rounding", {}), top.place("rounding"), keys)
    mode = cast(RoundingMode, one.choice("mode", ("half_up", "half_even", "down")))
    return Rounding(
        mode,
        one.places("dimension"),
        one.places("weighted"),
        one.places("group"),
        one.places("total"),
    )


def _session(top: Node) -> Session:
    if "session" not in top:
        return Session({})
    numbers = (*COUNTED, "returned", "issued")
    one = node(top.members["session"], top.place("session"), frozenset({*numbers, "quorum"}))
    counts = {key: one.count(key, 0, MOST_COUNT) for key in numbers if key in one}
    quorum = None
    if "quorum" in one:
        part = node(
            one.members["quorum"], one.place("quorum"), frozenset({"share", "compare", "of"})
        )
        quorum = Quorum(threshold_of(part), cast(Counted, part.needed_choice("of", COUNTED)))
        for key in ("present", quorum.of):
            if key not in counts:
                raise RulesInvalid("rules_key_missing", one.place(key))
    return Session(counts, quorum)


def _bands(top: Node, labels: frozenset[str]) -> tuple[Band, ...]:
    bands: list[Band] = []
    lowest: Fraction | None = None
    for part in top.objects("bands", frozenset({"from", "value", "when"})):
        least = part.decimal("from") if "from" in part else None
        when = None
        if "when" in part:
            keys = frozenset({"of", "share", "compare"})
            one = node(part.members["when"], part.place("when"), keys)
            when = LabelShare(labels_among(one, "of", labels), threshold_of(one))
        if bands and bands[-1].least is None and bands[-1].when is None:
            raise RulesInvalid("rules_after_last", part.path)
        if least is not None and lowest is not None and least >= lowest:
            raise RulesInvalid("rules_order", part.place("from"))
        if when is None and least is not None:
            lowest = least
        bands.append(Band(part.decimal("value"), least, when))
    return tuple(bands)


_AFTER: Mapping[str, frozenset[str]] = {
    "bonus": frozenset({"kind", "subject", "value", "reason"}),
    "deduction": frozenset({"kind", "subject", "value", "reason"}),
    "cap": frozenset({"kind", "subject", "value", "reason"}),
    "veto": frozenset({"kind", "subject", "grade", "reason"}),
}


def _after(top: Node, grades: frozenset[str], by_verdict: bool) -> tuple[Adjustment, ...]:
    def adjustment(value: object, path: str) -> Adjustment:
        if not isinstance(value, dict):
            raise RulesInvalid("rules_type", path, wanted=KINDS["object"])
        kind = cast(AfterKind, Node(path, value).needed_choice("kind", tuple(_AFTER)))
        one = node(value, path, _AFTER[kind])
        if by_verdict and kind != "veto":
            raise beside(one.path, "verdict")
        whole = kind == "cap" and "subject" not in one
        subject = None if whole else one.key("subject")
        reason = one.text("reason") if "reason" in one else ""
        if reason and not is_visible(reason, LONGEST_REASON):
            raise RulesInvalid("rules_key_bad", one.place("reason"), most=str(LONGEST_REASON))
        if kind == "veto":
            return Adjustment(kind, subject, Fraction(0), _grade(one, "grade", grades), reason)
        value_of = one.decimal if kind == "cap" else one.more_than_zero
        return Adjustment(kind, subject, value_of("value"), "", reason)

    if "after" not in top:
        return ()
    return list_of(top.members["after"], top.place("after"), adjustment)


def _grade(one: Node, key: str, known: frozenset[str]) -> str:
    grade = one.key(key)
    if grade not in known:
        raise RulesInvalid("rules_grade_unknown", one.place(key), key=shown(grade))
    return grade


def _grades(top: Node) -> tuple[GradeRule, ...]:
    rules: list[GradeRule] = []
    for part in top.objects("grades", frozenset({"grade", "from"})):
        least = part.decimal("from") if "from" in part else None
        if rules:
            before = rules[-1].least
            if before is None:
                raise RulesInvalid("rules_after_last", part.path)
            if least is not None and least >= before:
                raise RulesInvalid("rules_order", part.place("from"))
        rules.append(GradeRule(part.key("grade"), least))
    distinct((rule.grade for rule in rules), top.place("grades"), ".grade")
    return tuple(rules)


def _quotas(top: Node, known: frozenset[str]) -> tuple[OutcomeQuota, ...]:
    quotas: list[OutcomeQuota] = []
    falls: dict[str, str] = {}
    for part in top.objects("quota", frozenset({"grade", "share", "falls_to"})):
        grade, falls_to = _grade(part, "grade", known), _grade(part, "falls_to", known)
        falls[grade] = falls_to
        if _comes_back(falls, grade):
            raise RulesInvalid("rules_circle", part.place("falls_to"), key=shown(grade))
        quotas.append(OutcomeQuota(grade, part.share("share"), falls_to))
    distinct((quota.grade for quota in quotas), top.place("quota"), ".grade")
    return tuple(quotas)


def _comes_back(falls: Mapping[str, str], grade: str) -> bool:
    """Whether a subject that loses `grade` could be given it again."""
    place = falls.get(grade)
    for _ in falls:
        if place == grade:
            return True
        place = falls.get(place) if place is not None else None
    return place == grade


def ties_of(
    top: Node, named: Mapping[str, Sequence[str]], plain: tuple[str, ...]
) -> tuple[str, ...]:
    """The keys that tell equal totals apart, none where places are shared. `named` are the prefixes
    with what may follow them, `plain` the others beside the office's order."""
    value, place = top.members.get("ties", "shared"), top.place("ties")
    if value == "shared":
        return ()
    if isinstance(value, str):
        raise RulesInvalid("rules_choice", place, choices="shared, [...]")

    def tie(item: object, path: str) -> str:
        key = text_of(item, path)
        if key == OFFICE_ORDER or key in plain:
            return key
        for prefix, keys in named.items():
            if key.startswith(prefix):
                if key.removeprefix(prefix) not in keys:
                    name = shown(key.removeprefix(prefix))
                    raise RulesInvalid("rules_tie_unknown", path, key=name)
                return key
        choices = ", ".join((*(f"{prefix}KEY" for prefix in named), *plain, OFFICE_ORDER))
        raise RulesInvalid("rules_choice", path, choices=choices)

    ties = list_of(value, place, tie)
    distinct(ties, place)
    return ties

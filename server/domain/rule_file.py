"""`RULES.json`: read, checked against itself, and turned into the values of `rules.py`.

Whatever is not known, missing, out of range or contradicts something else in the document is a
`RulesInvalid` that names the place: nothing in a rule set is ever skipped silently. What each key
means, and what a missing one means, stands in docs/rules.md.

Source: the contract, "Rules and ballots".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NoReturn, cast

from server.domain.exact import exact_text
from server.domain.explained import Sentence, shown
from server.domain.keys import LONGEST_LABEL, is_visible
from server.domain.rule_document import (
    KINDS,
    LONGEST_REASON,
    MOST_COUNT,
    NOT_NEGATIVE,
    Node,
    RulesInvalid,
    distinct,
    list_of,
    node,
    text_of,
)
from server.domain.rules import (
    CHANNEL_TIE,
    COUNTING,
    DIMENSION_TIE,
    HIGHEST_MARK,
    OFFICE_ORDER,
    WORDS,
    Across,
    Adjustment,
    AfterKind,
    BallotQuota,
    BallotRules,
    Band,
    Channel,
    Compare,
    Composite,
    Counted,
    Denominator,
    Dimension,
    EmptyGroup,
    Ending,
    GradeRule,
    Group,
    Label,
    LabelScale,
    LabelShare,
    NumberScale,
    Order,
    OutcomeQuota,
    Quorum,
    RankPoints,
    Required,
    Rounding,
    RoundingMode,
    Rules,
    Scale,
    Session,
    Threshold,
    Trim,
    TrimOn,
    VerdictRule,
    Within,
    canonical_bytes,
)

_ENDING = frozenset(
    {"rounding", "empty_group", "session", "bands", "after", "grades", "quota"}
    | {"order", "ties", "floor"}
)
_ONE = _ENDING | {
    *("version", "scale", "dimensions", "groups", "ballot", "within", "across", "trim"),
    *("denominator", "positive", "verdict", "rank_points", "best_ratio"),
}
_COMPOSITE = _ENDING | {"version", "composite"}

_WITHIN = ("mean", "sum", "median", "rate", "verdict", "rank_points", "best_ratio")
_COMPARE = (">", ">=", "<", "<=")
_COUNTED = ("present", "due", "members")
_NEEDS_WITHIN = {
    "positive": "rate",
    "verdict": "verdict",
    "rank_points": "rank_points",
    "best_ratio": "best_ratio",
}
"""Keys that only one way of `within` reads: beside another they would promise what is not done."""
_UNTRIMMED = ("rate", "verdict", "rank_points")


# The document -----------------------------------------------------------------------------------


def read_rules(data: bytes) -> Rules | Composite:
    """The rule set in the bytes of a `RULES.json`; a byte order mark is allowed.

    Raises `RulesInvalid`, also for what JSON readers usually let pass: a key given twice in one
    object, `NaN` and the infinities.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RulesInvalid("rules_not_utf8", "") from None
    try:
        document = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_such_number)
    except RulesInvalid:
        raise
    except RecursionError:
        raise RulesInvalid("rules_not_json", "", why=("嵌套过深", "nested too deeply")) from None
    except json.JSONDecodeError as error:
        where = (
            f"第 {error.lineno} 行第 {error.colno} 个字符处有误",
            f"something is wrong at line {error.lineno}, character {error.colno}",
        )
        raise RulesInvalid("rules_not_json", "", why=where) from None
    except ValueError:
        raise RulesInvalid("rules_not_json", "", why=_BAD_NUMBER) from None
    return parse_rule_set(document)


_BAD_NUMBER: Sentence = ("数字无法读取", "a number cannot be read")


def _once_each(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            raise RulesInvalid("rules_key_twice", shown(key), key=shown(key))
        members[key] = value
    return members


def _no_such_number(name: str) -> NoReturn:
    raise RulesInvalid("rules_not_json", "", why=_BAD_NUMBER)


def parse_rule_set(document: object) -> Rules | Composite:
    """Check a rule document (what a JSON reader returns) and read it, composite or not.

    Raises `RulesInvalid` at the first thing that is wrong. The parsed numbers are exact;
    `canonical` keeps the document as it was given.
    """
    if isinstance(document, dict) and "composite" in document:
        return _composite(document)
    return parse_rules(document)


def parse_rules(document: object) -> Rules:
    """The same for the rules of one electorate; a composite is refused."""
    if isinstance(document, dict) and "composite" in document:
        raise RulesInvalid("rules_composite_here", "composite")
    top = node(document, "", _ONE)
    _check_version(top)
    return _rules(top)


def parse_draft(document: Mapping[str, Any]) -> Rules:
    """The rules of a round that need not be open yet: the counts that its opening will put in may be
    missing. For whoever shows or checks the rules; never for a tally."""
    return parse_rules(with_counts(document, present=1, due=1, members=1))


def with_groups(document: Mapping[str, Any], groups: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The document with the hearing's groups (key, weight), unless it names its own or counts everybody
    together, against those present, due or members."""
    together = document.get("denominator", "valid") != "valid"
    if "groups" in document or "composite" in document or together or not groups:
        return dict(document)
    return {**document, "groups": [{"key": key, "weight": weight} for key, weight in groups]}


def with_counts(
    document: Mapping[str, Any], *, present: int, due: int, members: int
) -> dict[str, Any]:
    """The document as it is frozen at a round's opening: the counts of the session that it uses and
    does not give are those of the hall. One that uses none stays as it is."""
    counts = {"present": present, "due": due, "members": members}
    session = dict(document.get("session") or {})
    quorum = session.get("quorum")
    used = {document.get("denominator")}
    if isinstance(quorum, dict):
        used |= {"present", quorum.get("of")}
    missing = {key: n for key, n in counts.items() if key in used and key not in session}
    if not missing:
        return dict(document)
    return {**document, "session": {**session, **missing}}


def _check_version(top: Node) -> None:
    version = top.need("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise RulesInvalid("rules_type", "version", wanted=KINDS["integer"])
    if version != 1:
        raise RulesInvalid("rules_choice", "version", choices="1")


# One electorate ---------------------------------------------------------------------------------


def _rules(top: Node) -> Rules:
    within = cast(Within, top.choice("within", _WITHIN))
    for key, wanted in _NEEDS_WITHIN.items():
        if key in top and within != wanted:
            raise _beside(top.place(key), f"within: {within}")
    ballot = _ballot(top)
    needs_points = (
        within not in COUNTING
        or bool(ballot.quotas)
        or ballot.void_all_full
        or HIGHEST_MARK in _listed(top.members.get("ties"))
    )
    dimensions = _dimensions(top, needs_points)
    if within in COUNTING and not all(isinstance(d.scale, LabelScale) for d in dimensions):
        raise RulesInvalid("rules_labels_needed", top.place("within"))
    groups = _groups(top)
    labels = frozenset(
        key for one in dimensions if isinstance(one.scale, LabelScale) for key in one.scale.keys
    )
    verdict = _verdict(top, labels) if within == "verdict" else ()
    if verdict and len(dimensions) > 1:
        raise RulesInvalid("rules_one_dimension", top.place("within"))
    ties = _ties(top, {DIMENSION_TIE: [one.key for one in dimensions]}, (HIGHEST_MARK,))
    ending = _ending(top, ties, labels, tuple(rule.grade for rule in verdict))
    whens = [band.when for band in ending.bands if band.when is not None]
    if whens and len(dimensions) > 1:
        raise RulesInvalid("rules_one_dimension", top.place("bands"))
    denominator = _denominator(top, within, groups, ending.session, bool(whens))
    return Rules(
        version=1,
        dimensions=dimensions,
        groups=groups,
        ballot=ballot,
        trim=_trim(top, within),
        within=within,
        across=cast(Across, top.choice("across", ("sum", "mean"))),
        denominator=denominator,
        positive=_labels(top, "positive", labels) if within == "rate" else frozenset(),
        verdict=verdict,
        rank_points=_rank_points(top) if within == "rank_points" else None,
        best_times=_best_times(top) if within == "best_ratio" else None,
        ending=ending,
        canonical=canonical_bytes(top.members),
    )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _beside(path: str, other: str) -> RulesInvalid:
    return RulesInvalid("rules_needless", path, other=other)


def _dimensions(top: Node, needs_points: bool) -> tuple[Dimension, ...]:
    common = None
    if "scale" in top:
        common = _scale(top.members["scale"], top.place("scale"), needs_points)

    def dimension(value: object, path: str) -> Dimension:
        one = node(value, path, frozenset({"key", "factor", "scale"}))
        key = one.key("key")
        factor = one.decimal("factor") if "factor" in one else Fraction(1)
        if "scale" in one:
            own = _scale(one.members["scale"], one.place("scale"), needs_points)
            return Dimension(key, factor, own)
        if common is None:
            raise RulesInvalid("rules_key_missing", one.place("scale"))
        return Dimension(key, factor, common)

    place = top.place("dimensions")
    dimensions = list_of(top.need("dimensions"), place, dimension)
    distinct((one.key for one in dimensions), place, ".key")
    return dimensions


def _scale(value: object, path: str, needs_points: bool) -> Scale:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "labels":
        return _label_scale(node(value, path, frozenset({"kind", "labels"})), needs_points)
    if kind == "number":
        return _number_scale(node(value, path, frozenset({"kind", "min", "max", "step"})))
    if not isinstance(value, dict):
        raise RulesInvalid("rules_type", path, wanted=KINDS["object"])
    Node(path, value).text("kind")
    raise RulesInvalid("rules_choice", f"{path}.kind", choices="number, labels")


def _number_scale(one: Node) -> NumberScale:
    low, high = one.decimal("min"), one.decimal("max")
    if low >= high:
        wanted = ("大于 min", "greater than min")
        raise RulesInvalid("rules_range", one.place("max"), wanted=wanted)
    return NumberScale(low, high, one.more_than_zero("step") if "step" in one else None)


def _label_scale(one: Node, needs_points: bool) -> LabelScale:
    def label(value: object, path: str) -> Label:
        part = node(value, path, frozenset({"key", "label", "points"}))
        key = part.key("key")
        if key in WORDS:
            raise RulesInvalid("rules_key_reserved", part.place("key"), key=key)
        words = part.text("label") if "label" in part else key
        if not is_visible(words, LONGEST_LABEL):
            raise RulesInvalid("rules_key_bad", part.place("label"), most=str(LONGEST_LABEL))
        given = needs_points or "points" in part
        return Label(key, words, part.decimal("points") if given else None)

    place = one.place("labels")
    labels = list_of(one.need("labels"), place, label)
    distinct((part.key for part in labels), place, ".key")
    return LabelScale(labels)


def _groups(top: Node) -> tuple[Group, ...]:
    place = top.place("groups")
    parts = top.objects("groups", frozenset({"key", "weight"}))
    groups = tuple(Group(part.key("key"), part.weight("weight")) for part in parts)
    distinct((group.key for group in groups), place, ".key")
    if groups and not any(group.weight for group in groups):
        raise RulesInvalid("rules_weights_zero", place)
    ratio = all(group.weight.denominator == 1 for group in groups)
    if not ratio:
        whole = ("，或全部写成整数之比", ", or all be whole numbers")
        _check_sum([group.weight for group in groups], place, whole)
    return groups


def _check_sum(weights: Iterable[Fraction], place: str, or_whole: Sentence) -> None:
    total = sum(weights, Fraction(0))
    if total != 1:
        added = exact_text(total)
        raise RulesInvalid("rules_weights_sum", place, sum=added, or_whole=or_whole)


def _ballot(top: Node) -> BallotRules:
    if "ballot" not in top:
        return BallotRules()
    keys = frozenset({"required", "void_all_equal", "void_all_full", "quota"})
    one = node(top.members["ballot"], top.place("ballot"), keys)
    parts = one.objects("quota", frozenset({"at_least", "below", "most", "least"}))
    return BallotRules(
        required=cast(Required, one.choice("required", ("any", "all"))),
        void_all_equal=one.switch("void_all_equal"),
        void_all_full=one.switch("void_all_full"),
        quotas=tuple(_ballot_quota(part) for part in parts),
    )


def _ballot_quota(one: Node) -> BallotQuota:
    if "at_least" in one and "below" in one:
        raise _beside(one.place("below"), "at_least")
    at_least = "below" not in one
    figure = one.decimal("at_least" if at_least else "below")
    most = one.count("most", 0, MOST_COUNT) if "most" in one else None
    least = one.count("least", 0, MOST_COUNT) if "least" in one else None
    if most is None and least is None:
        raise RulesInvalid("rules_key_missing", one.place("most"))
    if most is not None and least is not None and least > most:
        wanted = (f"不大于 most（{most}）", f"at most {most}, the most")
        raise RulesInvalid("rules_range", one.place("least"), wanted=wanted)
    return BallotQuota(figure, at_least, most, least)


def _trim(top: Node, within: Within) -> Trim | None:
    """None when nobody can be trimmed."""
    if "trim" not in top:
        return None
    one = node(top.members["trim"], top.place("trim"), frozenset({"high", "low", "from", "on"}))
    high, low = one.count("high", 0, MOST_COUNT), one.count("low", 0, MOST_COUNT)
    least = one.count("from", high + low + 1, 3 * MOST_COUNT)
    on = cast(TrimOn, one.choice("on", ("dimension", "total", "none")))
    if on == "none" or high + low == 0:
        return None
    if within in _UNTRIMMED:
        raise _beside(one.path, f"within: {within}")
    if least <= high + low:
        raise RulesInvalid("rules_trim_leaves_none", one.place("from"), least=str(high + low + 1))
    return Trim(high, low, least, on)


# Counting labels --------------------------------------------------------------------------------


def _labels(one: Node, key: str, known: frozenset[str]) -> frozenset[str]:
    """A list of labels, each of which is on some scale."""

    def label(value: object, path: str) -> str:
        text = text_of(value, path)
        if text not in known:
            raise RulesInvalid("rules_label_unknown", path, key=shown(text))
        return text

    labels = list_of(one.need(key), one.place(key), label)
    distinct(labels, one.place(key))
    return frozenset(labels)


def _threshold(one: Node) -> Threshold:
    """A share and how it is compared with, which may not be left to a default: exactly half is
    decided by the rules."""
    return Threshold(one.share("share"), cast(Compare, one.needed_choice("compare", _COMPARE)))


def _verdict(top: Node, labels: frozenset[str]) -> tuple[VerdictRule, ...]:
    keys = frozenset({"grade", "positive", "share", "compare"})
    top.need("verdict")
    rules: list[VerdictRule] = []
    for part in top.objects("verdict", keys):
        if rules and rules[-1].when is None:
            raise RulesInvalid("rules_after_last", part.path)
        always = not {"positive", "share", "compare"} & part.members.keys()
        when = None if always else LabelShare(_labels(part, "positive", labels), _threshold(part))
        rules.append(VerdictRule(part.key("grade"), when))
    return tuple(rules)


def _denominator(
    top: Node, within: Within, groups: Sequence[Group], session: Session, in_bands: bool
) -> Denominator:
    denominator = cast(Denominator, top.choice("denominator", ("valid", *_COUNTED)))
    if denominator == "valid":
        return denominator
    place = top.place("denominator")
    if within not in COUNTING and not in_bands:
        raise _beside(place, f"within: {within}")
    if len(groups) > 1:
        raise RulesInvalid("rules_one_group", place, key=denominator)
    if not session.counts.get(denominator):
        raise RulesInvalid("rules_key_missing", top.place(f"session.{denominator}"))
    return denominator


def _rank_points(top: Node) -> RankPoints:
    keys = frozenset({"first", "step"})
    one = node(top.need("rank_points"), top.place("rank_points"), keys)
    step = one.decimal("step")
    if step < 0:
        raise RulesInvalid("rules_range", one.place("step"), wanted=NOT_NEGATIVE)
    return RankPoints(one.decimal("first"), step)


def _best_times(top: Node) -> Fraction:
    one = node(top.need("best_ratio"), top.place("best_ratio"), frozenset({"times"}))
    return one.more_than_zero("times")


# After the total --------------------------------------------------------------------------------


def _ending(
    top: Node, ties: tuple[str, ...], labels: frozenset[str], verdict: tuple[str, ...]
) -> Ending:
    """All that happens to totals. Where a `verdict` gives the grades there is no total."""
    for key in ("bands", "grades", "quota"):
        if verdict and key in top:
            raise _beside(top.place(key), "verdict")
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
    numbers = (*_COUNTED, "returned", "issued")
    one = node(top.members["session"], top.place("session"), frozenset({*numbers, "quorum"}))
    counts = {key: one.count(key, 0, MOST_COUNT) for key in numbers if key in one}
    quorum = None
    if "quorum" in one:
        part = node(
            one.members["quorum"], one.place("quorum"), frozenset({"share", "compare", "of"})
        )
        quorum = Quorum(_threshold(part), cast(Counted, part.needed_choice("of", _COUNTED)))
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
            when = LabelShare(_labels(one, "of", labels), _threshold(one))
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
            raise _beside(one.path, "verdict")
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


def _ties(top: Node, named: Mapping[str, Sequence[str]], plain: tuple[str, ...]) -> tuple[str, ...]:
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


# Composites -------------------------------------------------------------------------------------


def _composite(document: dict[str, object]) -> Composite:
    top = node(document, "", _COMPOSITE)
    _check_version(top)

    def channel(value: object, path: str) -> Channel:
        one = node(value, path, frozenset({"channel", "weight", "rules"}))
        inner = node(one.need("rules"), one.place("rules"), _ONE)
        if "version" in inner:
            _check_channel_version(inner)
        rules = _rules(inner)
        if rules.within == "verdict":
            raise _beside(inner.place("verdict"), "composite")
        one.need("weight")
        return Channel(one.key("channel"), one.weight("weight"), rules)

    channels = list_of(top.need("composite"), "composite", channel)
    distinct((one.key for one in channels), "composite", ".channel")
    _check_sum([one.weight for one in channels], "composite", ("", ""))
    ties = _ties(top, {CHANNEL_TIE: [one.key for one in channels]}, ())
    return Composite(1, channels, _ending(top, ties, frozenset(), ()), canonical_bytes(document))


def _check_channel_version(inner: Node) -> None:
    if inner.members["version"] != 1 or isinstance(inner.members["version"], bool):
        raise RulesInvalid("rules_choice", inner.place("version"), choices="1")

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
    MOST_COUNT,
    NOT_NEGATIVE,
    Node,
    RulesInvalid,
    distinct,
    list_of,
    node,
)
from server.domain.rule_ending import (
    COUNTED,
    ENDING,
    beside,
    ending_of,
    labels_among,
    listed,
    threshold_of,
    ties_of,
)
from server.domain.rules import (
    CHANNEL_TIE,
    COUNTING,
    DIMENSION_TIE,
    HIGHEST_MARK,
    WORDS,
    Across,
    BallotQuota,
    BallotRules,
    Channel,
    Composite,
    Denominator,
    Dimension,
    Group,
    Label,
    LabelScale,
    LabelShare,
    NumberScale,
    RankPoints,
    Required,
    Rules,
    Scale,
    Session,
    Trim,
    TrimOn,
    VerdictRule,
    Within,
    canonical_bytes,
)

_ONE = ENDING | {
    *("version", "scale", "dimensions", "groups", "ballot", "within", "across", "trim"),
    *("denominator", "positive", "verdict", "rank_points", "best_ratio"),
}
_COMPOSITE = ENDING | {"version", "composite"}

_WITHIN = ("mean", "sum", "median", "rate", "verdict", "rank_points", "best_ratio")
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
    version, place = top.need("version"), top.place("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise RulesInvalid("rules_type", place, wanted=KINDS["integer"])
    if version != 1:
        raise RulesInvalid("rules_choice", place, choices="1")


# One electorate ---------------------------------------------------------------------------------


def _rules(top: Node) -> Rules:
    within = cast(Within, top.choice("within", _WITHIN))
    for key, wanted in _NEEDS_WITHIN.items():
        if key in top and within != wanted:
            raise beside(top.place(key), f"within: {within}")
    ballot = _ballot(top)
    needs_points = (
        within not in COUNTING
        or bool(ballot.quotas)
        or ballot.void_all_full
        or HIGHEST_MARK in listed(top.members.get("ties"))
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
    ties = ties_of(top, {DIMENSION_TIE: [one.key for one in dimensions]}, (HIGHEST_MARK,))
    ending = ending_of(top, ties, labels, tuple(rule.grade for rule in verdict))
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
        positive=labels_among(top, "positive", labels) if within == "rate" else frozenset(),
        verdict=verdict,
        rank_points=_rank_points(top) if within == "rank_points" else None,
        best_times=_best_times(top) if within == "best_ratio" else None,
        ending=ending,
        canonical=canonical_bytes(top.members),
    )


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
        raise beside(one.place("below"), "at_least")
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
        raise beside(one.path, f"within: {within}")
    if least <= high + low:
        raise RulesInvalid("rules_trim_leaves_none", one.place("from"), least=str(high + low + 1))
    return Trim(high, low, least, on)


# Counting labels --------------------------------------------------------------------------------


def _verdict(top: Node, labels: frozenset[str]) -> tuple[VerdictRule, ...]:
    keys = frozenset({"grade", "positive", "share", "compare"})
    top.need("verdict")
    rules: list[VerdictRule] = []
    for part in top.objects("verdict", keys):
        if rules and rules[-1].when is None:
            raise RulesInvalid("rules_after_last", part.path)
        always = not {"positive", "share", "compare"} & part.members.keys()
        when = (
            None
            if always
            else LabelShare(labels_among(part, "positive", labels), threshold_of(part))
        )
        rules.append(VerdictRule(part.key("grade"), when))
    return tuple(rules)


def _denominator(
    top: Node, within: Within, groups: Sequence[Group], session: Session, in_bands: bool
) -> Denominator:
    denominator = cast(Denominator, top.choice("denominator", ("valid", *COUNTED)))
    if denominator == "valid":
        return denominator
    place = top.place("denominator")
    if within not in COUNTING and not in_bands:
        raise beside(place, f"within: {within}")
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


# Composites -------------------------------------------------------------------------------------


def _composite(document: dict[str, object]) -> Composite:
    top = node(document, "", _COMPOSITE)
    _check_version(top)

    def channel(value: object, path: str) -> Channel:
        one = node(value, path, frozenset({"channel", "weight", "rules"}))
        inner = node(one.need("rules"), one.place("rules"), _ONE)
        if "version" in inner:
            _check_version(inner)
        rules = _rules(inner)
        if rules.within == "verdict":
            raise beside(inner.place("verdict"), "composite")
        one.need("weight")
        return Channel(one.key("channel"), one.weight("weight"), rules)

    channels = list_of(top.need("composite"), "composite", channel)
    distinct((one.key for one in channels), "composite", ".channel")
    _check_sum([one.weight for one in channels], "composite", ("", ""))
    ties = ties_of(top, {CHANNEL_TIE: [one.key for one in channels]}, ())
    return Composite(1, channels, ending_of(top, ties, frozenset(), ()), canonical_bytes(document))

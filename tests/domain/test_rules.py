"""The rule set: what it accepts, what each missing key means, every refusal, its hash."""

import copy
import hashlib
import json
from fractions import Fraction
from typing import Any

import pytest

from server.domain.explained import shown
from server.domain.keys import is_key
from server.domain.rule_document import RulesInvalid
from server.domain.rule_file import parse_rule_set, parse_rules, read_rules, with_counts
from server.domain.rules import (
    BallotRules,
    Band,
    Composite,
    Dimension,
    GradeRule,
    Group,
    Label,
    LabelScale,
    LabelShare,
    NumberScale,
    OutcomeQuota,
    Quorum,
    RankPoints,
    Rounding,
    Session,
    Threshold,
    Trim,
    canonical_bytes,
    rules_hash,
)
from tests.domain.rule_documents import (
    COMPOSITE,
    DROP,
    FULL,
    LEAST,
    NUMBER,
    RATE,
    VERDICT,
    changed,
)

NOT_TEXT: tuple[object, ...] = (None, True, 1, 1.5, [], {})
NOT_A_LIST: tuple[object, ...] = (None, True, 1, {})
POINTS: dict[str, Any] = {**LEAST, "within": "rank_points"}


def refusal(document: object) -> RulesInvalid:
    with pytest.raises(RulesInvalid) as caught:
        parse_rules(document)
    return caught.value


def test_full_document() -> None:
    rules = parse_rules(FULL)
    number = NumberScale(Fraction(0), Fraction(10), Fraction(1, 4))
    labels = LabelScale(
        (
            Label("good", "好", Fraction(20)),
            Label("fair", "一般", Fraction(17)),
            Label("poor", "差", Fraction(14)),
        )
    )
    assert rules.version == 1
    assert rules.dimensions == (
        Dimension("skating", Fraction(4, 5), number),
        Dimension("answers", Fraction(1), labels),
    )
    assert rules.dimension_keys == ("skating", "answers")
    assert rules.groups == (Group("deputies", Fraction(2, 5)), Group("citizens", Fraction(3, 5)))
    assert rules.ending.empty_group == "zero"
    assert rules.ballot.required == "all"
    assert (rules.within, rules.across) == ("median", "mean")
    assert rules.trim == Trim(high=1, low=2, least=5, on="total")
    assert rules.ending.rounding == Rounding("half_even", 2, 3, None, 1)
    assert rules.ending.order == "ascending"
    assert rules.ending.ties == ("dimension:skating", "highest_mark", "office_order")


def test_what_missing_keys_mean() -> None:
    rules = parse_rules(LEAST)
    assert rules.dimensions[0].factor == 1
    assert rules.groups == ()
    assert rules.ending.empty_group == "renormalise"
    assert rules.ballot == BallotRules()
    assert (rules.within, rules.across) == ("mean", "sum")
    assert rules.trim is None
    assert rules.ending.rounding == Rounding("half_up", None, None, None, None)
    assert rules.ending.order == "descending"
    assert rules.ending.ties == ()
    assert rules.denominator == "valid"
    assert rules.ending.floor == 0
    assert rules.ending.session == Session({})


def test_small_defaults() -> None:
    assert parse_rules({**LEAST, "groups": [{"key": "a"}]}).groups == (Group("a", Fraction(1)),)
    assert parse_rules({**LEAST, "trim": {"high": 1, "low": 1}}).trim == Trim(1, 1, 3, "dimension")
    assert parse_rules({**LEAST, "trim": {"high": 2}}).trim == Trim(2, 0, 3, "dimension")
    assert parse_rules({**LEAST, "trim": {"high": 1, "on": "none"}}).trim is None
    assert parse_rules({**LEAST, "trim": {}}).trim is None
    assert parse_rules({**LEAST, "ballot": {}}).ballot == BallotRules()
    assert parse_rules({**LEAST, "ties": "shared"}).ending.ties == ()
    step_free = {**LEAST, "scale": {"kind": "number", "min": "-1", "max": "1.5"}}
    assert parse_rules(step_free).dimensions[0].scale == NumberScale(
        Fraction(-1), Fraction(3, 2), None
    )
    unlabelled = {**LEAST, "scale": {"kind": "labels", "labels": [{"key": "好", "points": "-1.5"}]}}
    assert parse_rules(unlabelled).dimensions[0].scale == LabelScale(
        (Label("好", "好", Fraction(-3, 2)),)
    )
    own = {"version": 1, "dimensions": [{"key": "a", "scale": NUMBER}]}
    assert parse_rules(own).dimensions[0].scale == parse_rules(LEAST).dimensions[0].scale


def test_grain_turns_every_mark_into_an_integer() -> None:
    third = NumberScale(Fraction(1, 2), Fraction(10), Fraction(1, 5))
    assert third.grain == 10
    assert NumberScale(Fraction(0), Fraction(1), None).grain == 10**12
    assert (
        LabelScale((Label("a", "a", Fraction(1, 4)), Label("b", "b", Fraction(1, 10)))).grain == 20
    )


# Refusals ---------------------------------------------------------------------------------------

OBJECTS: list[tuple[Any, ...]] = [
    (),
    ("ballot",),
    ("scale",),
    ("dimensions", 0),
    ("dimensions", 1, "scale"),
    ("dimensions", 1, "scale", "labels", 2),
    ("groups", 1),
    ("trim",),
    ("rounding",),
]
"""The path of one object of each kind in the full document."""


def dotted(*path: Any) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


@pytest.mark.parametrize("path", OBJECTS)
def test_an_unknown_key_is_refused_everywhere(path: tuple[Any, ...]) -> None:
    for key in ("comment", "Version", "", "权重", "maximum"):
        error = refusal(changed(*path, key, "1"))
        assert (error.code, error.path) == ("rules_key_unknown", dotted(*path, key) or key)


@pytest.mark.parametrize("path", OBJECTS[1:])
def test_what_must_be_an_object(path: tuple[Any, ...]) -> None:
    for value in (None, True, 1, 1.5, "x", ["x"]):
        error = refusal(changed(*path, value))
        assert (error.code, error.path) == ("rules_type", dotted(*path))


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", [], [FULL]])
def test_the_document_must_be_an_object(value: object) -> None:
    assert refusal(value).code == "rules_not_object"


DECIMALS: list[tuple[Any, ...]] = [
    ("scale", "min"),
    ("scale", "max"),
    ("scale", "step"),
    ("dimensions", 0, "factor"),
    ("dimensions", 1, "scale", "labels", 0, "points"),
    ("groups", 0, "weight"),
]


@pytest.mark.parametrize("path", DECIMALS)
def test_decimals_are_strings(path: tuple[Any, ...]) -> None:
    wrong: list[object] = [None, True, 1, 0.5, [], {}, "", "x", "1e3", "+1", ".5", "5.", " 1", "1 "]
    wrong += ["1/2", "NaN", "Infinity", "1_000", "１", "0x1", "1,5", "--1", "0." + "1" * 13]
    for value in [*wrong, "1" * 19, "1\n"]:
        error = refusal(changed(*path, value))
        assert (error.code, error.path) == ("rules_decimal", dotted(*path)), value


COUNTS: list[tuple[Any, ...]] = [
    ("trim", "high"),
    ("trim", "low"),
    ("trim", "from"),
    ("rounding", "dimension"),
    ("rounding", "weighted"),
    ("rounding", "group"),
    ("rounding", "total"),
    ("floor",),
]


@pytest.mark.parametrize("path", COUNTS)
def test_counts_and_places_are_integers(path: tuple[Any, ...]) -> None:
    wrong: list[object] = [True, False, "1", 1.0, [], {}]
    for value in wrong if path[0] == "rounding" else [None, *wrong]:
        error = refusal(changed(*path, value))
        assert (error.code, error.path) == ("rules_type", dotted(*path)), value
    for number in (-1, 10**9):
        error = refusal(changed(*path, number))
        assert (error.code, error.path) == ("rules_range", dotted(*path)), number


CHOICES: list[tuple[Any, ...]] = [
    ("empty_group",),
    ("ballot", "required"),
    ("within",),
    ("across",),
    ("trim", "on"),
    ("denominator",),
    ("rounding", "mode"),
    ("order",),
    ("scale", "kind"),
]


@pytest.mark.parametrize("path", CHOICES)
def test_choices(path: tuple[Any, ...]) -> None:
    for value in NOT_TEXT:
        error = refusal(changed(*path, value))
        assert (error.code, error.path) == ("rules_type", dotted(*path)), value
    for text in ("", "Mean", "most", "shared "):
        error = refusal(changed(*path, text))
        assert (error.code, error.path) == ("rules_choice", dotted(*path)), text


KEYS: list[tuple[Any, ...]] = [
    ("dimensions", 0, "key"),
    ("groups", 0, "key"),
    ("dimensions", 1, "scale", "labels", 0, "key"),
    ("dimensions", 1, "scale", "labels", 0, "label"),
]


@pytest.mark.parametrize("path", KEYS)
def test_keys_are_short_visible_text(path: tuple[Any, ...]) -> None:
    for value in NOT_TEXT:
        assert refusal(changed(*path, value)).code == "rules_type"
    for text in (
        "",
        " a",
        "a ",
        "a\nb",
        "a\tb",
        "a\x00",
        "a\u200bb",
        "\ud800",
        "x" * 201,
        "\u3000a",
    ):
        error = refusal(changed(*path, text))
        assert (error.code, error.path) == ("rules_key_bad", dotted(*path)), text


REQUIRED: list[tuple[Any, ...]] = [
    ("version",),
    ("dimensions",),
    ("scale", "kind"),
    ("scale", "min"),
    ("scale", "max"),
    ("dimensions", 0, "key"),
    ("dimensions", 1, "scale", "labels"),
    ("dimensions", 1, "scale", "labels", 1, "key"),
    ("dimensions", 1, "scale", "labels", 1, "points"),
    ("groups", 0, "key"),
]


@pytest.mark.parametrize("path", REQUIRED)
def test_what_may_not_be_missing(path: tuple[Any, ...]) -> None:
    error = refusal(changed(*path, DROP))
    assert (error.code, error.path) == ("rules_key_missing", dotted(*path))


def test_a_dimension_needs_a_scale_from_somewhere() -> None:
    error = refusal(changed("scale", DROP))
    assert (error.code, error.path) == ("rules_key_missing", "dimensions[0].scale")


@pytest.mark.parametrize(
    "path", [("dimensions",), ("groups",), ("dimensions", 1, "scale", "labels"), ("ties",)]
)
def test_lists(path: tuple[Any, ...]) -> None:
    for value in NOT_A_LIST:
        error = refusal(changed(*path, value))
        assert (error.code, error.path) == ("rules_type", dotted(*path))
    error = refusal(changed(*path, []))
    assert (error.code, error.path) == ("rules_empty", dotted(*path))


def test_the_documents_of_the_other_kinds() -> None:
    rate = parse_rules(RATE)
    assert (rate.within, rate.denominator, rate.positive) == ("rate", "due", {"good"})
    half = Threshold(Fraction(1, 2), ">")
    assert rate.ending.session.quorum == Quorum(half, "due")
    assert rate.ending.session.counts["issued"] == 29
    assert rate.ending.bands[2] == Band(
        Fraction(160), None, LabelShare(frozenset({"fair", "poor"}), Threshold(Fraction(1, 3), "<"))
    )
    assert [one.kind for one in rate.ending.after] == ["bonus", "deduction", "cap", "cap", "veto"]
    assert rate.ending.after[2].subject is None
    assert rate.ending.grades[-1] == GradeRule("unfit", None)
    assert rate.ending.quotas == (OutcomeQuota("excellent", Fraction(1, 3), "fit"),)
    verdict = parse_rules(VERDICT)
    assert [rule.grade for rule in verdict.verdict] == ["satisfied", "basic", "unsatisfied"]
    assert verdict.verdict[2].when is None
    points = {**LEAST, "within": "rank_points", "rank_points": {"first": "200", "step": "4"}}
    assert parse_rules(points).rank_points == RankPoints(Fraction(200), Fraction(4))
    best = {**LEAST, "within": "best_ratio", "best_ratio": {"times": "600"}}
    assert parse_rules(best).best_times == 600
    composite = parse_rule_set(COMPOSITE)
    assert isinstance(composite, Composite)
    assert [(one.key, one.weight) for one in composite.channels] == [
        ("panel", Fraction(7, 10)),
        ("online", Fraction(3, 10)),
        ("room", Fraction(0)),
    ]
    assert refusal(COMPOSITE).code == "rules_composite_here"
    with_minus = changed("dimensions", 0, "factor", "-1")
    assert parse_rules(with_minus).dimensions[0].factor == -1


@pytest.mark.parametrize(
    ("document", "together"),
    [
        (LEAST, "nothing"),
        (changed("ballot", {}, base={**LEAST, "floor": 5}), "nothing"),
        (changed("floor", 5, base=changed("trim", DROP, base=changed("ballot", DROP))), "sheet"),
        (changed("trim", DROP), "sheet"),
        (FULL, "sheet"),
        ({**LEAST, "ballot": {"void_all_equal": True}}, "ballot"),
        ({**LEAST, "ballot": {"quota": [{"below": "5", "most": 2}]}}, "ballot"),
        ({**LEAST, "within": "rank_points", "rank_points": {"first": "9", "step": "1"}}, "ballot"),
    ],
)
def test_what_some_rule_looks_at_together(document: dict[str, Any], together: str) -> None:
    assert parse_rules(document).needs_together == together


def test_the_counts_of_the_hall_are_put_in_at_the_opening() -> None:
    hall = {"present": 21, "due": 25, "members": 30}
    draft = changed("session", {"quorum": {"share": "1/2", "compare": ">", "of": "due"}}, base=RATE)
    frozen = with_counts(draft, **hall)
    assert frozen["session"] == {**draft["session"], "present": 21, "due": 25}
    assert parse_rules(frozen).ending.session.counts == {"present": 21, "due": 25}
    assert with_counts(LEAST, **hall) == LEAST
    assert with_counts(VERDICT, **hall)["session"] == {"members": 29}
    unsaid = changed("session", DROP, base=VERDICT)
    assert with_counts(unsaid, **hall)["session"] == {"members": 30}


CONTRADICTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("rules_needless", "positive", {**LEAST, "positive": ["good"]}),
    ("rules_needless", "verdict", changed("within", "rate", base=VERDICT)),
    ("rules_needless", "rank_points", {**LEAST, "rank_points": {"first": "9", "step": "1"}}),
    ("rules_needless", "best_ratio", {**LEAST, "best_ratio": {"times": "600"}}),
    ("rules_needless", "denominator", {**LEAST, "denominator": "due", "session": {"due": 4}}),
    ("rules_needless", "trim", {**VERDICT, "trim": {"high": 1}}),
    ("rules_needless", "bands", {**VERDICT, "bands": [{"value": "1"}]}),
    ("rules_needless", "grades", {**VERDICT, "grades": [{"grade": "a"}]}),
    ("rules_needless", "after[0]", {**VERDICT, "after": [{"kind": "cap", "value": "1"}]}),
    (
        "rules_needless",
        "ballot.quota[0].below",
        {**LEAST, "ballot": {"quota": [{"below": "1", "at_least": "2", "most": 1}]}},
    ),
    ("rules_key_missing", "positive", changed("positive", DROP, base=RATE)),
    ("rules_key_missing", "verdict", changed("verdict", DROP, base=VERDICT)),
    ("rules_key_missing", "rank_points", {**LEAST, "within": "rank_points"}),
    ("rules_key_missing", "session.members", changed("session", DROP, base=VERDICT)),
    ("rules_key_missing", "session.members", changed("session", "members", 0, base=VERDICT)),
    ("rules_key_missing", "session.present", changed("session", "present", DROP, base=RATE)),
    (
        "rules_key_missing",
        "verdict[0].compare",
        changed("verdict", 0, "compare", DROP, base=VERDICT),
    ),
    (
        "rules_key_missing",
        "verdict[0].positive",
        changed("verdict", 0, "positive", DROP, base=VERDICT),
    ),
    (
        "rules_key_missing",
        "session.quorum.compare",
        changed("session", "quorum", "compare", DROP, base=RATE),
    ),
    (
        "rules_key_missing",
        "ballot.quota[0].most",
        {**LEAST, "ballot": {"quota": [{"below": "1"}]}},
    ),
    (
        "rules_key_missing",
        "scale.labels[0].points",
        changed("ballot", {"void_all_full": True}, base=VERDICT),
    ),
    (
        "rules_key_missing",
        "composite[1].weight",
        changed("composite", 1, "weight", DROP, base=COMPOSITE),
    ),
    (
        "rules_range",
        "ballot.quota[0].least",
        {**LEAST, "ballot": {"quota": [{"below": "1", "most": 1, "least": 2}]}},
    ),
    ("rules_range", "after[0].value", changed("after", 0, "value", "0", base=RATE)),
    ("rules_range", "rank_points.step", {**POINTS, "rank_points": {"first": "9", "step": "-1"}}),
    ("rules_label_unknown", "positive[0]", changed("positive", ["excellent"], base=RATE)),
    (
        "rules_label_unknown",
        "bands[2].when.of[1]",
        changed("bands", 2, "when", "of", 1, "x", base=RATE),
    ),
    (
        "rules_label_unknown",
        "verdict[0].positive[0]",
        changed("verdict", 0, "positive", ["x"], base=VERDICT),
    ),
    ("rules_grade_unknown", "after[4].grade", changed("after", 4, "grade", "good", base=RATE)),
    ("rules_grade_unknown", "quota[0].grade", changed("quota", 0, "grade", "good", base=RATE)),
    ("rules_grade_unknown", "quota[0].falls_to", changed("quota", 0, "falls_to", "x", base=RATE)),
    (
        "rules_grade_unknown",
        "after[0].grade",
        {**LEAST, "after": [{"kind": "veto", "subject": "s", "grade": "poor"}]},
    ),
    *[
        ("rules_share", "verdict[0].share", changed("verdict", 0, "share", wrong, base=VERDICT))
        for wrong in ("1.5", "-0.5", "3/2", "1/0", "½", "50%", "", 0.5, 1, None, "1 / 2", "1/2/3")
    ],
    *[
        ("rules_weights_sum", "groups", changed("groups", 0, "weight", wrong))
        for wrong in ("0.5", "0.3", "0", "2")
    ],
    ("rules_weights_sum", "composite", changed("composite", 1, "weight", "0.2", base=COMPOSITE)),
    ("rules_weights_sum", "composite", changed("composite", 2, "weight", "1", base=COMPOSITE)),
    ("rules_order", "bands[1].from", changed("bands", 1, "from", "0.9", base=RATE)),
    ("rules_order", "grades[1].from", changed("grades", 1, "from", "195", base=RATE)),
    ("rules_after_last", "bands[1]", changed("bands", 0, {"value": "1"}, base=RATE)),
    ("rules_after_last", "grades[1]", changed("grades", 0, {"grade": "a"}, base=RATE)),
    ("rules_after_last", "verdict[1]", changed("verdict", 0, {"grade": "a"}, base=VERDICT)),
    ("rules_circle", "quota[0].falls_to", changed("quota", 0, "falls_to", "excellent", base=RATE)),
    (
        "rules_circle",
        "quota[1].falls_to",
        changed(
            "quota",
            [
                {"grade": "excellent", "share": "1/3", "falls_to": "fit"},
                {"grade": "fit", "share": "1/3", "falls_to": "excellent"},
            ],
            base=RATE,
        ),
    ),
    (
        "rules_duplicate",
        "quota[1].grade",
        changed("quota", [RATE["quota"][0], RATE["quota"][0]], base=RATE),
    ),
    ("rules_duplicate", "grades[1].grade", changed("grades", 1, "grade", "excellent", base=RATE)),
    ("rules_duplicate", "positive[1]", changed("positive", ["good", "good"], base=RATE)),
    (
        "rules_duplicate",
        "composite[1].channel",
        changed("composite", 1, "channel", "panel", base=COMPOSITE),
    ),
    (
        "rules_one_dimension",
        "within",
        changed("dimensions", [{"key": "a"}, {"key": "b"}], base=VERDICT),
    ),
    (
        "rules_one_dimension",
        "bands",
        changed("dimensions", [{"key": "a"}, {"key": "b"}], base=RATE),
    ),
    (
        "rules_one_group",
        "denominator",
        {**RATE, "groups": [{"key": "a", "weight": "0.5"}, {"key": "b", "weight": "0.5"}]},
    ),
    ("rules_labels_needed", "within", changed("scale", NUMBER, base=RATE)),
    ("rules_choice", "after[0].kind", changed("after", 0, "kind", "gift", base=RATE)),
    ("rules_choice", "session.quorum.of", changed("session", "quorum", "of", "issued", base=RATE)),
    ("rules_choice", "ties[0]", changed("ties", ["highest_mark"], base=COMPOSITE)),
    ("rules_tie_unknown", "ties[0]", changed("ties", ["channel:tv"], base=COMPOSITE)),
    ("rules_key_unknown", "after[2].grade", changed("after", 2, "grade", "fit", base=RATE)),
    (
        "rules_key_unknown",
        "composite[0].rules.composite",
        changed("composite", 0, "rules", COMPOSITE, base=COMPOSITE),
    ),
    ("rules_key_unknown", "scale", {**COMPOSITE, "scale": NUMBER}),
    (
        "rules_needless",
        "composite[0].rules.verdict",
        changed("composite", 0, "rules", VERDICT, base=COMPOSITE),
    ),
    (
        "rules_choice",
        "composite[0].rules.version",
        changed("composite", 0, "rules", {**LEAST, "version": 2}, base=COMPOSITE),
    ),
    (
        "rules_type",
        "composite[0].rules.version",
        changed("composite", 0, "rules", {**LEAST, "version": 1.0}, base=COMPOSITE),
    ),
    (
        "rules_range",
        "composite[0].rules.scale.max",
        changed("composite", 0, "rules", "scale", "max", "0", base=COMPOSITE),
    ),
]


@pytest.mark.parametrize(("code", "path", "document"), CONTRADICTIONS)
def test_contradictions(code: str, path: str, document: dict[str, Any]) -> None:
    with pytest.raises(RulesInvalid) as caught:
        parse_rule_set(document)
    assert (caught.value.code, caught.value.path) == (code, path)


OTHERS: list[tuple[str, str, dict[str, Any]]] = [
    ("rules_type", "version", changed("version", "1")),
    ("rules_type", "version", changed("version", True)),
    ("rules_type", "version", changed("version", 1.0)),
    ("rules_choice", "version", changed("version", 2)),
    ("rules_type", "ballot.void_all_equal", changed("ballot", "void_all_equal", 0)),
    ("rules_type", "ballot.void_all_full", changed("ballot", "void_all_full", None)),
    ("rules_range", "scale.max", changed("scale", "max", "0")),
    ("rules_range", "scale.max", changed("scale", "max", "-1")),
    ("rules_range", "scale.step", changed("scale", "step", "0")),
    ("rules_range", "scale.step", changed("scale", "step", "-0.5")),
    ("rules_range", "groups[1].weight", changed("groups", 1, "weight", "-0.1")),
    ("rules_weights_zero", "groups", changed("groups", [{"key": "a", "weight": "0"}])),
    ("rules_duplicate", "dimensions[1].key", changed("dimensions", 1, "key", "skating")),
    ("rules_duplicate", "groups[1].key", changed("groups", 1, "key", "deputies")),
    (
        "rules_duplicate",
        "dimensions[1].scale.labels[2].key",
        changed("dimensions", 1, "scale", "labels", 2, "key", "good"),
    ),
    ("rules_duplicate", "ties[1]", changed("ties", ["office_order", "office_order"])),
    *[
        (
            "rules_key_reserved",
            "dimensions[1].scale.labels[0].key",
            changed("dimensions", 1, "scale", "labels", 0, "key", word),
        )
        for word in ("abstain", "dont_know", "void")
    ],
    ("rules_trim_leaves_none", "trim.from", changed("trim", "from", 3)),
    ("rules_trim_leaves_none", "trim.from", changed("trim", "from", 0)),
    ("rules_choice", "ties", changed("ties", "highest_mark")),
    ("rules_choice", "ties[0]", changed("ties", ["lowest_mark"])),
    ("rules_type", "ties[1]", changed("ties", ["highest_mark", 1])),
    ("rules_tie_unknown", "ties[0]", changed("ties", ["dimension:dancing"])),
    ("rules_tie_unknown", "ties[0]", changed("ties", ["dimension:"])),
    ("rules_key_unknown", "scale.labels", changed("scale", "labels", [])),
    ("rules_key_unknown", "dimensions[1].scale.min", changed("dimensions", 1, "scale", "min", "0")),
]


@pytest.mark.parametrize(("code", "path", "document"), OTHERS)
def test_other_refusals(code: str, path: str, document: dict[str, Any]) -> None:
    error = refusal(document)
    assert (error.code, error.path) == (code, path)


def test_a_key_that_is_no_string() -> None:
    assert refusal(dict([*FULL.items(), (7, 1)])).code == "rules_key_unknown"


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("rules_not_utf8", b'{"version":\xff}'),
        ("rules_not_utf8", '{"version":1}'.encode("utf-16")),
        ("rules_not_json", b""),
        ("rules_not_json", b"subject,rater,group,dimension,value\n"),
        ("rules_not_json", b'{"version":1,}'),
        ("rules_not_json", b'{"version":NaN}'),
        ("rules_not_json", b'{"version":-Infinity}'),
        ("rules_not_json", b'{"version":' + b"1" * 5000 + b"}"),
        ("rules_not_json", b"[" * 100_000),
        ("rules_not_object", b"[]"),
        ("rules_key_twice", b'{"version":1,"version":1}'),
        ("rules_key_twice", b'{"version":1,"scale":{"kind":"number","kind":"labels"}}'),
        ("rules_key_unknown", b'{"\\ud800":1}'),
    ],
)
def test_files_that_are_no_rules(code: str, data: bytes) -> None:
    with pytest.raises(RulesInvalid) as caught:
        read_rules(data)
    assert caught.value.code == code
    for lang in ("zh", "en"):
        caught.value.message(lang).encode()


def test_every_code_is_raised_above_and_speaks_both_languages() -> None:
    documents = [document for *_, document in OTHERS]
    documents += [changed("x", 1), changed("scale", 1), changed("order", "x"), changed("ties", [])]
    documents += [
        changed("version", DROP),
        changed("dimensions", 0, "key", " "),
        changed("floor", -1),
    ]
    documents += [changed("scale", "min", 1)]
    errors = [refusal(document) for document in documents] + [refusal([]), refusal(COMPOSITE)]
    for *_, document in CONTRADICTIONS:
        with pytest.raises(RulesInvalid) as caught:
            parse_rule_set(document)
        errors.append(caught.value)
    for data in (b"\xff", b"{", b'{"a":1,"a":2}'):
        with pytest.raises(RulesInvalid) as caught:
            read_rules(data)
        errors.append(caught.value)
    assert {error.code for error in errors} == set(RulesInvalid.sentences)
    for error in errors:
        assert isinstance(error, ValueError)
        assert str(error) == error.message("en")
        zh, en = error.message("zh"), error.message("en")
        assert zh.endswith("。")
        assert en.endswith(".")
        assert "\n" not in zh + en
        assert error.path in zh
        assert error.path in en


def test_a_sentence() -> None:
    error = refusal(changed("groups", 1, "weight", "-1"))
    assert error.message("en") == "“groups[1].weight” in the rules must be 0 or more."
    assert error.message("zh") == "计票规则的“groups[1].weight”应不小于 0。"
    error = refusal(changed("groups", 1, "weight", "0.5"))
    assert error.message("en") == (
        "The weights in “groups” of the rules add up to 0.9 and should add up to 1,"
        " or all be whole numbers."
    )
    assert (
        error.message("zh") == "计票规则“groups”的权重合计为 0.9，应合计为 1，或全部写成整数之比。"
    )


# Hash -------------------------------------------------------------------------------------------


def test_canonical_form_and_hash() -> None:
    document = {"version": 1, "scale": NUMBER, "dimensions": [{"key": "述法"}]}
    form = (
        '{"dimensions":[{"key":"述法"}],"scale":{"kind":"number","max":"10","min":"0",'
        '"step":"0.25"},"version":1}\n'
    ).encode()
    rules = parse_rules(document)
    assert canonical_bytes(document) == form
    assert rules.canonical == form
    assert rules_hash(rules) == hashlib.sha256(form).hexdigest()


def test_the_hash_is_of_what_is_said_not_of_how_it_is_written() -> None:
    spaced = json.dumps(FULL, indent=4, ensure_ascii=True).encode()
    turned = json.dumps(dict(reversed(FULL.items())), ensure_ascii=False).encode("utf-8-sig")
    assert rules_hash(read_rules(spaced)) == rules_hash(parse_rules(FULL))
    assert rules_hash(read_rules(turned)) == rules_hash(parse_rules(FULL))
    other = changed("scale", "step", "0.250")
    assert rules_hash(parse_rules(other)) != rules_hash(parse_rules(FULL))


def test_the_document_may_change_afterwards() -> None:
    document = copy.deepcopy(FULL)
    rules = parse_rules(document)
    before = rules_hash(rules)
    document["version"] = 2
    assert rules_hash(rules) == before


# Names -----------------------------------------------------------------------------------------


def test_names() -> None:
    assert is_key("张　三")
    assert is_key("Interpretation of the Music / Timing")
    assert not is_key("x" * 129)
    assert shown("a\nb\u200b") == "a�b�"
    assert shown("x" * 61) == "x" * 60 + "…"
    assert shown("x" * 60) == "x" * 60

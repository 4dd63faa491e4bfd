"""The rule set: what it accepts, what each missing key means, every refusal, its hash."""

import copy
import hashlib
import json
from fractions import Fraction
from typing import Any

import pytest

from server.domain.explained import shown
from server.domain.rules import (
    Dimension,
    Group,
    Label,
    LabelScale,
    NumberScale,
    Rounding,
    RulesInvalid,
    Trim,
    canonical_bytes,
    is_key,
    parse_rules,
    read_rules,
    rules_hash,
)
from tests.domain.rule_documents import DROP, FULL, LEAST, NUMBER, changed

NOT_TEXT: tuple[object, ...] = (None, True, 1, 1.5, [], {})
NOT_A_LIST: tuple[object, ...] = (None, True, 1, {})


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
    assert rules.empty_group == "zero"
    assert rules.required == "all"
    assert (rules.within, rules.across) == ("median", "mean")
    assert rules.trim == Trim(high=1, low=2, least=5, on="total")
    assert rules.rounding == Rounding("half_even", 2, 3, None, 1)
    assert rules.order == "ascending"
    assert rules.ties == ("dimension:skating", "highest_mark", "office_order")


def test_what_missing_keys_mean() -> None:
    rules = parse_rules(LEAST)
    assert rules.dimensions[0].factor == 1
    assert rules.groups == ()
    assert rules.empty_group == "renormalise"
    assert rules.required == "any"
    assert (rules.within, rules.across) == ("mean", "sum")
    assert rules.trim is None
    assert rules.rounding == Rounding("half_up", None, None, None, None)
    assert rules.order == "descending"
    assert rules.ties == ()


def test_small_defaults() -> None:
    assert parse_rules({**LEAST, "groups": [{"key": "a"}]}).groups == (Group("a", Fraction(1)),)
    assert parse_rules({**LEAST, "trim": {"high": 1, "low": 1}}).trim == Trim(1, 1, 3, "dimension")
    assert parse_rules({**LEAST, "trim": {"high": 2}}).trim == Trim(2, 0, 3, "dimension")
    assert parse_rules({**LEAST, "trim": {"high": 1, "on": "none"}}).trim is None
    assert parse_rules({**LEAST, "trim": {}}).trim is None
    assert parse_rules({**LEAST, "ballot": {}}).required == "any"
    assert parse_rules({**LEAST, "ties": "shared"}).ties == ()
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


LATER: list[tuple[str, dict[str, Any]]] = [
    ("composite", changed("composite", [])),
    ("session", changed("session", {"present": 29, "due": 45})),
    ("positive", changed("positive", ["good"])),
    ("verdict", changed("verdict", [{"grade": "basic"}])),
    ("bands", changed("bands", [{"value": "130"}])),
    ("rank_points", changed("rank_points", {"first": "200", "step": "2"})),
    ("best_ratio", changed("best_ratio", {"times": "600"})),
    ("after", changed("after", [])),
    ("grades", changed("grades", [])),
    ("quota", changed("quota", [])),
    ("ballot.quota", changed("ballot", "quota", [{"at_least": "90", "most": 3}])),
    ("ballot.void_all_equal", changed("ballot", "void_all_equal", True)),
    ("ballot.void_all_full", changed("ballot", "void_all_full", True)),
    ("floor", changed("floor", 1)),
    *[("denominator", changed("denominator", value)) for value in ("present", "due", "members")],
    *[
        ("within", changed("within", value))
        for value in ("rate", "verdict", "rank_points", "best_ratio")
    ],
]


@pytest.mark.parametrize(("path", "document"), LATER)
def test_what_comes_later_is_refused_and_says_so(path: str, document: dict[str, Any]) -> None:
    error = refusal(document)
    assert (error.code, error.path) == ("rules_key_later", path)
    assert "not supported yet" in error.message("en")
    assert "尚不支持" in error.message("zh")


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
    ("rules_range", "dimensions[0].factor", changed("dimensions", 0, "factor", "-1")),
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
    documents = [document for _, document in LATER] + [document for *_, document in OTHERS]
    documents += [changed("x", 1), changed("scale", 1), changed("order", "x"), changed("ties", [])]
    documents += [
        changed("version", DROP),
        changed("dimensions", 0, "key", " "),
        changed("floor", -1),
    ]
    documents += [changed("scale", "min", 1)]
    errors = [refusal(document) for document in documents] + [refusal([])]
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
    error = refusal(changed("dimensions", 1, "factor", "-1"))
    assert error.message("en") == "“dimensions[1].factor” in the rules must be 0 or more."
    assert error.message("zh") == "计票规则的“dimensions[1].factor”应不小于 0。"


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

"""A panelist's ballot: what is taken, in which spelling, and every refusal with its place."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.ballots import BallotInvalid, BallotRow, rows_of
from server.domain.rule_file import parse_rules
from server.domain.rules import Rules

NUMBER = {"kind": "number", "min": "0", "max": "10", "step": "0.25"}
LABELS = {
    "kind": "labels",
    "labels": [{"key": "good", "points": "20"}, {"key": "poor", "points": "14"}],
}
SUBJECTS = ("s1", "s2", "s3")


def rules(required: str = "any", groups: tuple[str, ...] = (), **more: Any) -> Rules:
    document: dict[str, Any] = {
        "version": 1,
        "scale": NUMBER,
        "dimensions": [{"key": "duty"}, {"key": "answers", "scale": LABELS}],
        "ballot": {"required": required},
        **more,
    }
    if groups:
        document["groups"] = [{"key": key} for key in groups]
    return parse_rules(document)


ANY, ALL = rules("any"), rules("all")
EQUAL = rules(ballot={"void_all_equal": True})
FULL_MARKS = rules(ballot={"void_all_full": True})
QUOTA = rules(ballot={"quota": [{"at_least": "9", "most": 1}, {"below": "7", "least": 1}]})


def refused(
    marks: object, recused: object = (), of: Rules = ANY, subjects: tuple[str, ...] = SUBJECTS
) -> BallotInvalid:
    with pytest.raises(BallotInvalid) as caught:
        rows_of(of, subjects, marks, recused)
    return caught.value


# A panelist's ballot ----------------------------------------------------------------------------


def test_rows_stand_in_the_offices_order_whatever_was_sent_first() -> None:
    marks = {"s3": {"duty": "1"}, "s1": {"answers": "good", "duty": "7.50"}}
    assert rows_of(ANY, SUBJECTS, marks, []) == (
        BallotRow("s1", "", "", "duty", "7.5"),
        BallotRow("s1", "", "", "answers", "good"),
        BallotRow("s3", "", "", "duty", "1"),
    )
    assert rows_of(ANY, SUBJECTS, {"s1": {"duty": 1}}, [], rater="p7", group="deputies") == (
        BallotRow("s1", "p7", "deputies", "duty", "1"),
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("7.25", "7.25"),
        ("7.250", "7.25"),
        ("07", "7"),
        ("10.0", "10"),
        ("-0", "0"),
        ("0.00", "0"),
        (7, "7"),
        (0, "0"),
        (7.25, "7.25"),
        (7.0, "7"),
        (10.0, "10"),
        (Decimal("7.50"), "7.5"),
        ("abstain", "abstain"),
        ("dont_know", "dont_know"),
    ],
)
def test_one_spelling_for_each_value(value: object, text: str) -> None:
    (row,) = rows_of(ANY, SUBJECTS, {"s1": {"duty": value}}, [])
    assert row.value == text


def test_a_number_from_json_is_the_decimal_that_was_written() -> None:
    fine = parse_rules(
        {
            "version": 1,
            "scale": {"kind": "number", "min": "0", "max": "1", "step": "0.1"},
            "dimensions": [{"key": "d"}],
        }
    )
    sent = json.loads('{"s1":{"d":0.3}}')
    assert rows_of(fine, SUBJECTS, sent, [])[0].value == "0.3"
    assert refused({"s1": {"d": 0.1 + 0.2}}, of=fine).code == "value_not_number"


def test_nothing_given_gives_no_row() -> None:
    marks = {"s1": {"duty": None, "answers": ""}, "s2": {"duty": "3"}, "s3": {}}
    assert [row.subject for row in rows_of(ANY, SUBJECTS, marks, [])] == ["s2"]


def test_recusal() -> None:
    marks = {"s2": {"duty": "3"}, "s1": {}}
    assert len(rows_of(ANY, SUBJECTS, marks, ["s1", "s3"])) == 1
    assert rows_of(ANY, SUBJECTS, {}, ["s1", "s2", "s3"]) == ()
    assert rows_of(ALL, SUBJECTS, {}, ["s1", "s2", "s3"]) == ()
    assert rows_of(ANY, SUBJECTS, {}, ["s1", "s1"]) == ()
    whole = {"s2": {"duty": "3", "answers": "good"}}
    assert len(rows_of(ALL, SUBJECTS, whole, ["s1", "s3"])) == 2


def test_a_refusal_is_told_with_names_and_keeps_its_keys() -> None:
    names = {"s1": "糜知屿"}
    labels = {"duty": "履职", "answers": "答复", "good": "好", "poor": "差"}
    out = refused({"s1": {"duty": "11"}})
    assert out.told(names, labels)[0] == "述法人“糜知屿”：“11”超出维度“履职”的范围 0 至 10。"
    assert (out.subject, out.dimension) == ("s1", "duty")
    strange = refused({"s1": {"answers": "great"}})
    assert strange.told(names, labels) == (
        "述法人“糜知屿”：“great”不是维度“答复”的选项，可用：好、差。",
        "Subject “糜知屿”: “great” is not a label of dimension “答复”, which are: 好, 差.",
    )
    assert strange.told({}, {}) == (strange.message("zh"), strange.message("en"))
    assert refused({"s9": {}}).told(names, labels)[0] == "本轮没有述法人“s9”。"


def test_required_all_takes_whole_sheets_of_marks_or_of_words() -> None:
    marks = {
        "s1": {"duty": "3", "answers": "good"},
        "s2": {"duty": "abstain", "answers": "dont_know"},
    }
    assert len(rows_of(ALL, ("s1", "s2"), marks, [])) == 4


NO_MARKS: tuple[object, ...] = (None, 1, "s1", [], [{}])
NO_LISTS: tuple[object, ...] = (None, "s1", {"s1": 1}, [1], [[]])
WRONG: list[tuple[str, str | None, str | None, object, object, Rules]] = [
    ("ballot_empty", None, None, {}, [], ANY),
    ("ballot_empty", None, None, {"s1": {}, "s2": {"duty": None}}, [], ANY),
    *[("marks_type", None, None, wrong, [], ANY) for wrong in NO_MARKS],
    *[("sheet_type", "s1", None, {"s1": wrong}, [], ANY) for wrong in (None, 1, "duty", [1])],
    *[("recused_type", None, None, {}, wrong, ANY) for wrong in NO_LISTS],
    ("subject_unknown", "s9", None, {"s9": {"duty": "1"}}, [], ANY),
    ("subject_unknown", "s9", None, {"s9": {}}, [], ANY),
    ("subject_unknown", "s9", None, {"s1": {"duty": "1"}}, ["s9"], ANY),
    ("subject_unknown", "7", None, {7: {"duty": "1"}}, [], ANY),
    ("recused_marked", "s1", None, {"s1": {"duty": "1"}}, ["s1"], ANY),
    ("recused_marked", "s1", None, {"s1": {"duty": "abstain"}}, ["s1"], ANY),
    ("dimension_unknown", "s1", "dance", {"s1": {"dance": "1"}}, [], ANY),
    ("dimension_unknown", "s1", "dance", {"s1": {"dance": None}}, [], ANY),
    ("dimension_missing", "s1", "answers", {"s1": {"duty": "1"}}, ["s2", "s3"], ALL),
    ("dimension_missing", "s1", "duty", {"s1": {"duty": "", "answers": "good"}}, ["s2", "s3"], ALL),
    ("dimension_missing", "s2", "duty", {"s1": {"duty": "1", "answers": "good"}}, ["s3"], ALL),
    ("dimension_missing", "s1", "duty", {}, [], ALL),
    (
        "sheet_mixed",
        "s1",
        "duty",
        {"s1": {"duty": "abstain", "answers": "good"}},
        ["s2", "s3"],
        ALL,
    ),
    *[
        ("value_type", "s1", "duty", {"s1": {"duty": wrong}}, [], ANY)
        for wrong in (True, False, [], [7], {}, {"value": 7}, b"7")
    ],
    ("value_void", "s1", "duty", {"s1": {"duty": "void"}}, [], ANY),
    ("value_void", "s1", "answers", {"s1": {"answers": "void"}}, [], ANY),
    *[
        ("value_not_number", "s1", "duty", {"s1": {"duty": wrong}}, [], ANY)
        for wrong in ("good", "1e1", "+7", " 7", "7 ", "7.", ".5", "７", "7\n", "Abstain", "0x7")
    ],
    *[
        ("value_not_number", "s1", "duty", {"s1": {"duty": wrong}}, [], ANY)
        for wrong in (float("nan"), float("inf"), -float("inf"), 1e300, 10**5000, Decimal("sNaN"))
    ],
    *[
        ("value_out_of_range", "s1", "duty", {"s1": {"duty": wrong}}, [], ANY)
        for wrong in ("10.25", "-0.25", 11, -1, 10.5, "10.000000000001")
    ],
    *[
        ("value_off_step", "s1", "duty", {"s1": {"duty": wrong}}, [], ANY)
        for wrong in ("7.3", "0.1", 7.1, "9.999999999999")
    ],
    ("ballot_all_equal", None, None, {"s1": {"duty": "7"}, "s2": {"duty": 7.0}}, [], EQUAL),
    ("ballot_all_full", None, None, {"s1": {"duty": "10", "answers": "good"}}, [], FULL_MARKS),
    ("ballot_quota", None, None, {"s1": {"duty": "9"}, "s2": {"duty": "9.5"}}, [], QUOTA),
    ("ballot_quota", None, None, {"s1": {"duty": "9"}, "s2": {"duty": "8"}}, [], QUOTA),
    *[
        ("value_not_label", "s1", "answers", {"s1": {"answers": wrong}}, [], ANY)
        for wrong in ("20", 20, "Good", "good ", "bad")
    ],
]


@pytest.mark.parametrize(("code", "subject", "dimension", "marks", "recused", "of"), WRONG)
def test_refused_ballots(
    code: str,
    subject: str | None,
    dimension: str | None,
    marks: object,
    recused: object,
    of: Rules,
) -> None:
    error = refused(marks, recused, of)
    assert (error.code, error.subject, error.dimension) == (code, subject, dimension)
    zh, en = error.message("zh"), error.message("en")
    assert zh.endswith("。")
    assert en.endswith(".")
    assert (subject or "") in zh
    assert (dimension or "") in en


def test_every_ballot_code_occurs_above() -> None:
    assert {code for code, *_ in WRONG} == set(BallotInvalid.sentences)


def test_a_rule_about_whole_ballots_is_quoted() -> None:
    error = refused({"s1": {"duty": "9"}, "s2": {"duty": "9.5"}}, of=QUOTA)
    assert (
        error.message("en")
        == "The rules want at most 1 with a total of 9 or more; this ballot has 2."
    )
    assert error.message("zh") == "规则要求：总分在 9 以上（含）的述法人最多 1 名；这张票有 2 名。"
    error = refused({"s1": {"duty": "9"}}, of=QUOTA)
    assert (
        error.message("en") == "The rules want at least 1 with a total below 7; this ballot has 0."
    )


@pytest.mark.parametrize(
    ("of", "marks"),
    [
        (EQUAL, {"s1": {"duty": "7"}}),
        (EQUAL, {"s1": {"duty": "7"}, "s2": {"duty": "7.25"}}),
        (EQUAL, {"s1": {"duty": "7"}, "s2": {"duty": "abstain"}}),
        (FULL_MARKS, {"s1": {"duty": "10", "answers": "poor"}}),
        (FULL_MARKS, {"s1": {"duty": "abstain"}}),
        (QUOTA, {"s1": {"duty": "9"}, "s2": {"duty": "6.75"}, "s3": {"duty": "8"}}),
    ],
)
def test_ballots_that_keep_the_rules_about_whole_ballots(of: Rules, marks: object) -> None:
    assert rows_of(of, SUBJECTS, marks, [])


def test_sentences_say_where_and_what() -> None:
    error = refused({"s1": {"duty": "10.5"}})
    assert error.message("en") == (
        "Subject “s1”: “10.5” is outside the scale of dimension “duty”, 0 to 10."
    )
    assert error.message("zh") == "述法人“s1”：“10.5”超出维度“duty”的范围 0 至 10。"
    assert "0.25" in refused({"s1": {"duty": "7.3"}}).message("zh")
    assert "good, poor" in refused({"s1": {"answers": "x"}}).message("en")


def test_what_came_from_outside_cannot_break_a_sentence() -> None:
    error = refused({"s1": {"duty": "{0}\n\ud800" + "x" * 1000}})
    text = error.message("en")
    text.encode()
    assert "\n" not in text
    assert len(text) < 200


def test_a_scale_without_step_takes_every_decimal() -> None:
    free = rules(scale={"kind": "number", "min": "0", "max": "10"})
    (row,) = rows_of(free, SUBJECTS, {"s1": {"duty": "3.141592653589"}}, [])
    assert row.value == "3.141592653589"
    assert refused({"s1": {"duty": "3.1415926535897"}}, of=free).code == "value_not_number"


def test_steps_count_from_the_lower_end() -> None:
    odd = rules(scale={"kind": "number", "min": "1", "max": "10", "step": "2"})
    assert rows_of(odd, SUBJECTS, {"s1": {"duty": "9"}}, [])[0].value == "9"
    assert refused({"s1": {"duty": "4"}}, of=odd).code == "value_off_step"
    assert refused({"s1": {"duty": "10"}}, of=odd).code == "value_off_step"


VALUES = st.sampled_from([None, "", "abstain", "dont_know", "3", 4.25, "good", "poor"])


@given(st.dictionaries(st.sampled_from(["duty", "answers"]), VALUES))
def test_under_required_all_a_sheet_is_taken_exactly_when_it_is_whole(
    sheet: dict[str, object],
) -> None:
    given = [value for value in sheet.values() if value not in (None, "")]
    words = [value for value in given if value in ("abstain", "dont_know")]
    try:
        rows = rows_of(ALL, ("s1",), {"s1": sheet}, [])
    except BallotInvalid as error:
        if error.code == "dimension_missing":
            assert len(given) < 2
            assert sheet.get(error.dimension or "") in (None, "")
        if error.code == "sheet_mixed":
            assert len(words) == 1
            assert sheet[error.dimension or ""] in words
    else:
        assert len(rows) == len(given) == 2
        assert len(words) in (0, 2)

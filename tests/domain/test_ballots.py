"""Ballots: a panelist's sheet checked, the file read and written, rows against rules."""

import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.ballots import (
    COLUMNS,
    BallotFileInvalid,
    BallotInvalid,
    BallotRow,
    Reading,
    check_rows,
    decode_ballots,
    missing_marks,
    read_ballots,
    rows_of,
    write_ballots,
)
from server.domain.rules import Rules, parse_rules

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


def test_missing_marks() -> None:
    assert missing_marks(ANY, "s1", {}) == ("duty", "answers")
    assert missing_marks(ANY, "s1", {"s1": {"answers": "good"}}) == ("duty",)
    assert missing_marks(ANY, "s1", {"s1": {"answers": "good", "duty": None}}) == ("duty",)
    assert missing_marks(ANY, "s1", {"s1": {"answers": "abstain", "duty": 3}}) == ()
    assert missing_marks(ANY, "s2", {"s1": {"duty": 3}}) == ("duty", "answers")
    assert missing_marks(ANY, "s1", {"s1": None}) == ("duty", "answers")
    assert missing_marks(ANY, "s1", None) == ("duty", "answers")
    assert missing_marks(ALL, "s1", {"s1": {"duty": 3}}) == ("answers",)
    assert missing_marks(ALL, "s1", {"s1": {"duty": "", "answers": "abstain"}}) == ("duty",)
    assert missing_marks(ALL, "s1", {"s1": {"duty": "abstain", "answers": "dont_know"}}) == ()
    assert missing_marks(ALL, "s1", {"s1": {"duty": "abstain", "answers": "good"}}) == ("duty",)


VALUES = st.sampled_from([None, "", "abstain", "dont_know", "3", 4.25, "good", "poor"])


@given(st.dictionaries(st.sampled_from(["duty", "answers"]), VALUES))
def test_under_required_all_a_sheet_is_taken_exactly_when_nothing_is_missing(
    sheet: dict[str, object],
) -> None:
    try:
        rows = rows_of(ALL, ("s1",), {"s1": sheet}, [])
    except BallotInvalid as error:
        if error.code in ("dimension_missing", "sheet_mixed"):
            assert error.dimension in missing_marks(ALL, "s1", {"s1": sheet})
    else:
        assert len(rows) == 2
        assert missing_marks(ALL, "s1", {"s1": sheet}) == ()


# The file ---------------------------------------------------------------------------------------

HEADER = "subject,rater,group,dimension,value\n"


def unreadable(text: str) -> BallotFileInvalid:
    with pytest.raises(BallotFileInvalid) as caught:
        read_ballots(text)
    return caught.value


def test_reading() -> None:
    assert read_ballots(HEADER) == ()
    text = HEADER + 's1,r1,,duty,7.50\n"a, ""b""",张　三,deputies,duty,\n'
    rows = (
        BallotRow("s1", "r1", "", "duty", "7.50"),
        BallotRow('a, "b"', "张　三", "deputies", "duty", ""),
    )
    assert read_ballots(text) == rows
    assert read_ballots("\ufeff" + text) == rows
    assert read_ballots(text.replace("\n", "\r\n")) == rows
    assert read_ballots(text.rstrip("\n")) == rows
    assert read_ballots(text + "\n\r\n") == rows
    assert read_ballots("value,rater,group,dimension,subject\n7,r,g,d,s\n") == (
        BallotRow("s", "r", "g", "d", "7"),
    )


BAD_FILES: list[tuple[str, int | None, str | None, str]] = [
    ("file_empty", None, None, ""),
    ("file_empty", None, None, "\n\n"),
    *[
        ("column_missing", 1, name, ",".join(c for c in COLUMNS if c != name) + "\n")
        for name in COLUMNS
    ],
    ("column_missing", 1, "subject", HEADER.replace(",", ";")),
    ("column_missing", 1, "subject", HEADER.replace("subject", "Subject")),
    ("column_missing", 1, "subject", "s1,r1,g1,duty,7\n"),
    ("column_twice", 1, "rater", HEADER.replace("subject", "subject,rater")),
    ("column_unknown", 1, "time", HEADER.replace("value", "value,time")),
    ("column_unknown", 1, "", HEADER.replace("value", "value,")),
    ("column_later", 1, "channel", HEADER.replace("value", "value,channel")),
    ("row_width", 2, None, HEADER + "s1,r1,g1,duty\n"),
    ("row_width", 3, None, HEADER + "s1,r1,g1,duty,7\ns1,r1,g1,duty,7,8\n"),
    ("row_empty", 2, None, HEADER + "\ns1,r1,g1,duty,7\n"),
    ("row_empty", 1, None, "\n" + HEADER),
    ("row_empty", 3, None, HEADER + "s1,r1,g1,duty,7\n\n\ns1,r2,g1,duty,7\n"),
    ("not_csv", 2, None, HEADER + '"s1,r1,g1,duty,7\n'),
    ("not_csv", 3, None, HEADER + 's1,r1,g1,duty,7\n"s1"x,r1,g1,duty,7\n'),
    ("not_csv", 2, None, HEADER + "x" * 200_000 + ",r1,g1,duty,7\n"),
    ("cell_bad", 2, "subject", HEADER + ",r1,g1,duty,7\n"),
    ("cell_bad", 2, "rater", HEADER + "s1,,g1,duty,7\n"),
    ("cell_bad", 2, "dimension", HEADER + "s1,r1,g1,,7\n"),
    ("cell_bad", 3, "subject", HEADER + "s1,r1,g1,duty,7\ns1 ,r1,g1,duty,7\n"),
    ("cell_bad", 2, "value", HEADER + "s1,r1,g1,duty, 7\n"),
    ("cell_bad", 2, "group", HEADER + 's1,r1,"g\n1",duty,7\n'),
    ("cell_bad", 2, "rater", HEADER + "s1,r\u200b1,g1,duty,7\n"),
    ("cell_bad", 2, "rater", HEADER + "s1,r\x001,g1,duty,7\n"),
    ("cell_bad", 2, "rater", HEADER + "s1," + "x" * 129 + ",g1,duty,7\n"),
]


@pytest.mark.parametrize(("code", "row", "column", "text"), BAD_FILES)
def test_unreadable_files(code: str, row: int | None, column: str | None, text: str) -> None:
    error = unreadable(text)
    assert (error.code, error.row, error.column) == (code, row, column)
    assert error.message("zh").endswith("。")
    assert error.message("en").endswith(".")


def test_decoding() -> None:
    assert decode_ballots("述法\n".encode("utf-8-sig")) == "述法\n"
    for data in ("述法".encode("gb18030"), HEADER.encode("utf-16"), b"PK\x03\x04\x14\x00\x86"):
        with pytest.raises(BallotFileInvalid) as caught:
            decode_ballots(data)
        assert caught.value.code == "not_utf8"


def test_writing() -> None:
    rows = (
        BallotRow("s1", "r1", "", "duty", "7.50"),
        BallotRow('a, "b"', "张 三", "deputies", "duty", ""),
    )
    assert write_ballots(rows) == HEADER + 's1,r1,,duty,7.50\n"a, ""b""",张 三,deputies,duty,\n'
    assert write_ballots(()) == HEADER


def test_what_could_not_be_read_back_is_not_written() -> None:
    fine = BallotRow("s1", "r1", "", "duty", "7")
    with pytest.raises(BallotFileInvalid) as caught:
        write_ballots([fine, BallotRow("s1", "", "", "duty", "7")])
    assert (caught.value.row, caught.value.column) == (3, "rater")


VISIBLE = st.characters(codec="utf-8", exclude_categories=["C", "Z"])
CELL = st.text(VISIBLE | st.sampled_from(',"; \u3000=中'), min_size=1, max_size=12).filter(
    lambda text: text.strip() == text and text != ""
)
ROWS = st.lists(
    st.builds(BallotRow, CELL, CELL, CELL | st.just(""), CELL, CELL | st.just("")), max_size=8
)


@given(ROWS)
def test_written_rows_read_back(rows: list[BallotRow]) -> None:
    text = write_ballots(rows)
    assert read_ballots(text) == tuple(rows)
    assert write_ballots(read_ballots(text)) == text


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    for candidate in (text, HEADER + text):
        try:
            read_ballots(candidate)
        except BallotFileInvalid as error:
            assert error.message("zh")


# Rows against rules -----------------------------------------------------------------------------


def test_readings() -> None:
    rows = [
        BallotRow("s1", "r1", "", "duty", "7.50"),
        BallotRow("s1", "r1", "ignored", "answers", "poor"),
        BallotRow("s1", "r2", "", "duty", "void"),
        BallotRow("s1", "r2", "", "answers", ""),
    ]
    assert check_rows(ANY, rows) == (
        Reading(Fraction(15, 2), 30, None),
        Reading(Fraction(14), 14, None),
        Reading(None, 0, "void"),
        Reading(),
    )
    assert [reading.given for reading in check_rows(ANY, rows)] == [True, True, True, False]


GROUPED = rules(groups=("g1", "g2"))
BAD_ROWS: list[tuple[str, int, str | None, Rules, list[BallotRow]]] = [
    ("dimension_unknown", 2, "dimension", ANY, [BallotRow("s", "r", "", "dance", "7")]),
    ("value_not_number", 2, "value", ANY, [BallotRow("s", "r", "", "duty", "good")]),
    ("value_out_of_range", 2, "value", ANY, [BallotRow("s", "r", "", "duty", "10.5")]),
    ("value_off_step", 2, "value", ANY, [BallotRow("s", "r", "", "duty", "1.1")]),
    ("value_not_label", 2, "value", ANY, [BallotRow("s", "r", "", "answers", "7")]),
    ("group_unknown", 2, "group", GROUPED, [BallotRow("s", "r", "g3", "duty", "7")]),
    ("group_unknown", 2, "group", GROUPED, [BallotRow("s", "r", "", "duty", "7")]),
    (
        "rater_in_two_groups",
        3,
        "group",
        GROUPED,
        [BallotRow("s", "r", "g1", "duty", "7"), BallotRow("t", "r", "g2", "duty", "7")],
    ),
    (
        "row_twice",
        4,
        None,
        ANY,
        [
            BallotRow("s", "r", "", "duty", "7"),
            BallotRow("s", "q", "", "duty", "7"),
            BallotRow("s", "r", "", "duty", "7"),
        ],
    ),
    (
        "row_twice",
        3,
        None,
        ANY,
        [BallotRow("s", "r", "", "duty", ""), BallotRow("s", "r", "x", "duty", "7")],
    ),
]


@pytest.mark.parametrize(("code", "row", "column", "of", "rows"), BAD_ROWS)
def test_rows_that_do_not_fit(
    code: str, row: int, column: str | None, of: Rules, rows: list[BallotRow]
) -> None:
    with pytest.raises(BallotFileInvalid) as caught:
        check_rows(of, rows)
    error = caught.value
    assert (error.code, error.row, error.column) == (code, row, column)
    assert f"第 {row} 行" in error.message("zh")
    assert f"ow {row}" in error.message("en")


def test_every_file_code_occurs_above() -> None:
    codes = {code for code, *_ in BAD_FILES} | {code for code, *_ in BAD_ROWS} | {"not_utf8"}
    assert codes == set(BallotFileInvalid.sentences)


def test_the_earlier_row_is_named() -> None:
    row = BallotRow("s", "r", "", "duty", "7")
    with pytest.raises(BallotFileInvalid) as caught:
        check_rows(ANY, [row, row])
    assert caught.value.message("en") == (
        "Row 3 repeats row 2: the same subject, rater and dimension."
    )


def test_a_sheet_survives_the_way_through_the_file() -> None:
    marks = {"s1": {"duty": 7.5, "answers": "good"}, "s2": {"duty": "abstain"}}
    make: Callable[..., tuple[BallotRow, ...]] = rows_of
    rows = make(ANY, SUBJECTS, marks, ["s3"], rater="p1", group="deputies")
    assert read_ballots(decode_ballots(write_ballots(rows).encode())) == rows
    assert [reading.points for reading in check_rows(ANY, rows)] == [Fraction(15, 2), 20, None]

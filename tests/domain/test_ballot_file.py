"""BALLOTS.csv: read and written, every refusal with its row, and its rows held against rules."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.ballot_file import (
    COLUMNS,
    BallotFileInvalid,
    decode_ballots,
    read_ballots,
    write_ballots,
)
from server.domain.ballots import BallotRow, rows_of
from server.domain.count import SubjectCount, count_ballots, numbered
from server.domain.rules import Rules
from tests.domain.test_ballots import ANY, SUBJECTS, rules

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
    ("column_unknown", 1, "channel", HEADER.replace("value", "value,channel")),
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
    st.builds(
        BallotRow, CELL, CELL, CELL | st.just(""), CELL, CELL | st.just(""), channel=st.just("")
    ),
    max_size=8,
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


def counted(of: Rules, rows: list[BallotRow]) -> Mapping[str, SubjectCount]:
    return count_ballots(of, lambda: numbered(rows))


def test_readings() -> None:
    rows = [
        BallotRow("s1", "r1", "", "duty", "7.50"),
        BallotRow("s1", "r1", "ignored", "answers", "poor"),
        BallotRow("s1", "r2", "", "duty", "void"),
        BallotRow("s1", "r2", "", "answers", ""),
        BallotRow("s1", "r3", "", "duty", "dont_know"),
        BallotRow("s1", "r4", "", "duty", ""),
    ]
    count = counted(ANY, rows)["s1"]
    assert count.groups[""].marks == {"duty": {"7.5": 1}, "answers": {"poor": 1}}
    assert (count.valid, count.abstain, count.dont_know, count.void) == (1, 0, 1, 1)


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
        counted(of, rows)
    error = caught.value
    assert (error.code, error.row, error.column) == (code, row, column)
    assert f"第 {row} 行" in error.message("zh")
    assert f"ow {row}" in error.message("en")


def test_every_file_code_occurs_above() -> None:
    codes = (
        {code for code, *_ in BAD_FILES}
        | {code for code, *_ in BAD_ROWS}
        | {"not_utf8", "channel_unknown"}
    )
    assert codes == set(BallotFileInvalid.sentences)


def test_the_earlier_row_is_named() -> None:
    row = BallotRow("s", "r", "", "duty", "7")
    with pytest.raises(BallotFileInvalid) as caught:
        counted(ANY, [row, row])
    assert caught.value.message("en") == (
        "Row 3 repeats row 2: the same subject, rater and dimension."
    )


def test_a_sheet_survives_the_way_through_the_file() -> None:
    marks = {"s1": {"duty": 7.5, "answers": "good"}, "s2": {"duty": "abstain"}}
    make: Callable[..., tuple[BallotRow, ...]] = rows_of
    rows = make(ANY, SUBJECTS, marks, ["s3"], rater="p1", group="deputies")
    assert read_ballots(decode_ballots(write_ballots(rows).encode())) == rows
    count = counted(ANY, list(rows))
    assert count["s1"].groups[""].marks == {"duty": {"7.5": 1}, "answers": {"good": 1}}
    assert count["s2"].abstain == 1

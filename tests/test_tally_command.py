"""`pingyi tally`: exit status, the result's bytes on stdout, one sentence on stderr."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from server.tally_command import run

RULES: dict[str, Any] = {
    "version": 1,
    "scale": {"kind": "number", "min": "0", "max": "10", "step": "0.5"},
    "dimensions": [{"key": "履职"}, {"key": "答复", "factor": "0.5"}],
    "groups": [{"key": "g", "weight": "1"}, {"key": "h", "weight": "1"}],
    "rounding": {"mode": "half_up", "dimension": 2, "weighted": 2, "group": None, "total": 2},
}
HEADER = "subject,rater,group,dimension,value\n"
BALLOTS = HEADER + "s1,r1,g,履职,8\ns1,r1,g,答复,7\ns1,r2,h,履职,9.5\ns2,r1,g,履职,abstain\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    rules, ballots = tmp_path / "RULES.json", tmp_path / "BALLOTS.csv"
    rules.write_text(json.dumps(RULES), encoding="utf-8")
    ballots.write_text(BALLOTS, encoding="utf-8")
    return rules, ballots


def ran(rules: Path | str, ballots: Path | str, lang: Any = "en") -> tuple[int, bytes, str]:
    out, err = io.BytesIO(), io.StringIO()
    return run(rules, ballots, out, err, lang), out.getvalue(), err.getvalue()


def assert_one_sentence(err: str) -> None:
    assert err.endswith(("\n",))
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_done(files: tuple[Path, Path]) -> None:
    """s1: g 8 + 3.5 = 11.5, h 9.5: total 10.5."""
    status, out, err = ran(*files)
    assert (status, err) == (0, "")
    result = json.loads(out)
    assert [(one["subject"], one["total"], one["rank"]) for one in result["subjects"]] == [
        ("s1", "10.50", 1),
        ("s2", None, None),
    ]
    assert result["subjects"][1]["ballots"]["abstain"] == 1
    assert ran(*files)[1] == out
    assert out.endswith(b"}\n")
    assert out.count(b"\n") == 1


def test_paths_may_be_text(files: tuple[Path, Path]) -> None:
    assert ran(str(files[0]), str(files[1])) == ran(*files)


def test_byte_order_marks_and_windows_lines(files: tuple[Path, Path]) -> None:
    before = json.loads(ran(*files)[1])
    files[0].write_bytes(b"\xef\xbb\xbf" + files[0].read_bytes())
    files[1].write_bytes(b"\xef\xbb\xbf" + BALLOTS.replace("\n", "\r\n").encode())
    after = json.loads(ran(*files)[1])
    assert after["subjects"] == before["subjects"]
    assert after["rules_hash"] == before["rules_hash"]
    assert after["ballots_hash"] != before["ballots_hash"]


WORKBOOK = b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\x86\xd2\x9c"
BAD_BALLOTS: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (WORKBOOK, "not UTF-8"),
    (BALLOTS.encode("gb18030"), "not UTF-8"),
    (BALLOTS.encode("utf-16"), "not UTF-8"),
    (json.dumps(RULES).encode(), "lack the column"),
    (HEADER.replace(",", "\t").encode(), "lack the column “subject”"),
    (b"subject,rater,dimension,value\n", "lack the column “group”"),
    (HEADER.replace("value", "value,channel").encode(), "unknown column “channel”"),
    (HEADER.replace("value", "value,seat").encode(), "unknown column “seat”"),
    ((HEADER + "s1,r1,g,唱歌,8\n").encode(), "Row 2: the rules have no dimension “唱歌”"),
    ((HEADER + "s1,r1,k,履职,8\n").encode(), "Row 2: the rules have no group “k”"),
    ((HEADER + "s1,r1,g,履职,8.2\n").encode(), "in steps of 0.5"),
    ((HEADER + "s1,r1,g,履职,11\n").encode(), "0 to 10"),
    ((HEADER + "s1,r1,g,履职,good\n").encode(), "is not a number"),
    ((HEADER + "s1,r1,g,履职,8\ns1,r1,g,履职,8\n").encode(), "Row 3 repeats row 2"),
    ((HEADER + "s1,r1,g,履职,8\ns2,r1,h,履职,8\n").encode(), "was in group “g” before"),
    ((HEADER + "s1,r1,g,履职\n").encode(), "Row 2 of the ballots has 4 cells"),
    ((HEADER + ",r1,g,履职,8\n").encode(), "Row 2, column “subject”"),
    ((HEADER + '"s1,r1,g,履职,8\n').encode(), "not valid CSV"),
]


@pytest.mark.parametrize(("data", "words"), BAD_BALLOTS)
def test_ballots_that_are_refused(files: tuple[Path, Path], data: bytes, words: str) -> None:
    files[1].write_bytes(data)
    status, out, err = ran(*files)
    assert (status, out) == (1, b"")
    assert words in err
    assert_one_sentence(err)


BAD_RULES: list[tuple[bytes, str]] = [
    (b"", "not valid JSON"),
    (BALLOTS.encode(), "not valid JSON: something is wrong at line 1"),
    (WORKBOOK, "not UTF-8"),
    (b"[1]", "one JSON object"),
    (b'{"version":1,"version":1}', "gives “version” twice"),
    (json.dumps({**RULES, "colour": "red"}).encode(), "know no “colour”"),
    (json.dumps({**RULES, "grades": []}).encode(), "“grades” in the rules may not be empty"),
    (json.dumps({**RULES, "within": "verdict"}).encode(), "needs a scale of labels"),
    (json.dumps({**RULES, "dimensions": [{"key": "a", "factor": 1}]}).encode(), "[0].factor"),
]


@pytest.mark.parametrize(("data", "words"), BAD_RULES)
def test_rules_that_are_refused(files: tuple[Path, Path], data: bytes, words: str) -> None:
    files[0].write_bytes(data)
    status, out, err = ran(*files)
    assert (status, out) == (1, b"")
    assert words in err
    assert_one_sentence(err)


def test_the_rules_refuse_the_tally(files: tuple[Path, Path]) -> None:
    files[0].write_text(json.dumps({**RULES, "empty_group": "refuse"}), encoding="utf-8")
    status, out, err = ran(*files)
    assert (status, out) == (1, b"")
    assert "Group “g” gave subject “s2” no mark" in err
    assert_one_sentence(err)


def test_sentences_in_chinese(files: tuple[Path, Path]) -> None:
    files[1].write_text(HEADER + "s1,r1,g,履职,11\n", encoding="utf-8")
    assert ran(*files, lang="zh")[2] == "票表第 2 行：“11”超出维度“履职”的范围 0 至 10。\n"


@pytest.mark.parametrize("which", [0, 1])
def test_files_that_cannot_be_read(files: tuple[Path, Path], which: int, tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path, "a\x00b", "line\nbreak"):
        paths: list[Path | str] = [*files]
        paths[which] = path
        status, out, err = ran(paths[0], paths[1])
        assert (status, out) == (2, b"")
        assert "cannot be read" in err
        assert_one_sentence(err)
        zh = ran(paths[0], paths[1], lang="zh")[2]
        assert "无法读取" in zh


class _Closed(io.BytesIO):
    def write(self, data: Any) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_reader_that_went_away(files: tuple[Path, Path]) -> None:
    err = io.StringIO()
    assert run(*files, _Closed(), err) == 1
    assert err.getvalue() == "The result cannot be written: Broken pipe.\n"

"""Headers, values and rows on their way into the one normal form."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime

import pytest

from moderation.intake.cells import (
    CELL_MAX,
    SHANGHAI,
    Cell,
    clean_cell,
    parse_count,
    parse_moment,
    split_path,
    split_tags,
)
from moderation.intake.columns import ALIASES, SECOND_CHOICES, match_columns
from moderation.intake.normal_form import IncomingItem, item_from_row, settle_repeats
from moderation.intake.refusals import ROW_REFUSALS, FileRefused, RowRefusal


def item(
    row: int = 2, external_id: str = "QX1", content: str = "一行", day: int = 0
) -> IncomingItem:
    accepted_at = datetime(2019, 3, day, tzinfo=SHANGHAI) if day else None
    return IncomingItem(row, external_id, content, accepted_at=accepted_at)


class TestColumns:
    @pytest.mark.parametrize("canonical", ALIASES)
    def test_every_alias_and_the_name_itself(self, canonical: str) -> None:
        for header in (canonical, canonical.upper(), *ALIASES[canonical]):
            columns = match_columns([header, "content" if canonical != "content" else "x"])
            assert columns.meanings[0] == canonical

    @pytest.mark.parametrize("header", SECOND_CHOICES)
    def test_second_choices_speak_only_when_nobody_else_does(self, header: str) -> None:
        canonical = SECOND_CHOICES[header]
        other = "title" if canonical == "content" else "content"
        assert match_columns([header, other]).meanings == (canonical, other)
        assert match_columns([header, canonical, other]).meanings[0] is None

    @pytest.mark.parametrize(
        "header", ["\ufeff工单编号", " 工单 编号\r\n", "工单编号_x000D_", "Record_Number", "ＩＤ"]
    )
    def test_headers_are_compared_without_dirt(self, header: str) -> None:
        assert match_columns([header, "主要内容"]).meanings[0] == "external_id"

    def test_the_path_parts_are_canonical_names_of_item_fields(self) -> None:
        names = {each.name for each in fields(IncomingItem)}
        assert set(ALIASES) - names == {"category_major", "category_minor"}
        assert names - set(ALIASES) == {"row", "extra"}

    def test_nameless_and_repeated_unknown_columns_are_kept(self) -> None:
        columns = match_columns(["主要内容", "备注", "", "备注", None])
        assert columns.headers == ("主要内容", "备注", "第3列", "备注 (2)")

    def test_two_columns_with_one_meaning(self) -> None:
        with pytest.raises(FileRefused) as caught:
            match_columns(["主要内容", "受理部门", "承办单位"])
        assert caught.value.detail == {
            "columns": ["受理部门", "承办单位"],
            "name": "agency",
            "headers": ["主要内容", "受理部门", "承办单位"],
            "meanings": ["content", "agency", "agency"],
        }
        assert match_columns(
            ["主要内容", "受理部门", "承办单位"], {"承办单位": "agency"}
        ).meanings == ("content", None, "agency")

    def test_a_mapping_must_fit(self) -> None:
        with pytest.raises(FileRefused, match=r"no canonical name"):
            match_columns(["主要内容"], {"主要内容": "contents"})
        with pytest.raises(FileRefused, match=r"not among the headers"):
            match_columns(["主要内容"], {"正文": "content"})
        with pytest.raises(FileRefused) as caught:
            match_columns(["主要内容"], {"主要内容": None})
        assert caught.value.code == "content_column_missing"


class TestValues:
    @pytest.mark.parametrize(
        ("cell", "text"),
        [
            ("\n\t\t\t 路灯_x000D_\n不亮\t", "路灯\n不亮"),
            ("写作_x005F_x000D_", "写作_x000D_"),
            ("\ufeff甲\u202e乙\u2066丙\u0007丁", "甲乙丙丁"),
            ("e\u0301", "é"),
            (188006.0, "188006"),
            (0.5, "0.5"),
            (True, "TRUE"),
            (None, ""),
            (date(2019, 2, 28), "2019-02-28"),
            (datetime(2019, 2, 28, 1, 2, 3), "2019-02-28 01:02:03"),
        ],
    )
    def test_clean_cell(self, cell: Cell, text: str) -> None:
        assert clean_cell(cell) == text

    @pytest.mark.parametrize(
        "cell",
        [
            "2019/2/28 11:25:05",
            "2019-02-28 11:25:05",
            "２０１９－０２－２８　１１：２５：０５",
            "2019年2月28日 11时25分05秒",
            "2019年2月28日11:25:05",
            "2019.2.28 11:25:05.4",
            "20190228112505",
            "2019-02-28T11:25:05+08:00",
            "2019-02-28T03:25:05Z",
            "\n2019/2/28 11:25:05_x000D_\n".replace("_x000D_", ""),
            datetime(2019, 2, 28, 11, 25, 5),
            datetime(2019, 2, 28, 11, 25, 4, 600_000),
            datetime(2019, 2, 28, 3, 25, 5, tzinfo=UTC),
            43524.475752314815,
        ],
    )
    def test_one_moment_many_ways(self, cell: Cell) -> None:
        moment = parse_moment(cell)
        assert moment == datetime(2019, 2, 28, 11, 25, 5, tzinfo=SHANGHAI)
        assert moment.tzname() == "Asia/Shanghai"

    @pytest.mark.parametrize("cell", ["2019-02-28", "2019/2/28", "20190228", 20190228.0, 43524])
    def test_a_bare_date_is_midnight(self, cell: Cell) -> None:
        assert parse_moment(cell) == datetime(2019, 2, 28, tzinfo=SHANGHAI)

    @pytest.mark.parametrize("cell", [None, "", " ", "-", "——", "／", "无", "NULL"])
    def test_no_moment(self, cell: Cell) -> None:
        assert parse_moment(cell) is None

    @pytest.mark.parametrize(
        "cell",
        [
            "2019/2/30",
            "昨天",
            "43524",
            "2019-13-01",
            "1900-01-01",
            "9999-12-31",
            True,
            1e300,
            "28/2/2019",
        ],
    )
    def test_not_a_moment(self, cell: Cell) -> None:
        with pytest.raises(ValueError, match=r"date|year|month|day|hour"):
            parse_moment(cell)

    @pytest.mark.parametrize(
        ("cell", "count"), [("", 0), (None, 0), (3.0, 3), ("1,234", 1234), ("１２", 12), ("-", 0)]
    )
    def test_counts(self, cell: Cell, count: int) -> None:
        assert parse_count(cell) == count

    @pytest.mark.parametrize("cell", ["-3", "3.5", "三", "1,23", 10**12, "9" * 400, True])
    def test_not_counts(self, cell: Cell) -> None:
        with pytest.raises(ValueError, match=r"not a count|too large"):
            parse_count(cell)

    def test_paths_and_tags(self) -> None:
        assert split_path("1.城乡建设>施工管理->3、扰民") == ("城乡建设", "施工管理", "扰民")
        assert split_path("") == ()
        assert split_tags("营商环境，每月一题, 营商环境") == ("营商环境", "每月一题")


class TestRows:
    COLUMNS = match_columns(
        ["工单编号", "主要内容", "受理时间", "点赞数", "办结时限", "事项大类", "事项小类", "旧号"]
    )

    def row(self, **cells: Cell) -> IncomingItem | RowRefusal:
        known: dict[str, Cell] = {"external_id": "QX1", "content": "一行"}
        known |= cells
        names = (*self.COLUMNS.meanings[:-1], "extra")
        return item_from_row(7, [known.get(name or "") for name in names], self.COLUMNS)

    def test_a_full_row(self) -> None:
        got = self.row(
            accepted_at="2019/3/1",
            likes=2,
            category_major="1.城乡建设",
            category_minor="施工管理",
            due_at="5个工作日",
            extra="甲7",
        )
        assert got == IncomingItem(
            row=0,
            external_id="QX1",
            content="一行",
            accepted_at=datetime(2019, 3, 1, tzinfo=SHANGHAI),
            likes=2,
            category_path=("城乡建设", "施工管理"),
            extra={"旧号": "甲7", "办结时限": "5个工作日"},
        )

    @pytest.mark.parametrize(
        ("name", "cell", "column", "code"),
        [
            ("external_id", " ", "工单编号", "external_id_missing"),
            ("external_id", "Q" * 129, "工单编号", "external_id_too_long"),
            ("external_id", 2.0190228112505124e16, "工单编号", "external_id_rounded"),
            ("external_id", "2.01902E+16", "工单编号", "external_id_rounded"),
            ("content", "\u200b\n", "主要内容", "content_missing"),
            ("content", "字" * 20_001, "主要内容", "content_too_long"),
            ("accepted_at", "昨天", "受理时间", "date_invalid"),
            ("likes", "许多", "点赞数", "count_invalid"),
            ("extra", "字" * (CELL_MAX + 1), "旧号", "cell_too_long"),
        ],
    )
    def test_refusals(self, name: str, cell: Cell, column: str, code: str) -> None:
        refusal = self.row(**{name: cell})
        assert refusal == RowRefusal(7, column, code)
        assert (refusal.zh, refusal.en) == ROW_REFUSALS[code]

    def test_limits_are_inside(self) -> None:
        assert isinstance(self.row(content="字" * 20_000), IncomingItem)
        assert isinstance(self.row(content="字"), IncomingItem)


class TestRepeats:
    def test_the_same_words_count_once(self) -> None:
        kept, repeats = settle_repeats([item(2), item(3)])
        assert [entry.row for entry in kept] == [3]
        assert [(each.row, each.kept_row) for each in repeats] == [(2, 3)]

    def test_the_newer_wins_wherever_it_stands(self) -> None:
        newer, older = item(2, content="新", day=5), item(3, content="旧", day=4)
        kept, repeats = settle_repeats([newer, older], "工单编号")
        assert kept == (newer, RowRefusal(3, "工单编号", "row_repeated", 2))
        assert repeats == ()
        assert isinstance(kept[1], RowRefusal)
        assert "第 2 行" in kept[1].zh
        assert "row 2" in kept[1].en

    def test_without_times_the_later_row_wins(self) -> None:
        kept, repeats = settle_repeats([item(2), item(3, content="甲"), item(4, content="乙")])
        assert [getattr(entry, "kept_row", None) for entry in kept] == [4, 4, None]
        assert repeats == ()

    def test_a_refused_row_displaces_nobody(self) -> None:
        refusal = RowRefusal(3, None, "content_missing")
        assert settle_repeats([item(2), refusal]) == ((item(2), refusal), ())

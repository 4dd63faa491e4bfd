"""Hotline files: every row is in, gave way to a twin, or is refused with row, column and reason."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from moderation.intake import hotline_file, workbook
from moderation.intake.cells import SHANGHAI
from moderation.intake.hotline_file import HotlineFile, read_hotline_bytes, read_hotline_file
from moderation.intake.normal_form import IncomingItem
from moderation.intake.refusals import FileRefused, RowRefusal
from tests.moderation import dirty_files
from tests.moderation.dirty_files import csv_bytes, raw_xlsx_bytes, xls_bytes, xlsx_bytes
from tests.real_data import real_data

SMALL = [("工单编号", "主要内容"), ("QX1", "一行")]


def items_of(file: HotlineFile) -> list[IncomingItem]:
    return [entry for entry in file.items if isinstance(entry, IncomingItem)]


def code_of(data: bytes, mapping: dict[str, str | None] | None = None) -> str:
    with pytest.raises(FileRefused) as caught:
        read_hotline_bytes(data, mapping)
    assert caught.value.zh
    assert caught.value.en
    return caught.value.code


TWINS = {
    "utf-8": csv_bytes(),
    "utf-8 with a mark": csv_bytes(encoding="utf-8-sig"),
    "gb18030": csv_bytes(encoding="gb18030"),
    "utf-16": csv_bytes(encoding="utf-16"),
    "tabs": csv_bytes(delimiter="\t"),
    "semicolons": csv_bytes(delimiter=";"),
    "xlsx": xlsx_bytes(),
}


class TestTwins:
    @pytest.mark.parametrize("name", TWINS)
    def test_every_format_says_the_same(self, name: str) -> None:
        first, twin = read_hotline_bytes(TWINS["utf-8"]), read_hotline_bytes(TWINS[name])
        assert twin.items == first.items
        assert twin.repeats == first.repeats
        assert [entry.row for entry in twin.items] == [entry.row for entry in first.items]

    def test_gbk_without_the_invisible_row(self) -> None:
        table = [row for row in dirty_files.TABLE if row[0] != "QX0004"]
        file = read_hotline_bytes(csv_bytes(table, "gbk"))
        assert file.encoding == "gb18030"
        assert file.items == read_hotline_bytes(csv_bytes(table)).items

    def test_xls(self) -> None:
        table: dirty_files.Table = [
            ("工单编号", "主要内容", "受理时间", "点赞数"),
            ("QX1", "路灯_x000D_\n不亮", datetime(2019, 2, 28, 11, 25, 5), 3),
            ("QX2", "噪声", "2019/3/1", 0),
        ]
        file = read_hotline_bytes(xls_bytes(table))
        assert (file.kind, file.sheet) == ("xls", "工单")
        one, two = items_of(file)
        assert (one.content, one.likes) == ("路灯\n不亮", 3)
        assert one.accepted_at == datetime(2019, 2, 28, 11, 25, 5, tzinfo=SHANGHAI)
        assert two.accepted_at == datetime(2019, 3, 1, tzinfo=SHANGHAI)

    def test_what_the_dirty_table_says(self) -> None:
        file = read_hotline_bytes(TWINS["xlsx"])
        assert file.rows == len(dirty_files.TABLE) - 1
        assert [(each.row, each.column, each.code) for each in file.refusals] == [
            (7, "工单编号", "row_repeated"),
            (9, "工单编号", "external_id_missing"),
            (10, "主要内容", "content_missing"),
            (11, "受理时间", "date_invalid"),
        ]
        assert [(each.row, each.kept_row) for each in file.repeats] == [(2 + 1, 6)]
        by_id = {item.external_id: item for item in items_of(file)}
        assert by_id["QX0001"].content == "路灯三天不亮\n  请修"
        assert by_id["QX0001"].requester_phone == dirty_files.PHONE
        assert len(by_id["QX0003"].content) == 6_999
        assert by_id["QX0004"].content == "甲乙丙丁"
        assert by_id["QX0005"].content == "五楼没有水，六楼也没有"
        assert by_id["QX0002"].extra == {"值班备注": "已回电"}

    def test_an_account_may_write_often(self) -> None:
        file = read_hotline_bytes(csv_bytes(dirty_files.CROWDED_ACCOUNT))
        assert len(items_of(file)) == 92
        assert not file.repeats

    def test_reading_from_a_path(self, tmp_path: Path) -> None:
        path = tmp_path / "named.xls"  # the kind is told by content, not by name
        path.write_bytes(csv_bytes())
        assert read_hotline_file(path).kind == "csv"

    def test_a_mapping_may_be_saved_and_given_back(self) -> None:
        file = read_hotline_bytes(csv_bytes())
        assert file.mapping["值班备注"] is None
        assert read_hotline_bytes(csv_bytes(), dict(file.mapping)) == file


class TestRows:
    def test_a_title_above_the_header_and_empty_rows(self) -> None:
        data = csv_bytes([("工单导出", ""), *SMALL, ("", ""), ("QX2", "")])
        file = read_hotline_bytes(data)
        assert [entry.row for entry in file.items] == [2, 4]
        assert file.items[1] == RowRefusal(4, "主要内容", "content_missing")

    def test_cells_beyond_the_header(self) -> None:
        file = read_hotline_bytes(csv_bytes([*SMALL, ("QX2", "一半", "另一半")]))
        assert file.items[1] == RowRefusal(3, None, "too_many_cells")

    def test_no_number_column_refuses_each_row(self) -> None:
        file = read_hotline_bytes(csv_bytes([("内容", "主要内容"), ("甲", "乙")]))
        assert file.items == (RowRefusal(2, None, "external_id_missing"),)

    def test_formulas_are_never_worked_out(self) -> None:
        (item,) = items_of(read_hotline_bytes(csv_bytes([SMALL[0], ("QX1", "=1+1")])))
        assert item.content == "=1+1"
        file = read_hotline_bytes(raw_xlsx_bytes(SMALL, formula_at="B2"))
        assert file.items == (RowRefusal(2, "主要内容", "content_missing"),)

    def test_a_number_rounded_by_the_sheet(self) -> None:
        file = read_hotline_bytes(raw_xlsx_bytes([SMALL[0], (20190228112505123, "一行")]))
        assert file.items == (RowRefusal(2, "工单编号", "external_id_rounded"),)
        (item,) = items_of(read_hotline_bytes(raw_xlsx_bytes([SMALL[0], (188006, "一行")])))
        assert item.external_id == "188006"

    def test_hidden_sheets_are_passed_over(self) -> None:
        book = xlsx_bytes(SMALL, ("甲", "乙"))
        part = "xl/workbook.xml"
        shown = dirty_files.part_of(book, part)
        hidden = shown.replace(b'sheetId="2" state="visible"', b'sheetId="2" state="hidden"')
        assert hidden != shown
        data = dirty_files.repacked(book, {part: hidden})
        assert read_hotline_bytes(data).sheet == "甲"


class TestRefusedFiles:
    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "file_empty"),
            (b"  \r\n", "file_empty"),
            (b",,,\r\n,,\r\n", "file_empty"),
            (raw_xlsx_bytes([]), "file_empty"),
            (b"PK\x03\x04 and no more", "workbook_broken"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "workbook_broken"),
            (dirty_files.headed_xlsx(6, 999), "workbook_broken"),  # a zip of no known version
            (xlsx_bytes(SMALL, ("甲", "乙")), "sheets_ambiguous"),
            (csv_bytes()[:3000] + b"\xff\n", "encoding_unknown"),
            (b"\xef\xbb\xbf" + "工单编号".encode("gbk"), "encoding_unknown"),
            (csv_bytes([*SMALL]) + 'QX2,"没有收尾\r\nQX3,丙\r\n'.encode(), "csv_broken"),
            (csv_bytes([["主要内容", *map(str, range(200))]]), "too_many_columns"),
            (csv_bytes([("编号", "正文"), ("QX1", "一行")]), "content_column_missing"),
            (csv_bytes([("主要内容", "标题", "标题"), ("甲", "乙", "丙")]), "columns_conflict"),
        ],
    )
    def test_with_a_reason(self, data: bytes, code: str) -> None:
        assert code_of(data) == code

    def test_bounds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hotline_file, "ROWS_MAX", 3)
        assert code_of(csv_bytes()) == "too_many_rows"
        assert code_of(xlsx_bytes()) == "too_many_rows"
        monkeypatch.setattr(hotline_file, "CSV_BYTES_MAX", 100)
        assert code_of(csv_bytes()) == "file_too_large"
        monkeypatch.setattr(hotline_file, "WORKBOOK_BYTES_MAX", 100)
        assert code_of(xlsx_bytes()) == "file_too_large"
        monkeypatch.setattr(workbook, "ZIP_UNPACKED_MAX", 100)
        monkeypatch.setattr(hotline_file, "WORKBOOK_BYTES_MAX", 100_000)
        assert code_of(xlsx_bytes()) == "workbook_unsafe"

    def test_a_workbook_may_not_tell_more_than_it_could_hold(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workbook, "TOLD_MAX", 500)
        assert code_of(xlsx_bytes()) == "workbook_too_heavy"

    def test_absent_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileRefused) as caught:
            read_hotline_file(tmp_path / "absent.csv")
        assert caught.value.code == "file_unreadable"

    def test_the_sentence_names_the_headers_and_nobodys_data(self) -> None:
        with pytest.raises(FileRefused) as caught:
            read_hotline_bytes(csv_bytes([("编号", "正文", dirty_files.PHONE)]))
        assert caught.value.detail == {"headers": ["编号", "正文", "…"], "meanings": [None] * 3}
        assert "编号、正文、…" in caught.value.zh
        assert dirty_files.PHONE not in caught.value.zh + caught.value.en

    def test_a_mapping_settles_a_conflict(self) -> None:
        table = [("工单编号", "主要内容", "标题", "标题"), ("QX1", "一行", "甲", "乙")]
        file = read_hotline_bytes(csv_bytes(table), {"标题 (2)": None})
        (item,) = items_of(file)
        assert item.title == "甲"
        assert item.extra == {"标题 (2)": "乙"}


class TestRealFiles:
    def test_messages(self) -> None:
        file = read_hotline_file(real_data("messages-zh", "a3_messages_votes.xlsx"))
        assert file.rows == 4_326
        assert (len(items_of(file)), len(file.refusals), len(file.repeats)) == (4_326, 0, 0)
        assert all(item.accepted_at and item.title and item.content for item in items_of(file))
        assert file.mapping["反对数"] is None

    def test_hotline_orders(self) -> None:
        file = read_hotline_file(real_data("hotline-orders", "work_orders.csv"))
        assert file.rows == 700
        assert (len(items_of(file)), len(file.refusals), len(file.repeats)) == (700, 0, 0)
        assert all(item.request_type and item.reply for item in items_of(file))

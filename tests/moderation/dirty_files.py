"""Hotline files with the dirt of real exports and nothing real in them.

Each maker returns the bytes of one file. All people, places, numbers and wordings are invented.
``TABLE`` is one and the same table for every format, so that its twins can be compared.
"""

from __future__ import annotations

import csv
import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeAlias

import openpyxl  # type: ignore[import-untyped,unused-ignore]

Cell: TypeAlias = str | int | float | datetime | None
Table: TypeAlias = Sequence[Sequence[Cell]]

HEADER = ("工单编号", "来电人", "联系方式", "标题", "主要内容", "受理时间", "点赞数", "值班备注")
LONG_BODY = "路灯不亮，夜里看不清台阶。" * 538 + "请修好。。"  # 6,999 characters
PHONE = "13900000000"

TABLE: Table = (
    HEADER,
    (
        "QX0001",
        "柳拾遗",
        PHONE,
        "路灯",
        "\n\t\t\t\t路灯三天不亮\r\n\t\t请修",
        "2019/2/28 11:25:05",
        3,
        "",
    ),
    ("QX0002", "保密", "", "噪声", "夜间施工太吵", "2019-03-01 08:00:00", 0, "已回电"),
    ("QX0003", "柳拾遗", "", "长信", LONG_BODY, "2019/3/2", 12, ""),
    ("QX0004", "匿名", "", "行距", "甲\u202e乙\ufeff丙\u200b丁", "2019/3/3 9:05", 0, ""),
    ("QX0002", "保密", "", "噪声", "夜间施工太吵", "2019-03-01 08:00:00", 0, "已回电"),
    ("QX0005", "匿名", "", "水压", "五楼没有水", "2019/3/4 10:00:00", 1, ""),
    ("QX0005", "匿名", "", "水压", "五楼没有水，六楼也没有", "2019/3/5 10:00:00", 1, ""),
    ("", "匿名", "", "无号", "没有编号的一行", "2019/3/4 10:00:00", 0, ""),
    ("QX0006", "匿名", "", "空白", " \t\n", "2019/3/4 10:00:00", 0, ""),
    ("QX0007", "匿名", "", "日期", "时间写错的一行", "二月三十日", 0, ""),
)
"""Ten rows: one exact repeat, one newer state, three that must be refused (rows 9, 10 and 11)."""

CROWDED_ACCOUNT: Table = (
    HEADER,
    *(
        (f"QX1{number:03}", "网名甲", "", "重复来信", f"第{number}次来信", "2019/4/1", 0, "")
        for number in range(92)
    ),
)
"""One account with 92 messages."""


def csv_bytes(table: Table = TABLE, encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(table)
    return text.getvalue().encode(encoding)


def xlsx_bytes(table: Table = TABLE, sheets: Sequence[str] = ("Sheet1",)) -> bytes:
    """Every second time a true date among text dates; every line break as ``_x000D_``."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name in sheets:
        sheet = book.create_sheet(name)
        for number, row in enumerate(table):
            sheet.append([_in_workbook(cell, number % 2 == 1) for cell in row])
    return _saved(book)


def _in_workbook(cell: Cell, as_date: bool) -> Cell:
    if isinstance(cell, str):
        if as_date and cell[:4].isdigit() and cell.count("/") == 2:
            form = "%Y/%m/%d %H:%M:%S" if cell.count(":") == 2 else "%Y/%m/%d"
            return datetime.strptime(cell, form)
        return cell.replace("\r\n", "_x000D_\n")
    return cell


def raw_xlsx_bytes(rows: Table, formula_at: str = "") -> bytes:
    """Cells exactly as given; ``formula_at`` gets a formula with no stored value."""
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    if formula_at:
        book.worksheets[0][formula_at] = '=HYPERLINK("http://example.invalid")'
    return _saved(book)


def _saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


# ── Made to hurt ─────────────────────────────────────────────────────────────────────────────


def repacked(workbook: bytes, parts: Mapping[str, bytes]) -> bytes:
    """The same workbook with some parts added or put in place of the old ones."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as source,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        old = {name: source.read(name) for name in source.namelist()}
        for name, content in {**old, **parts}.items():
            target.writestr(name, content)
    return file.getvalue()


def part_of(workbook: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(workbook)) as source:
        return source.read(name)


_SHEET_PART = "xl/worksheets/sheet1.xml"


def headed_xlsx(place: int, value: int) -> bytes:
    """A workbook in whose zip the sheet's two headers say something else: two bytes, at `place` in the
    directory and two bytes earlier in front of the part."""
    data = bytearray(xlsx_bytes())
    local = data.index(_SHEET_PART.encode()) - 30
    directory = data.rindex(_SHEET_PART.encode()) - 46
    struct.pack_into("<H", data, directory + place, value)
    struct.pack_into("<H", data, local + place - 2, value)
    return bytes(data)


def far_cell_xlsx() -> bytes:
    """A few kilobytes that name a cell in the last row and column a sheet may have."""
    small = raw_xlsx_bytes([("工单编号", "主要内容"), ("QX1", "一行")])
    sheet = part_of(small, _SHEET_PART).replace(b'r="B2"', b'r="XFD1048576"')
    return repacked(small, {_SHEET_PART: sheet})


def echo_xlsx(rows: int = 60_000) -> bytes:
    """One text of 19,000 characters that every row repeats: gigabytes once it is opened."""
    small = raw_xlsx_bytes([("工单编号", "主要内容")])
    start, _, end = part_of(small, _SHEET_PART).partition(b"</sheetData>")
    echo = "".join(
        f'<row><c t="str"><v>{sha256(b"%d" % row).hexdigest()}</v></c><c t="s"><v>0</v></c></row>'
        for row in range(rows)
    )
    shared = f"<sst><si><t>{'字' * 19_000}</t></si></sst>"
    return repacked(
        small,
        {
            _SHEET_PART: start + echo.encode() + b"</sheetData>" + end,
            "xl/sharedStrings.xml": shared.encode(),
        },
    )


def bomb_xlsx(megabytes: int = 64) -> bytes:
    """A part of nothing but blanks, packed a thousand to one."""
    file = io.BytesIO(raw_xlsx_bytes([("工单编号", "主要内容")]))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b" " * (megabytes << 20))
    return file.getvalue()


def crowded_xlsx(parts: int = 300) -> bytes:
    file = io.BytesIO(raw_xlsx_bytes([("工单编号", "主要内容")]))
    with zipfile.ZipFile(file, "a") as archive:
        for number in range(parts):
            archive.writestr(f"xl/media/{number}.txt", b"")
    return file.getvalue()


# ── The old binary format ────────────────────────────────────────────────────────────────────
# No library we have writes .xls, so the few records that Excel 97 needs are written by hand:
# a stream of BIFF8 records inside a compound file of 512-byte sectors.

_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_BOOK, _SHEET = 0x0005, 0x0010
_DATE_STYLE = 1


def xls_bytes(table: Table = TABLE) -> bytes:
    """The table in Excel 97's format; true dates where the table has ``datetime``."""
    styles = b"".join(_record(0x00E0, struct.pack("<HH16x", 0, form)) for form in (0, 22))
    name = "工单"
    bound = struct.pack("<IHBB", 0, 0, len(name), 1) + name.encode("utf-16-le")
    head = _start(_BOOK) + styles
    tail = _record(0x000A)
    offset = len(head) + len(_record(0x0085, bound)) + len(tail)
    stream = head + _record(0x0085, struct.pack("<I", offset) + bound[4:]) + tail
    stream += _start(_SHEET)
    stream += _record(0x0200, struct.pack("<IIHHH", 0, len(table), 0, len(table[0]), 0))
    for row, cells in enumerate(table):
        for column, cell in enumerate(cells):
            stream += _cell(row, column, cell)
    return _compound_file(stream + _record(0x000A))


def _record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _start(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 1997, 0, 0x0600))


def _cell(row: int, column: int, cell: Cell) -> bytes:
    if cell is None or cell == "":
        return b""
    if isinstance(cell, str):
        text = cell[:4000]  # one record holds 8,224 bytes; longer texts need another kind
        body = struct.pack("<HHHHB", row, column, 0, len(text), 1) + text.encode("utf-16-le")
        return _record(0x0204, body)
    style, value = 0, cell
    if isinstance(cell, datetime):
        style, value = _DATE_STYLE, (cell - datetime(1899, 12, 30)).total_seconds() / 86_400
    return _record(0x0203, struct.pack("<HHHd", row, column, style, value))


def _compound_file(stream: bytes) -> bytes:
    stream = stream.ljust(max(4096, -(-len(stream) // _SECTOR) * _SECTOR), b"\0")
    count = len(stream) // _SECTOR
    fat = [*range(1, count), _END, _END, _FAT]  # the stream's chain, the directory, the table
    assert len(fat) <= _SECTOR // 4, "one sector of table holds 64 kB of stream"
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(_SECTOR, b"\xff")
    directory = _entry("Root Entry", 5, 1, _END, 0) + _entry("Workbook", 2, _FREE, 0, len(stream))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    header += struct.pack("<HHHHH6x", 0x003E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, 1, count, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<109I", count + 1, *[_FREE] * 108)
    return header + stream + directory.ljust(_SECTOR, b"\0") + table


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    wide = name.encode("utf-16-le") + b"\0\0"
    head = wide.ljust(64, b"\0") + struct.pack("<HBBIII", len(wide), kind, 1, _FREE, _FREE, child)
    return head + b"\0" * 36 + struct.pack("<IQ", start, size)

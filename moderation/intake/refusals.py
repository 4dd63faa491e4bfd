"""Why a file or one row of it stays out: stable codes with a sentence in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from moderation.intake.cells import CELL_MAX
from server.domain.questions import TEXT_LONGEST

ROW_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "external_id_missing": ("缺少工单编号", "the sender's number is missing"),
    "external_id_too_long": ("工单编号过长", "the sender's number is too long"),
    "external_id_rounded": (
        "工单编号被表格当作数字保存，末位已丢失，请把该列改为文本后重新导出",
        "the sheet keeps the number as a rounded figure; export the column as text",
    ),
    "content_missing": ("诉求内容为空", "the content is empty"),
    "content_too_long": (
        f"诉求内容超过 {TEXT_LONGEST} 字",
        f"the content is longer than {TEXT_LONGEST} characters",
    ),
    "date_invalid": ("受理时间无法识别", "the time of acceptance cannot be read as a date"),
    "count_invalid": ("数量无法识别", "the count cannot be read as a whole number"),
    "cell_too_long": (
        f"单元格超过 {CELL_MAX} 字",
        f"the cell is longer than {CELL_MAX} characters",
    ),
    "too_many_cells": (
        "单元格多于表头，内容可能错列",
        "the row has more cells than the header; its columns may have slipped",
    ),
    "members_conflict": (
        "有两个字段含义相同，请在来源设置里用映射指定其一",
        "two members mean the same; choose one by the source's mapping",
    ),
    "row_repeated": (
        "工单编号与第 {kept_row} 行相同而内容不同，以第 {kept_row} 行（较新）为准",
        "row {kept_row} has the same number, says something else and is newer: it was taken",
    ),
}
"""Every reason for which one row stays out: stable code → Chinese and English sentence."""


@dataclass(frozen=True, slots=True)
class RowRefusal:
    """Why one row stayed out. ``column`` is the header's text, or ``None`` for the whole row;
    ``kept_row`` the row that was taken in its place, if one was.

    It carries no word of the row itself, so that it may be shown and logged.
    """

    row: int
    column: str | None
    code: str
    kept_row: int | None = None

    @property
    def zh(self) -> str:
        return ROW_REFUSALS[self.code][0].format(kept_row=self.kept_row)

    @property
    def en(self) -> str:
        return ROW_REFUSALS[self.code][1].format(kept_row=self.kept_row)


class FileRefused(Exception):
    """Why a whole file stayed out: stable ``code``, a sentence in each language, details."""

    def __init__(self, code: str, zh: str, en: str, detail: Mapping[str, object]) -> None:
        super().__init__(en)
        self.code = code
        self.zh = zh
        self.en = en
        self.detail = dict(detail)


FILE_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "file_unreadable": ("无法读取文件：{reason}", "the file cannot be read: {reason}"),
    "file_empty": ("文件中没有数据", "the file holds no data"),
    "file_too_large": ("文件超过 {limit} MB", "the file is larger than {limit} MB"),
    "file_kind_unknown": (
        "不是 CSV、XLSX 或 XLS 文件；请用表格软件另存为 .xlsx",
        "this is no CSV, XLSX or XLS file; save it as .xlsx in a spreadsheet program",
    ),
    "file_encrypted": (
        "文件设有密码，请去掉密码后重新导出",
        "the file is protected by a password; export it without one",
    ),
    "encoding_unknown": (
        "文件编码既不是 UTF-8 也不是 GB18030（第 {byte} 字节起无法识别）",
        "the text is neither UTF-8 nor GB18030 (from byte {byte})",
    ),
    "csv_broken": (
        "第 {row} 行附近的引号不成对，无法确定各列",
        "near row {row} a quotation mark does not close; the columns cannot be told",
    ),
    "line_too_long": (
        "第 {row} 行超过 {limit} 字，不像工单表",
        "line {row} is longer than {limit} characters; this is no table of work orders",
    ),
    "workbook_broken": ("表格文件已损坏，无法打开", "the workbook is damaged and cannot be opened"),
    "workbook_unsafe": (
        "表格文件解压后过大或内部文件过多，已拒绝打开",
        "the workbook unpacks to too much or holds too many parts; it was not opened",
    ),
    "workbook_too_heavy": (
        "打开该表格所需的内存或时间超出限制",
        "opening the workbook takes more memory or time than allowed",
    ),
    "push_not_json": ("推送的内容不是可读的 JSON", "the message is not readable JSON"),
    "push_shape": (
        "推送的内容须为一个对象，或含“items”数组的对象",
        "a message is one object, or an object with an array “items” of objects",
    ),
    "push_too_many": (
        "一次推送至多 {limit} 条，请分批",
        "a message holds at most {limit} items; send them in several",
    ),
    "too_much_to_mask": (
        "文字太多或姓名用字太密，无法及时遮盖个人信息，请分批发送",
        "there is more text, or more that reads like names, than can be masked at once; send it in several",
    ),
    "open311_too_large": ("内容超过 {limit} MB", "the document is larger than {limit} MB"),
    "open311_not_json": (
        "不是合法的 JSON：第 {line} 行第 {column} 列无法解析",
        "this is not valid JSON: it cannot be read from line {line}, column {column}",
    ),
    "open311_leading_zero": (
        "不是合法的 JSON：第 {line} 行第 {column} 列的数字以 0 开头；编号请加引号写成文本",
        "this is not valid JSON: the number at line {line}, column {column} begins with 0; write codes "
        "as texts, in quotation marks",
    ),
    "open311_not_xml": (
        "不是合法的 XML：第 {line} 行第 {column} 列无法解析",
        "this is not valid XML: it cannot be read from line {line}, column {column}",
    ),
    "open311_doctype": (
        "XML 含有文档类型声明（DTD），出于安全不予读取",
        "the XML has a document type declaration (DTD); for safety it is not read",
    ),
    "open311_too_deep": (
        "内容过于复杂：至多 {limit} 层，且各项不能太多",
        "the document is too complex: at most {limit} levels, and not too many things in them",
    ),
    "open311_encoding": (
        "文字编码无法识别（第 {byte} 字节起）",
        "the encoding of the text is not known (from byte {byte})",
    ),
    "open311_shape": (
        "不是 Open311 的诉求列表（service_requests）",
        "this is no list of Open311 service requests",
    ),
    "open311_too_many": (
        "一次至多 {limit} 条，请分页",
        "one answer holds at most {limit} requests; send them in pages",
    ),
    "too_many_rows": ("超过 {limit} 行，请拆分文件", "more than {limit} rows; split the file"),
    "too_many_columns": ("超过 {limit} 列", "more than {limit} columns"),
    "sheets_ambiguous": (
        "多个工作表都像工单表：{sheets}；请只保留一个",
        "several sheets look like work orders: {sheets}; keep only one",
    ),
}
"""Every reason for which a file stays out before its columns are known: code → Chinese, English
sentence. What is wrong with its columns is told by `columns.py`, which names them."""


def refused(code: str, **detail: object) -> FileRefused:
    """The refusal of :data:`FILE_REFUSALS` with its details filled in."""
    zh, en = FILE_REFUSALS[code]
    return FileRefused(code, zh.format(**detail), en.format(**detail), detail)

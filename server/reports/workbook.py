"""The result of a round as an XLSX workbook. Pure: from a sheet to bytes.

A mark is a number where a spreadsheet shows it exactly as the result has it, with the same places,
else a text (fractions). Nothing is a formula: whatever people typed stays text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from server.domain.exact import decimal_of
from server.domain.show import BEIJING
from server.reports.sheet import Sheet
from server.reports.tables import (
    Kind,
    Table,
    bars,
    details,
    distribution,
    half_characters,
    summary,
)

DIGITS = 15
"""Significant digits that a spreadsheet shows of a number."""

MOST_ROWS = 1_000_000
"""A worksheet holds 1,048,576 rows."""


def workbook(sheet: Sheet, ballots: str | None = None) -> bytes:
    """The workbook; `ballots` is BALLOTS.csv for those who may see it."""
    import xlsxwriter  # The start of the server needs none of it.

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False,
               "strings_to_urls": False}  # fmt: skip
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({
        "title": f"{sheet.heading} {sheet.title}", "company": sheet.office,
        "created": datetime.fromtimestamp(sheet.made_at / 1000, BEIJING).replace(tzinfo=None),
    })  # fmt: skip
    pages = _Pages(book, sheet)
    pages.result()
    if not sheet.public:
        pages.marks()
    pages.rules()
    if sheet.comments:
        pages.comments()
    if ballots is not None:
        pages.ballots(ballots)
    pages.about(ballots is not None)
    book.close()
    return out.getvalue()


def number_of(text: str) -> tuple[float, str] | None:
    """The number and the format under which a spreadsheet shows exactly `text`, or None."""
    bare, shift = text.removesuffix("%"), 2 if text.endswith("%") else 0
    if decimal_of(bare) is None:
        return None
    digits = bare.lstrip("-").replace(".", "").lstrip("0")
    _, _, places = bare.partition(".")
    number = float(Decimal(bare).scaleb(-shift))
    if len(digits) > DIGITS or f"{Decimal(repr(number)).scaleb(shift):.{len(places)}f}" != bare:
        return None
    return number, ("0." + "0" * len(places) if places else "0") + "%" * (shift // 2)


@dataclass
class _Pages:
    """Writes one worksheet after the other."""

    book: Any
    sheet: Sheet
    formats: dict[tuple[str, ...], Any] = field(default_factory=dict)
    widths: dict[tuple[str, int], int] = field(default_factory=dict)

    def format(self, *kinds: str, number: str = "") -> Any:
        """One of the few looks, made once."""
        key = (*kinds, number)
        if key not in self.formats:
            values: dict[str, Any] = {"valign": "vcenter"}
            for kind in kinds:
                values |= _LOOKS[kind]
            if number:
                values["num_format"] = number
            self.formats[key] = self.book.add_format(values)
        return self.formats[key]

    def page(self, name: str, *, wide_page: bool = False) -> Any:
        """A worksheet that prints on A4, its columns on one page."""
        page = self.book.add_worksheet(self.sheet.word(name))
        page.set_paper(9)
        page.set_margins(left=0.7, right=0.7, top=0.8, bottom=0.8)
        page.fit_to_pages(1, 0)
        page.set_footer("&C&P / &N")
        if wide_page:
            page.set_landscape()
        header = self.sheet.hearing.replace("&", "&&")[:200]
        page.set_header(
            f"&L{header}" + (f"&R{self.sheet.word('rehearsal')}" if self.sheet.rehearsal else "")
        )
        return page

    def result(self) -> None:
        """结果: the table first, so that its head stays, then the facts and the chart."""
        table = summary(self.sheet)
        page = self.page("tab_result")
        heading = f"{self.sheet.heading}：{self.sheet.title}" if self.sheet.lang == "zh" else (
            f"{self.sheet.heading}: {self.sheet.title}"
        )  # fmt: skip
        page.write_string(0, 0, heading, self.format("title"))
        row = 1
        for note in self.sheet.notes:
            page.write_string(row, 0, note, self.format("warn"))
            row += 1
        last = self.table(page, table, row)
        page.freeze_panes(row + 1, 0)
        page.repeat_rows(row)
        self._chart(page, table, row, len(table.rows))
        self.pairs(page, self.sheet.facts, last + 18 if bars(self.sheet) else last + 1)

    def _chart(self, page: Any, table: Table, head: int, rows: int) -> None:
        """A bar for each total or choice, from the cells above it."""
        figure = next((i for i, c in enumerate(table.columns) if c.kind != "text" and i), None)
        if not bars(self.sheet) or figure is None:
            return
        name = page.get_name()
        label = 0 if self.sheet.public else 1
        chart = self.book.add_chart({"type": "column"})
        chart.add_series({
            "name": [name, head, figure],
            "categories": [name, head + 1, label, head + rows, label],
            "values": [name, head + 1, figure, head + rows, figure],
            "data_labels": {"value": rows <= 12}, "fill": {"color": "#2F5D8A"}, "gap": 60,
        })  # fmt: skip
        chart.set_legend({"none": True})
        title = "chart_public" if self.sheet.public else "chart"
        chart.set_title({"name": self.sheet.word(title), "name_font": {"size": 12, "bold": False}})
        if all(one.start == 0 for one in bars(self.sheet)):
            chart.set_y_axis(
                {"min": 0, "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}}
            )
        chart.set_size({"width": 620, "height": 300})
        page.insert_chart(head + rows + 2, 0, chart)

    def marks(self) -> None:
        """维度与组别: all marks, and how often each value was given."""
        page = self.page("tab_marks", wide_page=True)
        spread = distribution(self.sheet)
        row = 0
        for table in (*details(self.sheet), *([spread] if spread else [])):
            page.write_string(row, 0, table.title, self.format("strong"))
            row = self.table(page, table, row + 1) + 1
        page.freeze_panes(0, 1)

    def rules(self) -> None:
        """计票规则: the sentences."""
        page = self.page("tab_rules")
        page.set_column(0, 0, 4)
        page.set_column(1, 1, 90)
        page.write_string(0, 0, self.sheet.word("rules"), self.format("title"))
        for number, sentence in enumerate(self.sheet.rules, start=1):
            page.write_number(number, 0, number, self.format("top", number="0"))
            page.write_string(number, 1, sentence, self.format("wrap"))
        page.freeze_panes(1, 0)

    def comments(self) -> None:
        """意见建议: what was released, by official."""
        page = self.page("comments")
        page.set_column(0, 0, 16)
        page.set_column(1, 1, 90)
        page.write_string(0, 0, self.sheet.word("subject"), self.format("head"))
        page.write_string(0, 1, self.sheet.word("comments"), self.format("head"))
        row = 1
        for name, texts in self.sheet.comments:
            for text in texts:
                page.write_string(row, 0, name, self.format("top"))
                page.write_string(row, 1, text, self.format("wrap"))
                row += 1
        page.freeze_panes(1, 0)

    def ballots(self, text: str) -> None:
        """票: BALLOTS.csv, row by row, every value as it stands there."""
        page = self.page("tab_ballots")
        rows = list(csv.reader(io.StringIO(text)))[:MOST_ROWS]
        columns = len(rows[0]) if rows else 0
        widths = [0] * columns
        for r, cells in enumerate(rows):
            for c, cell in enumerate(cells[:columns]):
                page.write_string(r, c, cell, self.format("head" if r == 0 else "plain"))
                widths[c] = max(widths[c], half_characters(cell))
        for c, width in enumerate(widths):
            page.set_column(c, c, min(max(width + 2, 8), 40))
        page.freeze_panes(1, 0)
        page.repeat_rows(0)

    def about(self, with_ballots: bool) -> None:
        """说明: hashes, signatures, how to check, how to read the numbers."""
        w = self.sheet.word
        page = self.page("tab_about")
        page.set_column(0, 0, 26)
        page.set_column(1, 1, 72)
        page.write_string(0, 0, w("check"), self.format("title"))
        pairs = [
            (w("rules_hash"), self.sheet.rules_hash),
            (w("ballots_hash"), self.sheet.ballots_hash),
            (w("root"), self.sheet.root or w("no_root")),
            *((f"{w('signed')}：{s.word}", s.at or w("not_signed")) for s in self.sheet.signatures),
        ]
        row = self.pairs(page, [(name, text) for name, text in pairs if text], 1)
        notes = [w("check_note"), w("null_note"), w("counted"), w("about_numbers")]
        notes.append(w("about_ballots" if with_ballots else "about_no_ballots"))
        for note in notes:
            page.merge_range(row, 0, row, 1, "", self.format("wrap"))
            page.write_string(row, 0, note, self.format("wrap"))
            page.set_row(row, 15.5 * -(-half_characters(note) // 92))
            row += 1

    def table(self, page: Any, table: Table, row: int) -> int:
        """Writes a table at `row`; the row after it."""
        for c, column in enumerate(table.columns):
            page.write_string(row, c, column.label, self.format("head"))
        for r, cells in enumerate(table.rows, start=row + 1):
            for c, (column, cell) in enumerate(zip(table.columns, cells, strict=True)):
                self.cell(page, r, c, column.kind, cell)
        self.widen(page, table)
        return row + 1 + len(table.rows)

    def cell(self, page: Any, row: int, column: int, kind: Kind, text: str) -> None:
        """A number where it shows exactly the text, else the text."""
        number = number_of(text) if kind != "text" else None
        if number is not None:
            page.write_number(row, column, number[0], self.format("cell", number=number[1]))
        else:
            looks = ("cell", "wrap") if kind == "text" else ("cell", "right")
            page.write_string(row, column, text, self.format(*looks))

    def widen(self, page: Any, table: Table) -> None:
        """Columns as wide as what stands in them, over all tables of a worksheet."""
        for c, column in enumerate(table.columns):
            texts = [column.label, *(cells[c] for cells in table.rows)]
            place = (page.get_name(), c)
            width = min(max(map(half_characters, texts)) + 2, 44)
            self.widths[place] = max(self.widths.get(place, 8), width)
            page.set_column(c, c, self.widths[place])

    def pairs(self, page: Any, pairs: Iterable[tuple[str, str]], row: int) -> int:
        """Names and texts, one pair a row; the row after them."""
        for name, text in pairs:
            page.write_string(row, 0, name, self.format("strong"))
            page.write_string(row, 1, text, self.format("plain"))
            row += 1
        return row


_EDGE: dict[str, Any] = {"border": 1, "border_color": "#8A8A8A"}
_LOOKS: dict[str, dict[str, Any]] = {
    "plain": {},
    "title": {"bold": True, "font_size": 14},
    "strong": {"bold": True},
    "warn": {"font_color": "#A02020"},
    "head": {**_EDGE, "bold": True, "bg_color": "#E8EDF2", "text_wrap": True, "align": "center"},
    "cell": _EDGE,
    "right": {"align": "right"},
    "wrap": {"text_wrap": True, "valign": "top"},
    "top": {"valign": "top"},
}

"""What an official's office reads in advance, as an XLSX workbook: the lines and nothing else. Pure."""

from __future__ import annotations

import io
from collections.abc import Sequence

from server.domain.brief import Line

HEAD = ("序号", "问题", "区县", "人数")


def brief_workbook(title: str, unit: str, lines: Sequence[Line]) -> bytes:
    """One worksheet. What people typed stays text: nothing is a formula or a link."""
    import xlsxwriter  # The start of the server needs none of it.

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False,
               "strings_to_urls": False}  # fmt: skip
    book = xlsxwriter.Workbook(out, options)
    page = book.add_worksheet("问题")
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True})
    page.set_column(0, 0, 6)
    page.set_column(1, 1, 70, wrapped)
    page.set_column(2, 3, 14)
    page.write_string(0, 0, f"{title} · {unit}", bold)
    for column, word in enumerate(HEAD):
        page.write_string(1, column, word, bold)
    for row, line in enumerate(lines, 2):
        page.write_number(row, 0, line.number)
        page.write_string(row, 1, line.wording, wrapped)
        page.write_string(row, 2, line.district or "")
        if line.people is not None:
            page.write_number(row, 3, line.people)
    book.close()
    return out.getvalue()

"""DOCX in the office's style (GB/T 9704): the result sheet and the minutes. Pure: to bytes.

A4; margins of 37, 28, 35 and 26 mm, so that the type area is 156 × 225 mm; 22 lines of 28
characters. 小标宋, 仿宋, 黑体 and 楷体 are named and not shipped: an office's
own machines have them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from server.domain.explained import Lang
from server.reports.minutes import Heading, Line, Minutes
from server.reports.sheet import Sheet
from server.reports.tables import Kind, Table, lacks_marks, on_paper, widths
from server.reports.wording import word

TITLE, BODY, HEAD, SCRIPT = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312"
LATIN = "Times New Roman"
BODY_SIZE, TITLE_SIZE, PAGE_SIZE, TABLE_SIZE = 16.0, 22.0, 14.0, 12.0
"""三号, 二号, 四号, 小四, in points."""
LINE = 225 / 22 / 25.4 * 72
"""Points from line to line: 22 lines in 225 mm."""
CLOSER = 156 / 28 / 25.4 * 72 - BODY_SIZE
"""Points between characters: 28 of them in 156 mm."""
RED = "C00000"
MOST_MARKS = 5
"""Columns of marks that fit beside the names."""
SHORT = 10
"""A table of fewer lines stays on one page."""


def result_document(sheet: Sheet, chart: bytes | None = None) -> bytes:
    """测评结果; `chart` is a picture of the totals, where one could be made."""
    w = sheet.word
    paper = _Paper(sheet.lang, sheet.made_at, f"{sheet.heading} {sheet.title}")
    paper.banner(sheet.rehearsal, sheet.voided)
    gap = " — " if sheet.lang == "en" else ""
    paper.title(f"{sheet.hearing}{gap}{sheet.heading}")
    paper.centred(sheet.title, SCRIPT)
    for note in sheet.notes:
        paper.text(note, font=SCRIPT)
    skip = {w("hearing"), w("round"), w("office")}
    for name, text in sheet.facts:
        if name not in skip:
            paper.named(name, text)
    tables = on_paper(sheet, MOST_MARKS)
    shown = ""
    for table in tables:
        if table.title != shown:
            paper.heading(table.title)
        shown = table.title
        paper.table(table)
        if chart and table is tables[0]:
            paper.picture(chart, w("chart_public" if sheet.public else "chart"))
    if lacks_marks(sheet):
        paper.text(w("null_note"), font=SCRIPT)
    paper.heading(w("rules"))
    for number, sentence in enumerate(sheet.rules, start=1):
        paper.text(f"{number}. {sentence}" if sheet.lang == "en" else f"{number}．{sentence}")
    if sheet.comments:
        paper.heading(w("comments"))
    for name, texts in sheet.comments:
        paper.text(name, font=SCRIPT)
        for number, text in enumerate(texts, start=1):
            paper.text(f"{number}. {text}" if sheet.lang == "en" else f"{number}．{text}")
    paper.heading(w("check"))
    for name, text in ((w("rules_hash"), sheet.rules_hash), (w("ballots_hash"), sheet.ballots_hash),
                       (w("root"), sheet.root or w("no_root"))):  # fmt: skip
        if text:
            paper.hash(name, text)
    paper.text(w("check_note"))
    for one in sheet.signatures:
        paper.named(f"{w('signed')} {one.word}", one.at or w("not_signed"), with_next=True)
    paper.signed(sheet.office, sheet.date)
    return paper.saved()


def minutes_document(minutes: Minutes) -> bytes:
    """会议纪要: the run's journal as people read it."""
    paper = _Paper(minutes.lang, minutes.made_at, minutes.hearing)
    paper.banner(minutes.rehearsal, False)
    gap = " — " if minutes.lang == "en" else ""
    paper.mark(f"{minutes.hearing}{gap}{word('minutes_title', minutes.lang)}")
    paper.between(minutes.office, minutes.date)
    if minutes.rehearsal:
        paper.text(word("rehearsal_note", minutes.lang), font=SCRIPT)
    for text in minutes.intro:
        paper.text(text)
    for block in minutes.blocks:
        if isinstance(block, Heading):
            paper.heading(block.text)
        elif isinstance(block, Line):
            paper.text(f"{block.at}　{block.text}" if block.at else block.text)
        else:
            paper.table(block)
    for name, text in minutes.attendance:
        paper.named(name, text)
    return paper.saved()


DIGITS = "零一二三四五六七八九"


def ordinal(number: int, lang: Lang) -> str:
    """The number of a section: 一、 二十一、 or 1."""
    if lang == "en":
        return f"{number}. "
    tens, ones = divmod(number, 10)
    if tens >= 10:
        return f"{number}、"
    left = "" if tens == 0 else ("十" if tens == 1 else f"{DIGITS[tens]}十")
    return f"{left}{DIGITS[ones] if ones or not tens else ''}、"


class _Paper:
    """One document and how its paragraphs look. Opens python-docx only when one is asked for."""

    def __init__(self, lang: Lang, made_at: int, title: str) -> None:
        import docx
        from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn
        from docx.shared import Mm, Pt, RGBColor

        self._element, self._qn = OxmlElement, qn
        self._mm, self._pt, self._rgb = Mm, Pt, RGBColor
        self._align, self._exactly = WD_ALIGN_PARAGRAPH, WD_LINE_SPACING.EXACTLY
        self.lang, self.sections = lang, 0
        self.document = docx.Document()
        made = datetime.fromtimestamp(made_at / 1000, UTC).replace(tzinfo=None)
        properties = self.document.core_properties
        properties.title, properties.author, properties.comments = title[:255], "", ""
        properties.created = properties.modified = made
        properties.language = "en" if lang == "en" else "zh-CN"
        self._page()
        self._style("Normal", BODY, BODY_SIZE)
        self._closer()
        self._style("Heading 1", HEAD, BODY_SIZE)

    def saved(self) -> bytes:
        """The file."""
        out = io.BytesIO()
        self.document.save(out)
        return out.getvalue()

    # ── the page ──

    def _page(self) -> None:
        section = self.document.sections[0]
        section.page_width, section.page_height = self._mm(210), self._mm(297)
        section.top_margin, section.bottom_margin = self._mm(37), self._mm(35)
        section.left_margin, section.right_margin = self._mm(28), self._mm(26)
        section.footer_distance = self._mm(25)
        for old in section._sectPr.findall(self._qn("w:docGrid")):
            section._sectPr.remove(old)
        grid = self._element("w:docGrid")
        grid.set(self._qn("w:type"), "lines")
        grid.set(self._qn("w:linePitch"), str(round(LINE * 20)))
        section._sectPr.append(grid)
        self.document.settings.odd_and_even_pages_header_footer = True
        self._number(section.footer, self._align.RIGHT)
        self._number(section.even_page_footer, self._align.LEFT)

    def _number(self, footer: Any, side: Any) -> None:
        """The page number between dashes, one character in from the edge."""
        footer.is_linked_to_previous = False
        paragraph = footer.paragraphs[0]
        paragraph.alignment = side
        indent = paragraph.paragraph_format
        indent.first_line_indent = self._pt(0)
        indent.left_indent = indent.right_indent = self._pt(PAGE_SIZE)
        self._run(paragraph, "— ", "宋体", PAGE_SIZE)
        run = self._run(paragraph, "", "宋体", PAGE_SIZE)
        for kind, text in (("begin", ""), ("", " PAGE "), ("end", "")):
            if kind:
                part = self._element("w:fldChar")
                part.set(self._qn("w:fldCharType"), kind)
            else:
                part = self._element("w:instrText")
                part.set(self._qn("xml:space"), "preserve")
                part.text = text
            run._r.append(part)
        self._run(paragraph, " —", "宋体", PAGE_SIZE)

    def _style(self, name: str, font: str, size: float) -> None:
        style = self.document.styles[name]
        style.font.size, style.font.bold = self._pt(size), False
        style.font.color.rgb = self._rgb(0, 0, 0)
        self._fonts(style.element.get_or_add_rPr(), font)
        form = style.paragraph_format
        form.space_before = form.space_after = self._pt(0)
        form.line_spacing_rule, form.line_spacing = self._exactly, self._pt(LINE)
        form.widow_control = True

    def _closer(self) -> None:
        """28 characters of 三号 stand in 156 mm when they are a fifth of a point closer. (A grid of
        characters says the same, but programs read it differently.)"""
        spacing = self._element("w:spacing")
        spacing.set(self._qn("w:val"), str(round(CLOSER * 20)))
        properties = self.document.styles["Normal"].element.get_or_add_rPr()
        properties.insert_element_before(
            spacing, "w:w", "w:kern", "w:position", "w:sz", "w:szCs", "w:highlight", "w:u", "w:lang"
        )

    def _fonts(self, properties: Any, font: str) -> None:
        fonts = properties.find(self._qn("w:rFonts"))
        if fonts is None:
            fonts = self._element("w:rFonts")
            properties.insert(0, fonts)
        for name in list(fonts.attrib):
            del fonts.attrib[name]
        for slot, value in (("ascii", LATIN), ("hAnsi", LATIN), ("cs", LATIN), ("eastAsia", font)):
            fonts.set(self._qn(f"w:{slot}"), value)

    def _run(self, paragraph: Any, text: str, font: str, size: float, *, red: bool = False) -> Any:
        run = paragraph.add_run(text)
        run.font.size = self._pt(size)
        self._fonts(run._r.get_or_add_rPr(), font)
        if red:
            run.font.color.rgb = self._rgb.from_string(RED)
        return run

    def _paragraph(self, *, indent: bool = False, align: Any = None) -> Any:
        paragraph = self.document.add_paragraph()
        paragraph.alignment = align
        if indent:
            self._indent(paragraph)
        return paragraph

    def _indent(self, paragraph: Any) -> None:
        """Two characters in, by the grid; English keeps the edge."""
        if self.lang == "zh":
            element = paragraph._p.get_or_add_pPr().get_or_add_ind()
            element.set(self._qn("w:firstLineChars"), "200")
            element.set(self._qn("w:firstLine"), str(round(BODY_SIZE * 2 * 20)))

    # ── what stands on it ──

    def banner(self, rehearsal: bool, voided: bool) -> None:
        """演练 and 作废 stand on every page, in red."""
        said = [
            word(key, self.lang) for key, on in (("rehearsal", rehearsal), ("voided", voided)) if on
        ]
        if not said:
            return
        section = self.document.sections[0]
        for header in (section.header, section.even_page_header):
            header.is_linked_to_previous = False
            paragraph = header.paragraphs[0]
            paragraph.alignment = self._align.CENTER
            self._run(paragraph, " · ".join(said), HEAD, PAGE_SIZE, red=True)

    def title(self, text: str) -> None:
        """The title, 二号小标宋."""
        paragraph = self._paragraph(align=self._align.CENTER)
        paragraph.paragraph_format.line_spacing = self._pt(TITLE_SIZE * 1.5)
        self._run(paragraph, text, TITLE, TITLE_SIZE)

    def mark(self, text: str) -> None:
        """The red mark of minutes (纪要标志)."""
        paragraph = self._paragraph(align=self._align.CENTER)
        paragraph.paragraph_format.line_spacing = self._pt(TITLE_SIZE * 1.8)
        paragraph.paragraph_format.space_after = self._pt(LINE / 2)
        self._run(paragraph, text, TITLE, TITLE_SIZE + 4, red=True)

    def between(self, left: str, right: str) -> None:
        """Office and date on one line, above a red rule."""
        paragraph = self._paragraph()
        paragraph.paragraph_format.tab_stops.add_tab_stop(self._mm(156), 2)
        self._run(paragraph, f"{left}\t{right}", BODY, BODY_SIZE)
        paragraph.paragraph_format.space_after = self._pt(LINE / 2)
        borders = self._element("w:pBdr")
        bottom = self._element("w:bottom")
        for name, value in (("val", "single"), ("sz", "12"), ("space", "4"), ("color", RED)):
            bottom.set(self._qn(f"w:{name}"), value)
        borders.append(bottom)
        paragraph._p.get_or_add_pPr().insert_element_before(
            borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:snapToGrid", "w:spacing",
            "w:ind", "w:jc",
        )  # fmt: skip

    def centred(self, text: str, font: str) -> None:
        """A line under the title."""
        paragraph = self._paragraph(align=self._align.CENTER)
        self._run(paragraph, text, font, BODY_SIZE)
        paragraph.paragraph_format.space_after = self._pt(LINE / 2)

    def heading(self, text: str) -> None:
        """A section's head, 一、 in 黑体."""
        self.sections += 1
        paragraph = self.document.add_paragraph(style="Heading 1")
        paragraph.paragraph_format.keep_with_next = True
        self._indent(paragraph)
        self._run(paragraph, f"{ordinal(self.sections, self.lang)}{text}", HEAD, BODY_SIZE)

    def text(self, text: str, font: str = BODY) -> None:
        """A paragraph of the body."""
        self._run(self._paragraph(indent=True), text, font, BODY_SIZE)

    def named(self, name: str, text: str, *, with_next: bool = False) -> None:
        """A name in 黑体 and what it says, on one page with what follows where that is asked for."""
        paragraph = self._paragraph(indent=True)
        paragraph.paragraph_format.keep_with_next = with_next
        gap = ": " if self.lang == "en" else "："
        self._run(paragraph, f"{name}{gap}", HEAD, BODY_SIZE)
        self._run(paragraph, text, BODY, BODY_SIZE)

    def hash(self, name: str, text: str) -> None:
        """64 digits, smaller, so that they stand on one line."""
        gap = ": " if self.lang == "en" else "："
        self._run(self._paragraph(indent=True), f"{name}{gap}", HEAD, BODY_SIZE)
        run = self._run(self._paragraph(), text, BODY, 10.5)
        run.font.name = "Courier New"

    def signed(self, office: str, date: str) -> None:
        """署名 and 成文日期, the date four characters in from the right. They never stand alone on a
        page."""
        self._paragraph().paragraph_format.keep_with_next = True
        for text, characters in ((office, 2), (date, 4)):
            paragraph = self._paragraph(align=self._align.RIGHT)
            paragraph.paragraph_format.right_indent = self._pt(characters * BODY_SIZE)
            paragraph.paragraph_format.keep_with_next = text is office
            self._run(paragraph, text, BODY, BODY_SIZE)

    def picture(self, png: bytes, caption: str) -> None:
        """A chart with its caption."""
        paragraph = self._paragraph(align=self._align.CENTER)
        paragraph.paragraph_format.line_spacing_rule = None
        paragraph.paragraph_format.line_spacing = 1.0
        paragraph.paragraph_format.space_before = self._pt(LINE / 2)
        shape = paragraph.add_run().add_picture(io.BytesIO(png), width=self._mm(150))
        shape._inline.docPr.set("descr", caption)

    def table(self, table: Table) -> None:
        """A table with all its lines; its head stands on every page."""
        wide = widths(table, 156)
        made = self.document.add_table(rows=1, cols=len(table.columns))
        made.style = self.document.styles["Table Grid"]
        made.autofit = False
        made.alignment = 1
        for column, width in zip(made.columns, wide, strict=True):
            column.width = self._mm(width)
        kinds: list[Kind] = [column.kind for column in table.columns]
        heads = [column.label for column in table.columns]
        self._row(made.rows[0], heads, ["text"] * len(heads), wide, HEAD)
        mark = self._element("w:tblHeader")
        mark.set(self._qn("w:val"), "true")
        made.rows[0]._tr.get_or_add_trPr().append(mark)
        for cells in table.rows:
            self._row(made.add_row(), cells, kinds, wide, BODY)
        if len(table.rows) < SHORT:
            for row in made.rows[:-1]:
                for cell in row.cells:
                    cell.paragraphs[0].paragraph_format.keep_with_next = True
        after = self._paragraph()
        after.paragraph_format.line_spacing = self._pt(LINE / 2)

    def _row(
        self, row: Any, cells: Sequence[str], kinds: Sequence[Kind], wide: Sequence[int], font: str
    ) -> None:
        keep = self._element("w:cantSplit")
        keep.set(self._qn("w:val"), "true")
        row._tr.get_or_add_trPr().append(keep)
        for cell, text, kind, width in zip(row.cells, cells, kinds, wide, strict=True):
            cell.width = self._mm(width)
            cell.vertical_alignment = 1
            paragraph = cell.paragraphs[0]
            left = kind == "text" and font == BODY
            paragraph.alignment = self._align.LEFT if left else self._align.CENTER
            paragraph.paragraph_format.line_spacing = self._pt(TABLE_SIZE * 1.4)
            self._run(paragraph, text, font, TABLE_SIZE)

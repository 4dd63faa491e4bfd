"""The DOCX files: the office's page, every mark, and the run's journal as people read it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import docx
import pytest
from docx.shared import Mm

from server.reports import tables
from server.reports.document import minutes_document, ordinal, result_document
from server.reports.minutes import minutes_of, questions_named
from server.reports.sheet import NONE, sheet_of
from tests.reports_documents import samples
from tests.web import views


def opened(data: bytes) -> Any:
    return docx.Document(io.BytesIO(data))


def text_of(document: Any) -> str:
    cells = [c.text for t in document.tables for row in t.rows for c in row.cells]
    return "\n".join([*(p.text for p in document.paragraphs), *cells])


def test_the_page_is_the_offices() -> None:
    view = samples.hearing()
    round_, _ = samples.panel(view, samples.KINDS["mean of five"])
    document = opened(result_document(sheet_of(view, round_, (), "zh")))
    (section,) = document.sections
    page = [section.page_width, section.page_height, section.top_margin, section.left_margin]
    assert [round(side / Mm(1)) for side in page] == [210, 297, 37, 28]
    assert round((section.page_width - section.left_margin - section.right_margin) / Mm(1)) == 156
    assert round((section.page_height - section.top_margin - section.bottom_margin) / Mm(1)) == 225
    xml = document.element.xml
    assert 'w:linePitch="580"' in xml  # 22 lines in 225 mm
    assert "方正小标宋简体" in xml
    assert xml.count("<w:tblHeader") == len(document.tables)  # The head stands on every page.
    assert "仿宋_GB2312" in document.styles.element.xml
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        assert "PAGE" in footer._element.xml
        assert f'w:jc w:val="{side}"' in footer._element.xml


@pytest.mark.parametrize("kind", samples.KINDS)
def test_every_mark_stands_in_the_result(kind: str) -> None:
    view = samples.hearing()
    round_, _ = samples.panel(view, samples.KINDS[kind])
    document = opened(result_document(sheet_of(view, round_, samples.certified(round_), "zh")))
    cells = [c.text for t in document.tables for row in t.rows for c in row.cells]
    assert round_.result
    for one in round_.result["subjects"]:
        total = samples.as_read(kind, one["total"], "total")
        assert total == NONE or total in cells
        for mark in (*one["dimensions"].values(), *one["groups"].values()):
            assert mark is None or samples.as_read(kind, mark) in cells
    text = text_of(document)
    assert samples.ROOT in text
    assert round_.result["rules_hash"] in text
    assert "计票人：2026年11月18日" in text


def test_rehearsals_and_voided_rounds_say_so_on_every_page() -> None:
    view = samples.hearing(views.rehearsal)
    round_, _ = samples.panel(view, samples.KINDS["mean of five"])
    again = views.panel_round("ready", id="again", replaces=round_.id, cast=0)
    round_ = replace(round_, status="voided", void_reason="宣读有误", published_to=())
    document = opened(
        result_document(sheet_of(replace(view, rounds=(round_, again)), round_, (), "zh"))
    )
    (section,) = document.sections
    for header in (section.header, section.even_page_header):
        assert header.paragraphs[0].text == "演练 · 作废"
    text = text_of(document)
    assert "宣读有误" in text
    assert "已由轮次 again 重新测评。" in text


def test_a_result_says_what_became_of_it() -> None:
    view = samples.hearing()
    first, _ = samples.panel(view, samples.KINDS["mean of five"])
    second = replace(first, id="second", replaces=first.id)
    for status, said, said_of_second in (
        ("voided", "已由轮次 second 重新测评。", "作废后的重新测评"),
        ("corrected", "本结果已更正，以轮次 second 为准。", "结果复核后重新举行"),
        ("upheld", "本结果经复核维持。", "结果复核后重新举行"),
    ):
        first = replace(first, status=status, void_reason="宣读有误")
        both = replace(view, rounds=(first, second))
        assert said in "".join(sheet_of(both, first, (), "zh").notes)
        assert said_of_second in "".join(sheet_of(both, second, (), "zh").notes)


def recorded(lang: Any = "zh", seen: bool = True) -> Any:
    view = samples.hearing(views.message)
    round_, _ = samples.panel(view, samples.KINDS["mean of five"])
    view = replace(view, rounds=(views.public_round("published"), round_))
    entries = samples.run(view, round_)
    questions = {1: views.question(0, "answered", reply="已补办。")}
    assert questions_named(entries) == {1}
    shown = {one.id for one in view.rounds} if seen else set()
    notices = {5: view.notice.text} if view.notice else {}
    return minutes_of(view, entries, questions, notices, shown, lang), round_


def test_the_minutes_say_who_spoke_when_and_what_was_asked() -> None:
    minutes, round_ = recorded()
    document = opened(minutes_document(minutes))
    text = text_of(document)
    said = [p.text for p in document.paragraphs]
    start = said.index("三、市住房和城乡建设局述法")
    assert said[start + 1] == "19:09 至 19:14　糜知屿（云澜市住房和城乡建设局党组书记、局长）述法。"
    asked = next(line for line in said if "提问（人大代表 沐青禾，12345热线，Q0001）" in line)
    assert views.TEXTS[0] in asked
    assert "19:15 开始答复，19:16 追问，19:17 记为已答复。" in asked
    assert "书面答复：已补办。" in asked
    assert "19:13　主持台提示发言席：请看台口，尽快收尾" in said
    assert "19:23　“测评：三位述法人”截止，已交 9 份。" in said
    assert "会议结束。" in text
    assert round_.result
    assert all(one["total"] in text for one in round_.result["subjects"])
    assert "出席（评议团）：沐青禾" in text
    times = [m[1] for line in said if (m := re.match(r"(\d\d:\d\d)", line))]
    assert len(times) > 12


def test_a_result_that_the_reader_may_not_see_is_not_in_the_minutes() -> None:
    minutes, round_ = recorded(seen=False)
    text = text_of(opened(minutes_document(minutes)))
    assert round_.result
    assert not any(one["total"] in text for one in round_.result["subjects"])
    assert "742" not in text
    assert text.count("本轮结果未在本纪要的范围内公布。") == 2


def test_the_minutes_in_english() -> None:
    minutes, _ = recorded("en")
    text = text_of(opened(minutes_document(minutes)))
    assert "The hearing began." in text
    assert "Question (人大代表 沐青禾, 12345 hotline, Q0001)" in text
    for typed in (views.TEXTS[0], "测评：", "网络评价：", "已补办。", "请看台口，尽快收尾"):
        text = text.replace(typed, "")
    assert not re.search(r"[。：，（）]", text)


def test_sections_are_numbered_as_in_documents() -> None:
    said = [ordinal(n, "zh") for n in (1, 9, 10, 11, 20, 35, 99, 100)]
    assert said == ["一、", "九、", "十、", "十一、", "二十、", "三十五、", "九十九、", "100、"]


def test_a_long_name_takes_another_line_and_breaks_no_figure() -> None:
    view = samples.crowded()
    round_, _ = samples.panel(view, samples.KINDS["mean of five"], raters=20)
    table = tables.summary(sheet_of(view, round_, samples.certified(round_), "zh"))
    wide = tables.widths(table, tables.PAGE)
    assert sum(wide) == tables.PAGE
    for n, column in enumerate(table.columns):
        longest = max(tables.half_characters(one[n]) for one in table.rows)
        if column.kind != "text":
            assert wide[n] >= 2.2 * longest + 3.8, column.label  # with the cell's own margins

"""The PDF files: every mark, every text as it was typed, one form a seat, one sentence without fonts."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pypdf
import pytest
import typst

from server.domain.refusals import Refusal
from server.domain.rounds import Round
from server.reports import printed
from server.reports.forms import Forms, form_code, forms_of
from server.reports.minutes import minutes_of
from server.reports.sheet import sheet_of
from tests.reports_documents import samples
from tests.web import views


def pages(data: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]


def text_of(data: bytes) -> str:
    """The whole text, without the breaks that lines make."""
    return re.sub(r"\s+", "", "".join(pages(data)))


def filled(kind: str = "mean of five", **more: Any) -> tuple[Any, Round]:
    view = samples.hearing()
    round_, _ = samples.panel(view, samples.KINDS[kind], entitled=samples.entitled(view), **more)
    return view, round_


def test_the_tally_sheet_has_all_that_is_signed_for() -> None:
    view, round_ = filled()
    sheet = sheet_of(view, round_, samples.certified(round_), "zh")
    text = text_of(printed.tally_sheet_pdf(sheet))
    assert round_.result
    for one in round_.result["subjects"]:
        for mark in (one["total"], *one["dimensions"].values(), *one["groups"].values()):
            assert mark in text
    for said in (*sheet.rules, sheet.root, sheet.rules_hash, sheet.ballots_hash, *sheet.to_sign):
        assert re.sub(r"\s+", "", said) in text
    assert "应到9，实到8，已交9" in text
    assert "好一般差" in text  # the head of the distribution


def test_values_of_numbers_are_counted_too() -> None:
    view, round_ = filled("trimmed, not rounded")
    sheet = sheet_of(view, round_, (), "zh")
    given = sum(n for one in sheet.values for _, n in one.counts)
    assert round_.result
    assert given == sum(one["ballots"]["valid"] for one in round_.result["subjects"])
    assert "×" in text_of(printed.tally_sheet_pdf(sheet))


def test_what_people_typed_is_text_on_paper() -> None:
    hostile = '#panic("x") *b* $x$ _i_ <l> @r \\ "'
    view, round_ = filled(title=hostile)
    view = replace(view, subjects=tuple(replace(s, name=hostile) for s in view.subjects))
    sheet = sheet_of(view, round_, (), "zh")
    plain = re.sub(r"\s+", "", hostile)
    for data in (printed.tally_sheet_pdf(sheet), printed.result_pdf(sheet)):
        assert text_of(data).count(plain) >= 4
    forms = forms_of(view, round_, "zh")
    assert plain in text_of(printed.forms_pdf(forms))


def test_a_large_round_is_printed_whole() -> None:
    view = samples.crowded()
    round_, _ = samples.panel(view, samples.KINDS["mean of five"], raters=45)
    sheet = sheet_of(view, round_, samples.certified(round_), "zh")
    found = pages(printed.result_pdf(sheet))
    text = re.sub(r"\s+", "", "".join(found))
    assert round_.result
    for one in round_.result["subjects"]:
        assert one["total"] in text
    assert all("述法人" in page for page in found[:2])  # The head stands on every page.


def test_minutes_are_printed() -> None:
    view, round_ = filled()
    view = replace(view, rounds=(round_,))
    minutes = minutes_of(view, samples.run(view, round_), {}, {5: "还剩一分钟"}, {round_.id}, "zh")
    text = text_of(printed.minutes_pdf(minutes))
    assert "云澜市述法评议会会议纪要" in text
    assert "会议开始。" in text
    assert "主持台提示发言席：还剩一分钟" in text


def test_the_same_round_gives_the_same_bytes() -> None:
    view, round_ = filled()
    sheet = sheet_of(view, round_, samples.certified(round_), "zh")
    assert printed.tally_sheet_pdf(sheet) == printed.tally_sheet_pdf(sheet)


def forms(view: Any, round_: Round, **more: Any) -> Forms:
    return forms_of(view, replace(round_, **more), "zh")


def test_a_named_round_has_a_form_for_each_seat_that_is_present() -> None:
    view, round_ = filled()
    blank = forms(view, round_)
    assert [one.code for one in blank.forms] == [
        form_code(round_.id, n) for n in (1, 2, 3, 4, 5, 6, 7, 8)
    ]
    found = pages(printed.forms_pdf(blank))
    assert len(found) == 8
    assert all(re.search(rf"席位\s*{n}\b", page) for n, page in enumerate(found, start=1))
    assert all("本表记名" in page and "签名" in page for page in found)


def test_a_secret_rounds_forms_name_no_seat() -> None:
    view, round_ = filled()
    seats = tuple(replace(seat, number=seat.number + 40) for seat in view.seats)
    blank = forms(replace(view, seats=seats), round_, secrecy="secret")
    assert [one.number for one in blank.forms] == [f"表号 {n}" for n in range(1, 9)]
    text = "".join(pages(printed.forms_pdf(blank)))
    assert "本表无记名" in text
    assert "席位 " not in text
    assert "签名" not in text


def test_before_it_opens_every_seat_has_a_form() -> None:
    view, round_ = filled()
    assert len(forms(view, round_, entitled=()).forms) == len(view.seats)


@pytest.mark.parametrize(
    ("rules", "subjects", "columns", "rows"),
    [
        ("mean of five", 3, ("履职亲自抓", "依法决策"), 3),
        ("mean of five", 1, ("好", "一般", "差", "弃权", "不了解", "回避"), 5),
        ("verdict", 3, ("好", "一般", "差", "弃权", "不了解", "回避"), 3),
        ("trimmed, not rounded", 3, ("分值", "弃权", "不了解", "回避"), 3),
    ],
)
def test_a_form_has_the_shape_of_its_round(
    rules: str, subjects: int, columns: tuple[str, ...], rows: int
) -> None:
    view, round_ = filled(rules)
    blank = forms(view, round_, subjects=round_.subjects[:subjects])
    assert blank.columns[: len(columns)] == columns
    assert len(blank.rows) == rows
    assert len(blank.columns) == len(blank.boxes) == len(blank.letters)
    words = {"mean of five": "圈选" if subjects > 1 else "打“√”", "verdict": "打“√”"}
    assert words.get(rules, "写一个分值") in "".join(blank.sentences)


def test_thirty_subjects_fit_on_one_page() -> None:
    view = samples.crowded()
    round_, _ = samples.panel(view, samples.KINDS["mean of five"], raters=2)
    blank = forms(view, round_, entitled=())
    assert len(pages(printed.forms_pdf(replace(blank, forms=blank.forms[:2])))) == 2


def test_without_a_chinese_font_there_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    view, round_ = filled()
    sheet = sheet_of(view, round_, (), "zh")
    real, families = typst.Fonts(), frozenset({"Libertinus Serif", "DejaVu Sans"})
    few = SimpleNamespace(families=lambda: families)
    printed._fonts.cache_clear()
    monkeypatch.setattr(typst, "Fonts", lambda: few)
    with pytest.raises(Refusal) as caught:
        printed.result_pdf(sheet)
    assert caught.value.code == "cannot_print"
    assert printed.chart_png(sheet) is None  # The DOCX does without its picture.
    monkeypatch.setattr(typst, "Fonts", lambda: real)  # Somebody installs one.
    assert printed.result_pdf(sheet).startswith(b"%PDF")


def test_without_typst_likewise(monkeypatch: pytest.MonkeyPatch) -> None:
    view, round_ = filled()
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(Refusal) as caught:
        printed.tally_sheet_pdf(sheet_of(view, round_, (), "zh"))
    assert caught.value.code == "cannot_print"


def test_the_chart_is_a_picture() -> None:
    view, round_ = filled()
    png = printed.chart_png(sheet_of(view, round_, (), "zh"))
    assert png is not None
    assert png.startswith(b"\x89PNG")
    assert printed.chart_png(sheet_of(view, filled("verdict")[1], (), "zh")) is None


def test_rehearsals_are_printed_as_such() -> None:
    view = samples.hearing(views.rehearsal)
    round_, _ = samples.panel(view, samples.KINDS["mean of five"])
    for data in (
        printed.tally_sheet_pdf(sheet_of(view, round_, (), "zh")),
        printed.forms_pdf(forms_of(view, round_, "zh")),
    ):
        assert all("演练" in page for page in pages(data))

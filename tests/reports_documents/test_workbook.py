"""The workbook shows every mark letter by letter as the result has it, and no text is a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import openpyxl
import pytest
from openpyxl.cell.cell import Cell

from server.reports.sheet import NONE, sheet_of
from server.reports.workbook import number_of, workbook
from tests.reports_documents import samples
from tests.web import views


def opened(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def displayed(cell: Cell) -> str:
    """What Excel shows in the cell, worked out from its format alone."""
    if cell.data_type == "s":
        return str(cell.value)
    assert cell.data_type == "n", cell.coordinate
    bare = cell.number_format.removesuffix("%")
    sign = cell.number_format[len(bare) :]
    places = len(bare.partition(".")[2])
    assert bare == "0" + ("." + "0" * places if places else "")
    value = Decimal(repr(float(cell.value))) * (100 if sign else 1)
    return f"{value:.{places}f}{sign}"


def tables(page: Any) -> dict[str, list[dict[str, str]]]:
    """The tables of a worksheet by title: a title stands alone in its row, the head below it."""
    rows = [[c for c in row if c.value is not None] for row in page.iter_rows()]
    found: dict[str, list[dict[str, str]]] = {}
    for above, head in pairwise(rows):
        if len(above) == 1 and len(head) > 1 and head[0].value == "述法人":
            names = [str(cell.value) for cell in head]
            kept = found[str(above[0].value)] = []
            for row in rows[rows.index(head) + 1 :]:
                if not row:
                    break
                kept.append(dict(zip(names, map(displayed, row), strict=True)))
    return found


@pytest.mark.parametrize("kind", samples.KINDS)
def test_every_mark_is_the_results(kind: str) -> None:
    view = samples.hearing()
    round_, ballots = samples.panel(view, samples.KINDS[kind])
    book = opened(workbook(sheet_of(view, round_, samples.certified(round_), "zh"), ballots))
    assert book.sheetnames == ["结果", "维度与组别", "计票规则", "票", "说明"]
    page = book["结果"]
    head = next(row for row in page.iter_rows() if row[0].value == "序号")
    names = [cell.value for cell in head]
    assert page.freeze_panes == f"A{head[0].row + 1}"
    assert page.page_setup.paperSize == 9
    marks = tables(book["维度与组别"])
    assert round_.result
    for i, one in enumerate(round_.result["subjects"]):
        row = dict(zip(names, page[head[0].row + 1 + i], strict=True))
        name = view.subject(one["subject"]).name  # type: ignore[union-attr]
        assert row["述法人"].value == name
        if kind != "verdict":
            assert displayed(row["总分"]) == samples.as_read(kind, one["total"], "total")
            assert displayed(row["位次"]) == str(one["rank"] or NONE)
        if one["grade"]:
            assert row["等次"].value == samples.WORDS[one["grade"]]
        assert displayed(row["有效票"]) == str(one["ballots"]["valid"])
        for title, where in (("各维度得分", "dimensions"), ("各组得分", "groups")):
            told = {name_of(key): samples.as_read(kind, mark) for key, mark in one[where].items()}
            shown = marks[title][i] if told else {"述法人": name}
            assert shown == {"述法人": name, **told}
        sheets = dict(
            zip(
                ("有效票", "弃权", "不了解", "废票"), map(str, one["ballots"].values()), strict=True
            )
        )
        assert marks["票数"][i] == {"述法人": name, **sheets}


def name_of(key: str) -> str:
    return samples.WORDS.get(key) or next(name for k, name, _ in views.GROUPS if k == key)


def test_the_samples_have_every_kind_of_mark() -> None:
    """A mark that is rounded, one that is a fraction, and one that is not there."""
    view = samples.hearing()
    totals = [
        one["total"]
        for rules in samples.KINDS.values()
        for one in (samples.panel(view, rules)[0].result or {})["subjects"]
    ]
    assert None in totals
    assert any("/" in str(total) for total in totals)
    assert any(str(total).endswith("0") and "." in str(total) for total in totals)


def test_the_ballots_are_all_there_for_those_who_may_see_them() -> None:
    view = samples.hearing()
    round_, ballots = samples.panel(view, samples.KINDS["mean of five"])
    sheet = sheet_of(view, round_, (), "zh")
    rows = [[cell.value for cell in row] for row in opened(workbook(sheet, ballots))["票"].rows]
    assert [[value or "" for value in row] for row in rows] == list(
        csv.reader(io.StringIO(ballots))
    )
    assert "票" not in opened(workbook(sheet)).sheetnames


@pytest.mark.parametrize("hostile", ["=1+1", "@SUM(A1)", "+1", "-1+2", "{=1}", "http://a.example/"])
def test_what_people_typed_is_text(hostile: str) -> None:
    view = samples.hearing()
    view = replace(
        view, subjects=tuple(replace(s, name=hostile, unit=hostile) for s in view.subjects)
    )
    round_, ballots = samples.panel(view, samples.KINDS["mean of five"], title=hostile)
    round_ = replace(round_, labels={**samples.WORDS, "personally": hostile, "plain": hostile})
    data = workbook(sheet_of(view, round_, (), "zh"), ballots.replace("seat-001", hostile))
    seen = 0
    for page in opened(data):
        for row in page.iter_rows():
            for cell in row:
                assert cell.data_type in {"s", "n"}
                assert cell.hyperlink is None
                seen += cell.value == hostile
    assert seen > 20


@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("7.50", (7.5, "0.00")),
        ("20", (20.0, "0")),
        ("-0.25", (-0.25, "0.00")),
        ("0.1", (0.1, "0.0")),
        ("96.840", (96.84, "0.000")),
        ("123456789012.345", (123456789012.345, "0.000")),
        ("1234567890123.456", None),  # sixteen digits
        ("260/3", None),
        ("61.8%", (0.618, "0.0%")),
        ("100%", (1.0, "0%")),
        ("—", None),
        ("1e5", None),
        ("", None),
    ],
)
def test_a_number_where_it_shows_exactly_the_text(
    text: str, shown_as: tuple[float, str] | None
) -> None:
    assert number_of(text) == shown_as


def test_a_public_round_shows_counts_and_bears_its_note() -> None:
    view = samples.hearing(views.rehearsal)
    book = opened(workbook(sheet_of(view, views.public_round("published"), (), "en")))
    assert book.sheetnames == ["Result", "Rules", "About"]
    texts = [str(cell.value) for row in book["Result"].iter_rows() for cell in row]
    assert "742" in texts
    assert any(text.startswith("Public feedback is for information") for text in texts)
    assert any(text.startswith("Made in a rehearsal") for text in texts)

"""Screen, JSON, XLSX, DOCX, PDF and bundle say the same of a round, letter by letter."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from random import Random

import pytest

from server.reports.document import result_document
from server.reports.printed import result_pdf, tally_sheet_pdf
from server.reports.sheet import NONE, sheet_of
from server.reports.workbook import workbook
from tests.nursery import ROOT
from tests.reports import making
from tests.reports_documents import samples, test_document, test_printed, test_workbook
from tests.web import views
from web.pages.results import round_view

MARK = re.compile(r"-?\d+(?:\.\d+)?(?:/\d+)?%?")


@pytest.mark.parametrize("kind", samples.KINDS)
def test_six_outputs_say_the_same(kind: str) -> None:
    rules, chance = samples.KINDS[kind], Random(kind)
    view = samples.hearing()
    round_, ballots = samples.panel(view, rules)
    rows = [tuple(row) for row in csv.reader(io.StringIO(ballots))][1:]
    material = making.panel_material(chance, rules, rows, "secret")
    bundle = making.bundle(material)
    result = json.loads(bundle.editions["sealed"]["result.json"])
    public = json.loads(bundle.editions["public"]["result.json"])  # It may keep small groups back.
    for one, sealed in zip(public["subjects"], result["subjects"], strict=True):
        assert [one[key] for key in ("total", "rank", "grade")] == [
            sealed[key] for key in ("total", "rank", "grade")
        ]
    round_ = replace(round_, id=material.round, result=result, root=bundle.root)
    sheet = sheet_of(view, round_, samples.certified(round_), "zh")
    screen = {one.key: one for one in round_view(view, round_, "zh", "public").subjects}
    book = test_workbook.opened(workbook(sheet))
    cells = {
        test_workbook.displayed(c)
        for page in book
        for row in page.iter_rows()
        for c in row
        if c.value is not None
    }
    document = test_document.text_of(test_document.opened(result_document(sheet)))
    papers = [test_printed.text_of(made(sheet)) for made in (result_pdf, tally_sheet_pdf)]
    for one in result["subjects"]:
        shown = screen[one["subject"]]
        total = samples.as_read(kind, one["total"], "total")
        assert shown.total == total
        assert shown.rank == one["rank"]
        assert shown.grade == samples.WORDS.get(one["grade"], "")
        marks = [*one["dimensions"].values(), *one["groups"].values()]
        for read in (total, *(samples.as_read(kind, mark) for mark in marks)):
            if read == NONE:
                continue
            assert read in cells
            assert read in MARK.findall(document)
            assert all(read in paper for paper in papers)
        for mark in shown.marks:
            assert mark.mark in cells
        if shown.grade:
            assert shown.grade in cells
            assert all(shown.grade in one for one in (document, *papers))
    for text in (document, *papers, *(" ".join(cells),)):
        for digits in (bundle.root, result["rules_hash"], result["ballots_hash"]):
            assert digits in text


def test_a_public_round_likewise() -> None:
    view, round_ = samples.hearing(), views.public_round("published", published_to=("public",))
    sheet = sheet_of(view, round_, (), "zh")
    screen = round_view(view, round_, "zh", "public").choices
    assert [(c.label, c.count, c.share) for c in screen] == [
        (c.label, c.count, c.share) for c in sheet.choices
    ]
    book = test_workbook.opened(workbook(sheet))
    cells = {
        test_workbook.displayed(c)
        for row in book["结果"].iter_rows()
        for c in row
        if c.value is not None
    }
    paper = test_printed.text_of(result_pdf(sheet))
    for one in screen:
        assert {str(one.count), one.share} <= cells
        assert str(one.count) in paper
        assert one.share in paper


def test_the_server_starts_without_what_makes_documents() -> None:
    heavy = {"typst", "docx", "xlsxwriter", "lxml"}
    code = f"import sys, server.app; print(sorted({heavy!r} & set(sys.modules)))"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"

"""The panel's tablets: the sheet says what the rules say, and nothing leaks from seat to seat."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from server.domain.view import FloorRequest, QueueView
from tests.web.gallery import PAGES
from tests.web.sheets import QUOTAS, VERDICT
from tests.web.test_pages import frozen
from tests.web.views import AT, RULES, full, overrun, panel_open, panel_round, question
from web.layout.page import render
from web.pages.panel import context

PANEL = PAGES["panel"]
LABELS = {
    "version": 1,
    "scale": {
        "kind": "labels",
        "labels": [
            {"key": "good", "label": "满意", "points": "100"},
            {"key": "poor", "label": "不满意", "points": "50"},
        ],
    },
    "dimensions": [
        {"key": "a"},
        {"key": "b", "scale": {"kind": "number", "min": "0", "max": "100", "step": "0.5"}},
        {"key": "c", "scale": {"kind": "number", "min": "1", "max": "10", "step": "1"}},
    ],
    "ballot": {"required": "all"},
    "within": "mean",
    "across": "sum",
}


def sheet(rules: Any = RULES, lang: str = "zh", **more: Any) -> tuple[context.Sheet, str]:
    """The context and the HTML of a sheet."""
    found = context.sheet(panel_open(), panel_round(rules=rules, **more), lang)
    assert frozen(found)
    return found, render("panel/_sheet.html", lang, f=found)


def test_a_scale_of_0_to_20_has_a_button_each() -> None:
    found, text = sheet()
    assert [line.kind for line in found.lines] == ["buttons"] * 5
    assert [m.value for m in found.lines[0].marks] == [str(n) for n in range(21)]
    assert found.lines[0].label == "履职亲自抓"
    assert len(re.findall(r'type="radio" name="m\.', text)) == 3 * 5 * 21
    assert found.sums


def test_labels_and_long_scales() -> None:
    found, text = sheet(LABELS, labels={"a": "总体", "good": "很满意"})
    kinds = [(line.label, line.kind) for line in found.lines]
    assert kinds == [("总体", "labels"), ("b", "stepper"), ("c", "buttons")]
    assert [m.label for m in found.lines[0].marks] == ["很满意", "不满意"]
    assert [m.value for m in found.lines[1].marks] == [str(n) for n in range(0, 101, 10)]
    assert [m.value for m in found.lines[2].marks] == [str(n) for n in range(1, 11)]
    assert found.required_all
    assert found.sums
    assert 'data-all="yes"' in text
    assert 'data-points="50"' in text


def test_labels_without_points_make_no_total() -> None:
    found, text = sheet(VERDICT)
    assert not found.sums
    assert "data-sums" not in text
    assert "data-across" not in text
    assert "data-points" not in text


def test_what_the_rules_ask_of_a_ballot_stands_on_the_sheet() -> None:
    found, text = sheet(QUOTAS, lang="en")
    assert [one.words for one in found.quotas] == ["90 or more: at most 3", "below 70: at least 1"]
    assert 'data-most="3"' in text
    assert 'data-unequal="yes"' in text
    assert "data-unfull" not in text


def test_no_mark_is_preselected() -> None:
    for rules in (RULES, LABELS):
        _, text = sheet(rules)
        for radio in re.findall(r"<input type=\"radio\"[^>]*>", text):
            assert ("checked" in radio) == ('value="mark"' in radio), radio
        assert not re.search(r'class="value"[^>]* value=', text)


def test_each_subject_may_be_abstained_on_or_recused_from() -> None:
    found, text = sheet()
    assert len(found.officials) == 3
    for mode in ("dont_know", "abstain", "recuse"):
        assert len(re.findall(f'data-mode="{mode}"', text)) == 3


def test_the_rules_are_told_in_words_that_people_know() -> None:
    found, _ = sheet()
    told = "".join(found.rules)
    assert "“履职亲自抓”" in told
    assert "personally" not in told
    assert "“人大代表”" in told
    assert "deputies" not in told


def test_a_round_whose_first_ballot_counts_says_so() -> None:
    assert "提交后不能修改" in sheet(replacing="first")[1]
    assert "提交后不能修改" not in sheet()[1]


def test_a_deputy_is_named_on_the_sheet() -> None:
    found = context.sheet(overrun(), panel_round(), "zh")
    assert [one.deputy for one in found.officials] == ["堵云生", "", ""]


def test_only_running_panel_rounds_have_a_sheet() -> None:
    assert context.takes_ballots(panel_round("open"))
    assert context.takes_ballots(panel_round("closing"))
    for status in ("ready", "closed", "tallied", "certified", "published", "voided"):
        assert not context.takes_ballots(panel_round(status))


def test_given_questions_bear_the_seat_and_the_place() -> None:
    queued = tuple(question(i, "queued") for i in range(3))
    view = replace(full(), queue=QueueView(3, (1, 2, 3), queued, {1: 3, 3: 7}))
    found = context.given(view, "zh").questions
    assert [(one.seat, one.place) for one in found] == [(3, 1), (7, 3)]
    text = str(PANEL.fragment("given", view, "zh"))
    assert text.count("您是下一位") == 1
    assert "前面还有 2 个问题" in text


def test_what_a_seat_wrote_reaches_no_other_tablet() -> None:
    for status in ("open", "granted", "declined"):
        asked = FloorRequest(1, 4, "虢小满", "ask", "我的问题", AT, status)
        view = replace(full(), requests=(asked,))
        assert "我的问题" not in PANEL.everything(view, "zh")
        assert "虢小满" not in str(PANEL.fragment("floor", view, "zh"))


def test_a_seat_is_told_what_became_of_its_request() -> None:
    for status, told, buttons in (
        ("open", "请等待安排", 0),
        ("granted", "已安排", 1),
        ("declined", "本次未安排", 2),
    ):
        asked = FloorRequest(1, 4, "虢小满", "follow_up", "", AT, status)
        text = str(PANEL.fragment("floor", replace(full(), requests=(asked,)), "zh"))
        assert told in text
        assert text.count("<button") == buttons
        open_at_the_host = str(
            PAGES["host"].fragment("floor", replace(full(), requests=(asked,)), "zh")
        )
        assert ("虢小满" in open_at_the_host) == (status == "open")


def test_figures_come_only_with_their_publication_in_the_hall() -> None:
    for published in ((), ("internal",)):
        status = "published" if published else "certified"
        view = replace(full(), rounds=(panel_round(status, published_to=published),))
        assert "86.42" not in PANEL.everything(view, "zh")
    view = replace(full(), rounds=(panel_round("published", published_to=("hall",)),))
    assert "86.42" in PANEL.everything(view, "zh")

"""The moderators' desk: lists, the chosen question with exactly the acts of its state, the queue."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import httpx2
import pytest

from server.domain.questions import EDITABLE, HIDDEN, NEXT, REJECTION_REASONS, STATES, Question
from tests.running import Running
from tests.web.gallery import PAGES
from tests.web.test_pages import LANGUAGES, Reader, frozen
from tests.web.views import AT, SUBJECTS, full, question
from web.layout.page import render
from web.pages.desk import context

DESK = PAGES["desk"]
ADDRESS = {
    "approve": "POST …/approval",
    "unreject": "DELETE …/rejection",
    "shortlist": "POST …/shortlisting",
    "unshortlist": "DELETE …/shortlisting",
    "unmerge": "DELETE …/merging",
    "reply": "POST …/reply",
    "close": "POST …/closing",
}


def pane(one: Question, lang: str = "zh") -> str:
    """The HTML of a chosen question."""
    found = context.pane("s", one, SUBJECTS, ((1, "最初的写法"),), "请再看看", lang)
    assert frozen(found)
    text = render("desk/_question.html", lang, f=found)
    reader = Reader()
    reader.feed(text)
    assert reader.wrong == []
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    return text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("status", STATES)
def test_a_question_offers_exactly_the_acts_of_its_state(status: str, lang: str) -> None:
    text = pane(question(0, status, tags=("住房", "证照")), lang).replace(
        "/api/v1/hearings/s/desk/questions/1", "…"
    )
    ready = "screened" if status == "received" else status
    for act, address in ADDRESS.items():
        assert (f'data-act="{address}"' in text) == (ready in NEXT[act]), (status, act)
    assert ('id="reject"' in text) == (ready in NEXT["reject"])
    assert ('id="merge"' in text) == (ready in NEXT["merge"])
    assert ('id="edit"' in text) == (status in EDITABLE)
    assert ("Original" if lang == "en" else "原文") in text
    assert "最初的写法" in text
    assert "请再看看" in text


def test_every_reason_has_its_digit() -> None:
    text = pane(question(0, "screened"))
    for drawer, most in (("reject", 8), ("verify", 3), ("escalate", 4)):
        there = text[text.index(f'id="{drawer}"') :]
        digits = re.findall(r'data-digit="(\d)"', there)[:most]
        assert digits == [str(n + 1) for n in range(most)], drawer
    for code, (zh, _) in REJECTION_REASONS.items():
        assert f'{{"reason":"{code}"}}' in text
        assert zh in text


def test_the_text_of_an_off_the_cuff_question_is_typed_later() -> None:
    asked = question(0, "on_stage", off_cuff=True, text="")
    assert 'id="edit"' in pane(asked)
    assert 'id="edit"' not in pane(replace(asked, off_cuff=False, text="已在台上"))


def test_no_key_does_two_things() -> None:
    for status in STATES:
        keys = re.findall(r'data-key="(\w)"', pane(question(0, status, appealed=True)))
        assert len(keys) == len(set(keys)), status
        assert not set(keys) & set("jkn"), status


def test_lists_cover_every_state_once() -> None:
    named = [s for states, _ in context.STATES_OF for s in states.split(",") if s]
    assert sorted([*named, *HIDDEN]) == sorted(STATES)
    view = replace(full(), counts={"received": 4, "screened": 6, "approved": 14, "closed": 1})
    lines = context.counts(view, "zh").lines
    found = {line.states: line.count for line in lines if not line.lane}
    assert {line.lane: line.count for line in lines if line.lane} == {"live": 3, "mine": None}
    assert found["received,screened"] == 10
    assert found[""] == 25
    assert "converted" not in found
    assert found["closed"] == 1


def test_appeals_are_a_list_while_any_waits() -> None:
    lines = {one.lane: one for one in context.counts(full(), "zh").lines if one.lane}
    assert "appealed" not in lines
    some = context.counts(replace(full(), appeals=2), "zh")
    lines = {one.lane: one for one in some.lines if one.lane}
    assert (lines["appealed"].word, lines["appealed"].count) == ("申诉", 2)
    assert 'data-lane="appealed"' in render("desk/_counts.html", "zh", f=some)


def test_both_answers_to_an_appeal_stand_beside_it_while_it_waits() -> None:
    waits = question(0, "rejected", appealed=True)
    text = pane(waits)
    assert 'data-key="h" data-do="uphold"' in text
    assert "申诉成立，撤销退回" in text
    assert re.search(r'<form [^>]*id="uphold"[^>]*/upholding"', text)
    for other, said in (
        (replace(waits, appealed=False), ""),
        (replace(waits, appeal_outcome="upheld", appeal_note="请写明路段。"), "请写明路段。"),
        (replace(waits, status="screened", appeal_outcome="granted"), "申诉成立，重新审核。"),
    ):
        text = pane(other)
        assert 'data-do="uphold"' not in text
        assert "申诉成立，撤销退回" not in text
        assert said in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_of_the_list_loads_the_next(lang: str) -> None:
    questions = [question(i, "screened", text="字" * 500) for i in range(5)]
    found = context.listing(questions, SUBJECTS, "/h/s/desk/list?cursor=1&q=a", AT, lang)
    assert frozen(found)
    text = render("desk/_list.html", lang, f=found)
    reader = Reader()
    reader.feed(text)
    assert reader.wrong == []
    assert reader.open == []
    assert text.count("data-row=") == 5
    assert 'hx-get="/h/s/desk/list?cursor=1&amp;q=a"' in text
    assert max(len(row.text) for row in found.rows) == context.ROW_TEXT
    assert "hx-get" not in render(
        "desk/_list.html", lang, f=context.listing(questions, SUBJECTS, "", AT, lang)
    )


@pytest.mark.parametrize(
    ("asked_at", "chinese", "english"),
    [
        ("2026-11-25 00:00", "00:00", "00:00"),
        ("2026-11-25 23:59", "23:59", "23:59"),
        ("2026-11-24 23:59", "11月24日 23:59", "24 Nov 23:59"),
        ("2026-01-03 09:14", "1月3日 09:14", "3 Jan 09:14"),
        ("2025-11-25 09:14", "2025年11月25日 09:14", "25 Nov 2025 09:14"),
    ],
)
def test_what_came_in_on_another_day_tells_its_date(
    asked_at: str, chinese: str, english: str
) -> None:
    def ms(text: str) -> int:
        return int(datetime.fromisoformat(text + "+08:00").timestamp() * 1000)

    old = question(0, "screened", created_at=ms(asked_at))
    for lang, told in (("zh", chinese), ("en", english)):
        found = context.listing((old,), SUBJECTS, "", ms("2026-11-25 14:00"), lang)
        assert f'<time class="num">{told}</time>' in render("desk/_list.html", lang, f=found)


def test_an_empty_list_says_so() -> None:
    assert "没有符合条件" in render(
        "desk/_list.html", "zh", f=context.listing((), SUBJECTS, "", AT, "zh")
    )


def test_what_the_public_writes_is_text_and_never_markup() -> None:
    nasty = question(0, "screened", text='<img src=x onerror="a()">', tags=("<b>",), title="<i>")
    text = pane(nasty)
    assert "<img" not in text
    assert "<b>" not in text
    assert "<i>" not in text


def test_the_queue_shows_now_next_and_the_seat() -> None:
    text = str(DESK.fragment("queue", full(), "zh"))
    assert "台上" in text
    assert "下一问" in text
    assert "已交给3号席" in text
    assert 'data-version="3"' in text


def test_a_number_that_is_no_questions_is_no_error_of_ours(shared_demo: Running) -> None:
    desk, large = shared_demo.as_("moderator"), "9" * 30
    for path in (f"question/{large}", "question/-1", f"list?cursor={large}", "list?cursor=-1"):
        answer = httpx2.get(
            f"{shared_demo.url}/h/{shared_demo.slug}/desk/{path}",
            headers={"Authorization": f"Bearer {desk.token}"},
            trust_env=False,
        )
        assert answer.status_code == 422, path

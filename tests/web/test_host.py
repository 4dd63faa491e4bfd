"""The host's console: Next only moves the show, grave acts are held, no value before its release."""

from __future__ import annotations

import html as escaping
import json
import re
from dataclasses import replace

import pytest

from server.domain.hearing import following
from server.domain.view import Lease, QueueView
from tests.web.gallery import PAGES, html
from tests.web.views import (
    AT,
    CASES,
    SEATS,
    full,
    overlong,
    panel_open,
    panel_round,
    public_round,
    question,
    speaking,
)
from web.layout.texts import Texts
from web.pages.host import context

HOST = PAGES["host"]
GRAVE = ("/closing", "/certification", "/publication", "/voiding", "/runs")
BUTTON = re.compile(r"<button[^>]*>")


def acts(text: str) -> list[tuple[str, str]]:
    """(what a button does, its tag)."""
    found = []
    for tag in BUTTON.findall(text):
        act = re.search(r'data-act="([^"]+)"', tag)
        if act:
            found.append((act[1], tag))
    return found


@pytest.mark.parametrize("case", CASES)
def test_what_ends_or_publishes_is_held(case: str) -> None:
    for act, tag in acts(html("host", case, "zh")):
        if any(act.endswith(one) for one in GRAVE):
            assert "data-held" in tag, tag
        ends = re.search(r'"status": ?"(ended|certified|archived|live)"', escaping.unescape(tag))
        if ends and not (ends[1] == "live" and case == "paused"):
            assert "data-held" in tag, tag


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_whoever_ends_the_hearing_is_told_which_rounds_are_not_finished(lang: str) -> None:
    left = [panel_round(status) for status in ("open", "closing", "closed", "tallied")]
    left = [replace(one, id=str(n), title=f"第{n}轮") for n, one in enumerate(left)]
    view = replace(speaking(), rounds=(*left, public_round("ready")))
    for status in ("live", "paused"):
        now = replace(view, hearing=replace(view.hearing, status=status))
        text = str(HOST.fragment("run", now, lang))
        told = re.search(r'<div[^>]*id="run-unfinished".*?</div>', text, re.S)
        assert told
        for one in now.rounds:
            assert f"{one.title}</span> <b>{Texts(lang).round(one.status)}<" in told[0]
        (button,) = [tag for _, tag in acts(text) if "ended" in tag]
        assert 'aria-describedby="run-unfinished"' in button
        assert "data-held" in button
        assert re.search(r"（5轮未完成）|unfinished rounds: 5", text)
    over = replace(view, rounds=tuple(map(panel_round, ("certified", "published", "voided"))))
    assert "run-unfinished" not in str(HOST.fragment("run", over, lang))
    ended = replace(view, hearing=replace(view.hearing, status="ended"))
    assert "run-unfinished" not in str(HOST.fragment("run", ended, lang))


@pytest.mark.parametrize("case", CASES)
def test_next_and_back_only_move_the_show(case: str) -> None:
    view = CASES[case]()
    for act, tag in acts(str(HOST.fragment("now", view, "zh"))):
        assert act == "PUT /api/v1/hearings/yunlan-shufa/position", tag
    found = re.search(r'id="next"[^>]*data-body=\'([^\']+)\'', HOST.everything(view, "zh"))
    ahead = following(view.items, view.position)
    assert (found is None) == (ahead is None)
    if found and ahead:
        body = json.loads(found[1])
        assert (body["item"], body["step"]) == ahead
        assert body["version"] == (view.position.version if view.position else 0)


def test_next_says_in_words_what_it_does_and_what_it_leaves_alone() -> None:
    text = str(HOST.fragment("now", panel_open(), "zh"))
    assert "下一步将进入" in text
    assert "市城市管理局述法" in text
    assert "“测评：三位述法人”继续进行，不会截止。" in text
    assert "台上的问题留在屏幕上" in str(HOST.fragment("now", full(), "zh"))


@pytest.mark.parametrize("status", ["open", "closing", "closed", "tallied", "certified"])
def test_no_value_before_its_release(status: str) -> None:
    rounds = (public_round(status, show_live=False), panel_round(status))
    text = HOST.everything(replace(full(), rounds=rounds), "zh")
    for mark in ("86.42", "91.07", "18.10", "742", "306"):
        assert mark not in text, mark


def test_each_publication_is_a_button_of_its_own() -> None:
    line = panel_round("published", publishers=("host",), published_to=("internal",))
    text = str(HOST.fragment("rounds", replace(full(), rounds=(line,)), "zh"))
    bodies = [json.loads(b) for b in re.findall(r"publication\" data-body='([^']+)'", text)]
    assert [b["audience"] for b in bodies] == ["internal", "hall", "public"]
    assert "会场公布" in text
    assert "向公众公布" in text


def test_acts_of_a_round_follow_its_state() -> None:
    def offered(status: str) -> set[str]:
        to = ("hall",) if status == "published" else ()
        line = panel_round(status, publishers=("host",), published_to=to)
        text = str(HOST.fragment("rounds", replace(speaking(), rounds=(line,)), "zh"))
        return {act.rsplit("/", 1)[1] for act, _ in acts(text)}

    assert offered("ready") == {"opening"}
    assert offered("open") == {"closing"}
    assert offered("closing") == {"closing"}
    assert offered("closed") == set()
    assert offered("tallied") == {"certification"}
    assert offered("certified") == {"publication"}
    assert offered("published") == {"publication", "reveal"}
    assert offered("voided") == set()


@pytest.mark.parametrize(
    ("status", "show", "offered", "sentence"),
    [
        ("tallied", {"signers": ("teller", "host")}, "certification", "计票人（待签）"),
        (
            "tallied",
            {"signers": ("teller", "scrutineer", "host"), "signed": ("host",)},
            "",
            "等待计票人、监票人计票确认。",
        ),
        ("tallied", {"signers": ("teller",)}, "", "等待计票人计票确认。"),
        ("certified", {"publishers": ("approver", "office")}, "", "由审定人、办公室人员公布。"),
        ("certified", {"publishers": ("approver", "host")}, "publication", "向公众公布"),
    ],
)
def test_the_host_is_offered_what_the_show_lets_the_host_do(
    status: str, show: dict[str, tuple[str, ...]], offered: str, sentence: str
) -> None:
    line = panel_round(status, **show)
    text = str(HOST.fragment("rounds", replace(speaking(), rounds=(line,)), "zh"))
    assert {act.rsplit("/", 1)[1] for act, _ in acts(text)} == ({offered} if offered else set())
    assert sentence in text


def test_nobody_is_named_to_publish_what_is_public() -> None:
    for to, named in (("hall", True), ("public", False)):
        line = panel_round("published", published_to=(to,))
        text = str(HOST.fragment("rounds", replace(speaking(), rounds=(line,)), "zh"))
        assert ("由审定人公布。" in text) is named


def test_the_seat_map_stands_in_the_order_of_the_letters() -> None:
    found = context.rounds(panel_open(), "zh").lines[1]
    assert [seat.number for seat in found.seats] == [seat.number for seat in SEATS]


def test_a_text_too_long_for_the_stage_cannot_be_taken() -> None:
    long_one = question(0, "queued", text="字" * 601)
    view = replace(speaking(), queue=QueueView(1, (1,), (long_one,), {}))
    assert not context.queue(view, "zh").lines[0].fits
    text = str(HOST.fragment("queue", view, "zh"))
    assert "超过600字" in text
    assert re.search(r"stage\"[^>]*disabled", text)


def test_controls_tell_who_holds_them_and_are_taken_over_with_one_press() -> None:
    view = replace(full(), leases=(Lease("rounds", "s", "主持台乙", AT),))
    text = str(HOST.fragment("leases", view, "zh"))
    for kind in ("show", "screens", "rounds"):
        assert f'data-act="PUT /api/v1/hearings/yunlan-shufa/leases/{kind}"' in text
    assert "主持台乙" in text
    assert text.count("未占用") == 2
    assert f'data-at="{AT}"' in text
    assert '"s"' not in text  # a session is nobody else's business


def test_off_the_cuff_asks_for_its_text_until_it_is_there() -> None:
    view = full()
    assert view.stage
    asked = question(5, "on_stage", source="panel", off_cuff=True, text="")
    without = replace(view, stage=replace(view.stage, question=asked))
    assert context.stage(without, "zh").needs_text
    given = replace(view, stage=replace(view.stage, question=replace(asked, text="有了")))
    assert not context.stage(given, "zh").needs_text


def test_long_things_are_all_there() -> None:
    text = HOST.everything(overlong(), "zh")
    assert "阿依古丽" in text

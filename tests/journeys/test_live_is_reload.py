"""Law 6: after any act, an old page plus the fragments pushed to it equals the page freshly loaded.

Every page stands open in both languages in a real browser while a scenario makes every event of
`domain/events.py` happen. After each act each page's fragments are compared with those of the
same address loaded anew. Left out are only the slots that pulses write (`data-pulse`), countdown
texts, and what scripts keep for themselves (`data-own`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from server.domain.events import EVENTS, ROOMS
from tests.contract.right_calls import asked_for_seat, commented_round, office_of, sent_brief
from tests.journeys.browser import chromium, open_page
from tests.nursery import finished
from tests.running import Client, Running, new_key, round_until
from web.renderer import PAGES

pytestmark = [pytest.mark.system, pytest.mark.timeout(700)]

COMPARE = """
async ([version, names]) => {
  const told = () => +document.body.dataset.version
  for (const end = Date.now() + 15_000; told() < version; await new Promise(done => setTimeout(done, 5))) {
    if (Date.now() > end) return [`the page stays at version ${told()} of ${version}`]
  }
  const slot = '[data-ends-at],[data-remaining],[data-clock],[data-pulse]'
  const clean = root => {
    const copy = root.cloneNode(true)
    for (const own of copy.querySelectorAll('[data-own]')) own.remove()
    for (const one of [copy, ...copy.querySelectorAll('*')]) {
      if (one.matches(slot)) one.textContent = ''
      if (one.matches('[data-bar]')) one.removeAttribute('width')
      for (const name of ['style', 'data-state', 'aria-busy', 'data-holding', 'hidden']) one.removeAttribute(name)
      if (one.getAttribute('class') === '') one.removeAttribute('class')
    }
    return copy.outerHTML.replace(/\\s+/g, ' ').replace(/> </g, '><')
  }
  for (const button of document.querySelectorAll('[data-release]')) if (!button.hidden) button.click()
  const text = await (await fetch(location.href, {cache: 'no-store'})).text()
  const fresh = new DOMParser().parseFromString(text, 'text/html')
  const wrong = []
  for (const name of names) {
    const old = document.getElementById(name), now = fresh.getElementById(name)
    if (!old || !now) { wrong.push(`${name}: ${!old ? 'not on the old page' : 'not on the new page'}`); continue }
    if (old.outerHTML === now.outerHTML) continue
    const a = clean(old), b = clean(now)
    if (a !== b) {
      let i = 0
      while (a[i] === b[i]) i++
      wrong.push(`${name}: old …${a.slice(Math.max(0, i - 60), i + 160)}… new …${b.slice(Math.max(0, i - 60), i + 160)}…`)
    }
  }
  return wrong
}
"""


def scenario(demo: Running) -> Iterator[str]:
    """Acts that make every event happen, one after the other; says what was done. Each is seen on all
    pages before the next: of two that are read at once, the first one's fragments may show the second.
    """
    host, desk = demo.as_("host"), demo.as_("moderator")
    here = demo.here
    rounds = {r["id"]: r for r in demo.state()["rounds"]}
    public = next(i for i, r in rounds.items() if r["status"] == "open")
    panel = [i for i, r in rounds.items() if r["audience"] == "panel"]
    viewer = demo.viewer()
    asked = viewer.do(
        "POST", f"{here}/questions", {"text": "请问处罚决定多久公开？<b>&"}, new_key()
    )
    yield "question_received"
    listed = desk.get(f"{here}/desk/questions?q=处罚决定多久公开")["items"]
    id_ = listed[0]["id"]
    desk.do("POST", f"{here}/desk/questions/{id_}/approval")
    yield "approved"
    other = desk.get(f"{here}/desk/questions?status=screened")["items"]
    desk.do("POST", f"{here}/desk/questions/{other[0]['id']}/rejection", {"reason": "unclear"})
    yield "rejected"
    for outcome in ("granted", "upheld"):
        yield from _appealed(demo, outcome)
    desk.do("POST", f"{here}/desk/questions/{other[1]['id']}/merging", {"into": id_})
    yield "merged"
    yield from _together(demo, [one["id"] for one in other[2:5]])
    version = desk.get(f"{here}/desk/questions/{id_}")["version"]
    desk.do(
        "PATCH",
        f"{here}/desk/questions/{id_}",
        {"version": version, "text": "处罚决定几日内公开？"},
    )
    yield "reworded"
    desk.do("POST", f"{here}/desk/questions/{id_}/shortlisting", {})
    yield "shortlisted"
    queue = desk.get(f"{here}/queue")
    desk.do("PUT", f"{here}/queue", {"version": queue["version"], "ids": [id_, *queue["ids"]]})
    yield "queued"
    host.do("PUT", f"{here}/queue/{id_}/asker", {"seat": 3})
    yield "given"
    demo.as_("panel", 4).do("POST", f"{here}/floor", {"kind": "ask", "text": "我想追问数据"})
    yield "floor requested"
    wishes = [
        demo.as_("panel", seat).do("POST", f"{here}/floor", {"kind": kind, "text": "依据哪一条？"})
        for seat, kind in ((0, "ask"), (0, "follow_up"))
    ]
    yield "two more requests"
    for wish, outcome in zip(wishes, ("granted", "declined"), strict=True):
        host.do("POST", f"{here}/floor/{wish['id']}/outcome", {"outcome": outcome})
        yield f"floor {outcome}"
    spare = [asked_for_seat(demo, 20) for _ in range(2)]
    yield "two spare tablets asked"
    for one, outcome in zip(spare, ("declined", "granted"), strict=True):
        host.do("POST", f"{here}/takeovers/{one['id']}/outcome", {"outcome": outcome})
        yield f"takeover {outcome}"
    host.do("PUT", f"{here}/stage", {"question": id_})
    yield "taken"
    host.do("PATCH", f"{here}/stage", {"phase": "answering"})
    yield "phase"
    host.do("DELETE", f"{here}/stage?outcome=deferred")
    yield "pulled"
    host.do("PUT", f"{here}/stage", {"question": id_, "asker": 7})
    yield "taken again"
    host.do("DELETE", f"{here}/stage?outcome=answered")
    yield "answered"
    rating = {"secret": asked["secret"], "rating": "solved"}
    demo.anyone().do("PUT", f"/questions/{asked['code']}/rating", rating)
    yield "the answer rated"
    host.do("PUT", f"{here}/stage", {"asker": "人大代表", "text": "当场追问：依据哪一条？"})
    yield "off the cuff"
    host.do("DELETE", f"{here}/stage?outcome=withdrawn")
    yield "withdrawn"
    approved = desk.get(f"{here}/desk/questions?status=approved")["items"][0]["id"]
    desk.do("POST", f"{here}/desk/questions/{approved}/closing", {"reason": "已并案处理"})
    yield "closed question"
    approved = desk.get(f"{here}/desk/questions?status=approved")["items"][0]["id"]
    desk.do("POST", f"{here}/desk/questions/{approved}/reply", {"reply": "已于本周书面答复。"})
    yield "replied in writing"
    words = ("import", _orders(demo.data), "--hearing", demo.slug, "--source", "more")
    assert finished(*words, data=demo.data).returncode == 0
    yield "imported"
    scheme = demo.data.parent / "topics.csv"
    scheme.write_text("一级分类,二级分类\n城乡建设,道路照明\n", encoding="utf-8")
    assert finished("topics", scheme, "--hearing", demo.slug, data=demo.data).returncode == 0
    yield "topics"
    slot = demo.state()["slot"]
    host.do(
        "PUT",
        f"{here}/position",
        {"version": slot["version"], "item": slot["item"], "step": "questions"},
    )
    yield "moved"
    coming = [
        i["id"] for i in demo.anyone().get(f"{here}/agenda")["items"] if i["status"] == "coming"
    ]
    host.do("PUT", f"{here}/agenda", {"order": [coming[1], coming[0], *coming[2:]]})
    yield "reordered"
    host.do("PATCH", f"{here}/agenda/{coming[0]}", {"deputy": "代述人"})
    yield "deputy"
    agenda = demo.anyone().get(f"{here}/agenda")["items"]
    step = next(i["steps"][0] for i in agenda if i["id"] == coming[0])
    version = demo.state()["slot"]["version"]
    host.do("PUT", f"{here}/position", {"version": version, "item": coming[0], "step": step})
    yield "another item"
    host.do("POST", f"{here}/notices", {"text": "请注意时间"})
    yield "notice"
    host.do("POST", f"{here}/notices/1/acknowledgement")
    yield "notice seen"
    state = demo.state()
    host.do("PUT", f"{here}/screens", {"cleared": True})
    yield "cleared"
    host.do("PUT", f"{here}/screens", {"cleared": False})
    yield "restored"
    host.do("PUT", f"{here}/leases/show", {})
    yield "lease"
    host.do(
        "POST",
        f"{here}/rounds",
        {
            "title": "加开一轮",
            "audience": "public",
            "subjects": [state["slot"]["subject"]],
            "choices": [{"key": "yes", "label": "清楚"}, {"key": "no", "label": "不清楚"}],
        },
    )
    yield "round created"
    viewer.do(
        "PUT",
        f"/rounds/{public}/ballot",
        {"choice": rounds[public]["choices"][0]["key"]},
        new_key(),
    )
    host.do("POST", f"/rounds/{panel[0]}/opening")
    yield "panel opened"
    told = host.get(f"/rounds/{panel[0]}")
    subject, dims = told["subjects"][0]["key"], [d["key"] for d in told["dimensions"]]
    host.do("PUT", f"/rounds/{panel[0]}/seats/21/paper", {"paper": True})
    yield "a seat on paper"
    for seat in range(20):
        demo.as_("panel", seat).do(
            "PUT",
            f"/rounds/{panel[0]}/ballot",
            {"marks": {subject: {d: str(10 + (seat + n) % 10) for n, d in enumerate(dims)}}},
            new_key(),
        )
    form = {"marks": {subject: dict.fromkeys(dims, "12")}}
    for who in ("teller", "scrutineer"):
        demo.as_(who).do("PUT", f"/rounds/{panel[0]}/paper/21", form)
    yield "the form keyed twice"
    host.do("POST", f"/rounds/{panel[0]}/closing", {"in": 8})
    yield "closing"
    round_until(demo, panel[0], "tallied", 20)
    time.sleep(1)
    yield "closed and tallied by the timekeeper"
    host.do("POST", f"/rounds/{panel[0]}/certification")
    yield "certified"
    host.do("POST", f"/rounds/{panel[0]}/publication", {"audience": "internal"})
    yield "internal"
    office, contest = demo.as_("office"), {"grounds": "三号表的分数录入有误，请复核。"}
    case, upheld = f"/rounds/{panel[0]}/contest", {"outcome": "upheld", "reason": "已逐票核对。"}
    office.do("POST", case, contest)
    yield "contested before the public knows"
    host.do("POST", f"{case}/decision", upheld)
    yield "upheld before the public knows"
    host.do("POST", f"/rounds/{panel[0]}/publication", {"audience": "hall"})
    yield "hall"
    for step in (1, 2, 0):
        host.do("PUT", f"/rounds/{panel[0]}/reveal", {"step": step})
        yield f"reveal {step}"
    host.do("POST", f"/rounds/{panel[0]}/publication", {"audience": "public"})
    yield "public"
    office.do("POST", case, contest)
    yield "contested"
    host.do("POST", f"{case}/decision", upheld)
    yield "upheld"
    office.do("POST", case, contest)
    yield "contested again"
    again = host.do("POST", f"/rounds/{panel[0]}/again")["id"]
    yield "held again"
    yield from _held(demo, again, subject, dims)
    host.do("POST", f"/rounds/{again}/certification")
    yield "the repeat certified"
    corrected = {"outcome": "corrected", "reason": "录入有误，已重新测评。", "round": again}
    host.do("POST", f"{case}/decision", corrected)
    yield "corrected"
    secret = {
        "title": "无记名一轮",
        "audience": "panel",
        "subjects": [subject],
        "secrecy": "secret",
    }
    rules = host.get(f"/rounds/{panel[0]}")["rules"]
    sealed = host.do("POST", f"{here}/rounds", {**secret, "rules": rules})["id"]
    yield "a secret round"
    yield from _held(demo, sealed, subject, dims)
    host.do("POST", f"/rounds/{panel[1]}/opening")
    yield "opened by mistake"
    host.do("POST", f"/rounds/{panel[1]}/voiding", {"reason": "误开"})
    yield "voided"
    strict = {**host.get(f"/rounds/{panel[0]}")["rules"], "empty_group": "refuse"}
    new = {"title": "无人打分", "audience": "panel", "subjects": [subject], "rules": strict}
    refused = host.do("POST", f"{here}/rounds", new)["id"]
    host.do("POST", f"/rounds/{refused}/opening")
    demo.as_("panel").do(
        "PUT", f"/rounds/{refused}/ballot", {"marks": {subject: {dims[0]: "10"}}}, new_key()
    )
    host.do("POST", f"/rounds/{refused}/closing")
    time.sleep(1)
    yield "tally refused"
    commented, comment = commented_round(demo)
    time.sleep(1)
    yield "a round with comments"
    review = f"/rounds/{commented}/comments/{comment}"
    demo.as_("scrutineer").do("PUT", review, {"outcome": "released"})
    yield "comment reviewed"
    source = {"key": "pushed", "name": "热线推送", "connector": "push", "channel": "hotline"}
    office.do("POST", f"{here}/sources", {**source, "settings": {}})
    yield "a source"
    yield from _read_in_advance(demo)
    original = demo.as_("moderator").get(f"{here}/desk/questions")["items"][0]["id"]
    reading = {"reason": "需要回访诉求人"}
    demo.as_("moderator").do("POST", f"{here}/desk/questions/{original}/unmasking", reading)
    yield "an original read"
    host.do("PUT", f"{here}/status", {"version": state["hearing"]["version"], "status": "paused"})
    yield "paused"
    assert asked["code"]


def _read_in_advance(demo: Running) -> Iterator[str]:
    """An official's office reads the shortlist and proposes a reply."""
    desk, subject = demo.as_("moderator"), demo.state()["slot"]["subject"]
    one = desk.get(f"{demo.here}/desk/questions?status=approved")["items"][0]
    path, brief = f"{demo.here}/desk/questions/{one['id']}", f"{demo.here}/brief/{subject}"
    desk.do("POST", f"{path}/shortlisting", {"subject": subject})
    sent_brief(demo, subject)
    yield "read in advance"
    office = Client(demo.url, cookie=office_of(demo, subject))
    office.do("PUT", f"{demo.here}/brief/replies/1", {"text": "已列入下月计划。"})
    yield "a reply proposed"
    desk.do("DELETE", brief)
    yield "taken back"


def _together(demo: Running, ids: list[int]) -> Iterator[str]:
    """What several people at the desk do to questions that wait."""
    desk, duty, office = demo.as_("moderator"), demo.as_("duty"), demo.as_("office")
    here, first = demo.here, f"{demo.here}/desk/questions/{ids[0]}"
    desk.do("PUT", f"{first}/claim", {"firm": True})
    yield "claimed"
    desk.do("DELETE", f"{first}/claim")
    yield "let go"
    many = desk.do("POST", f"{here}/desk/bulk", {"act": "approve", "ids": ids})
    yield "many approved"
    desk.do("PUT", f"{first}/verification", {"outcome": "partly", "note": "部分路段"})
    yield "verified"
    demo.as_("host").do("POST", f"{first}/seconding")
    yield "seconded"
    desk.do("DELETE", f"{first}/approval")
    yield "approval taken back"
    desk.do("DELETE", f"{here}/desk/bulk/{many['undo']}")
    yield "the rest of them too"
    for outcome in ("released", "handed_over"):
        made = desk.do("POST", f"{first}/escalation", {"kind": "unrest", "note": "请速看"})["id"]
        yield "escalated"
        duty.do("POST", f"{here}/escalations/{made}/acknowledgement")
        yield "the duty person has seen it"
        duty.do("POST", f"{here}/escalations/{made}/outcome", {"outcome": outcome})
        yield f"escalation {outcome}"
    writing = {"text": "路灯由谁维修？", "from": ids[1:], "typical": ids[1]}
    desk.do("POST", f"{here}/desk/questions", writing)
    yield "written from orders"
    for second in (True, False):
        office.do("PUT", f"{here}/reviews", {"second": second, "verification": second})
        yield f"reviews asked for: {second}"
    subject = demo.state()["slot"]["subject"]
    office.do("PUT", f"{here}/subjects/{subject}/aliases", {"names": ["建委"]})
    yield "another name of a unit"


def _appealed(demo: Running, outcome: str) -> Iterator[str]:
    """The author of a rejected question appeals, and a moderator answers."""
    desk, at = demo.as_("moderator"), f"{demo.here}/desk/questions"
    text = {"text": f"请问路灯何时修好？（{outcome}）"}
    asked = demo.viewer().do("POST", f"{demo.here}/questions", text, new_key())
    id_ = desk.get(f"{at}?q={asked['code']}")["items"][0]["id"]
    one = f"{at}/{id_}"
    desk.do("POST", f"{one}/rejection", {"reason": "unclear"})
    appeal = {"secret": asked["secret"], "text": "请再看一次。"}
    demo.anyone().do("POST", f"/questions/{asked['code']}/appeal", appeal)
    yield "appealed"
    if outcome == "granted":
        desk.do("DELETE", f"{one}/rejection")
    else:
        desk.do("POST", f"{one}/upholding", {"note": "请写明路段。"})
    yield f"appeal {outcome}"


def _held(demo: Running, round_: str, subject: str, dims: list[str]) -> Iterator[str]:
    """A round from its opening until the machine has counted it."""
    host = demo.as_("host")
    host.do("POST", f"/rounds/{round_}/opening")
    yield f"{round_} opened"
    marks = {"marks": {subject: dict.fromkeys(dims, "11")}}
    for seat in range(3):
        demo.as_("panel", seat).do("PUT", f"/rounds/{round_}/ballot", marks, new_key())
    host.do("POST", f"/rounds/{round_}/closing")
    round_until(demo, round_, "tallied")
    yield f"{round_} tallied"


def _orders(data: Path) -> Path:
    path = data.parent / "orders.csv"
    path.write_text(
        "工单编号,诉求标题,诉求内容\nX-1,路灯,路灯不亮一个月，应由谁负责维修？\n", encoding="utf-8"
    )
    return path


class Journal:
    """The run's journal as far as it was read: what happened, and which version each room has by it."""

    def __init__(self, demo: Running) -> None:
        self._read, self._last = demo.as_("office").get, 0
        self._path = f"{demo.here}/journal"
        self.events: set[str] = set()
        self.versions: dict[str, int] = {}

    def go_on(self) -> None:
        """Reads what has been added."""
        while entries := self._read(f"{self._path}?after={self._last}")["entries"]:
            for entry in entries:
                self.events.add(entry["event"])
                self.versions |= entry["rooms"]
            self._last = entries[-1]["seq"]


def _versions(demo: Running) -> dict[str, int]:
    """Each room's version now, from its own socket's snapshot."""
    found = {}
    for room in ROOMS:
        token = _token(demo, room)
        with demo.socket("" if room == "public" else room, token=token) as socket:
            found[room] = json.loads(socket.recv())["version"]
    return found


def _token(demo: Running, room: str) -> str | None:
    tokens: dict[str, Any] = demo.line["tokens"]
    if room == "public":
        return None
    if room == "panel":
        return str(tokens["panel"][0])
    return str(tokens["moderator"] if room == "desk" else tokens["host"])


def test_live_equals_reload_for_every_page_event_and_language(demo: Running) -> None:
    links = demo.line["links"]
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        opened: list[tuple[str, str, Page, list[str]]] = []
        for room in ROOMS:
            link = links["panel"][0] if room == "panel" else links[room]
            for lang in ("zh", "en"):
                page, errors = open_page(context, link)
                target = page.url + ("&" if "?" in page.url else "?") + f"lang={lang}"
                page.goto(target, wait_until="load")
                opened.append((room, lang, page, errors))
        wrong: list[str] = []
        journal = Journal(demo)
        for done in scenario(demo):
            journal.go_on()
            for room, lang, page, _ in opened:
                arrived = [journal.versions[room], list(PAGES[room].fragments)]
                wrong += [f"{done} · {room} {lang} · {w}" for w in page.evaluate(COMPARE, arrived)]
            if len(wrong) > 12:
                break
        errors = [f"{room} {lang}: {e}" for room, lang, _, es in opened for e in es]
    assert not wrong, "\n".join(wrong[:12])
    assert not errors, "\n".join(errors[:12])
    assert journal.versions == _versions(demo)
    # The scenario made every event happen: a new one without an act here fails. Checking in happened
    # before the pages opened; the demonstration's show names one signer only.
    assert set(EVENTS) - journal.events == {"round_signed"} or set(EVENTS) == journal.events

"""`/api/v1/openapi.json` is complete and true: a whole hearing is driven through every operation.

`Client.call` holds each answer against the description, here and in every other test that asks
the API; here every operation succeeds once, and every member that is described is met once.
"""

from __future__ import annotations

import copy
import inspect
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import jsonschema
import pytest
from fastapi.routing import APIRoute

from server.api import answers, desk, exports, health, hearings, office, questions, rounds, viewers
from server.domain.refusals import CATALOGUE
from server.domain.rules import WORDS
from tests.contract.kept_apart import keep_apart
from tests.contract.right_calls import (
    ADMIN,
    administrator,
    asked_for_seat,
    commented_round,
    office_of,
    sent_brief,
    session_of,
)
from tests.contract.sender import ORDER, Sender
from tests.documented import Documented, documented
from tests.moderation.letters import letter
from tests.nursery import ROOT
from tests.running import PINGYI, Client, Running, new_key, round_until
from tests.several import Several

ROUTERS = [m.router for m in (hearings, questions, viewers, desk, rounds, exports, office, health)]
UNTYPED = {
    "ErrorDetail.detail", "JournalEntry.body", "RoundWhole.rules", "RoundBody.rules", "RuleSet",
    "PanelResult.trace", "Ballot.marks", "PaperForm.marks",
}  # fmt: skip
"""What has no one shape: it depends on the code, the event or the rules."""


@pytest.fixture
def demo(everywhere: Running) -> Running:
    """In one process, and in several."""
    return everywhere


def read_in_advance(demo: Running) -> None:
    """An official's office reads the shortlist, proposes a reply, and it is taken back."""
    subject = demo.anyone().get(f"{demo.here}/agenda")["subjects"][0]["key"]
    desk, reader = demo.as_("moderator"), Client(demo.url, cookie=office_of(demo, subject))
    desk.do("PUT", f"{demo.here}/brief", {"in_advance": True})
    held = desk.get(f"{demo.here}/brief/{subject}")
    if not held["lines"] and not held["kept_back"]:
        approved = desk.get(f"{demo.here}/desk/questions?status=approved")["items"][0]["id"]
        path = f"{demo.here}/desk/questions/{approved}/shortlisting"
        desk.do("POST", path, {"subject": subject})
        held = desk.get(f"{demo.here}/brief/{subject}")
    assert held["kept_back"]
    sent_brief(demo, subject)
    reader.do("PUT", f"{demo.here}/brief/replies/1", {"text": "已列入下月计划。"})
    assert reader.get(f"{demo.here}/brief")["sent"]["lines"][0]["reply"] == "已列入下月计划。"
    desk.get(f"{demo.here}/brief/{subject}")
    made = desk.call("GET", f"{demo.here}/brief/{subject}/workbook.xlsx")
    assert made.status_code == 200
    desk.do("DELETE", f"{demo.here}/brief/{subject}")
    assert reader.get(f"{demo.here}/brief")["sent"] is None


def described(demo: Running) -> dict[str, Any]:
    return documented(demo.url).spec


def operations(spec: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


# ── Every operation succeeds, as it is described ──────────────────────────────────────────────


def test_every_operation_answers_as_described(demo: Running) -> None:
    asked_before_the_show(demo)
    desk_and_stage(demo)
    desk_together(demo)
    rated(demo)
    fed(demo)
    run_of_show(demo)
    panel_round(demo)
    public_round(demo)
    the_office(demo)
    of_this_process(demo)
    rehearsal_of_another(demo)
    found = documented(demo.url)
    missing = {
        (operation["operationId"], status)
        for _, _, operation in operations(found.spec)
        for status in operation["responses"]
        if status < "400"
    } - found.seen
    assert not missing, "no test saw them succeed"
    unmet = {
        f"{name}.{member}"
        for name, schema in found.spec["components"]["schemas"].items()
        if hasattr(answers, name)
        for member in schema.get("properties", ())
        if member not in found.members
    }
    assert not unmet, "described, but no answer had them"


def topics_of_the_office(demo: Running) -> None:
    """A scheme comes by a file; a question that holds one of its keywords is told its topic."""
    scheme = "编码,名称,上级,关键词\n01,城乡建设,,\n0103,加装电梯,01,电梯\n"
    file = demo.data / "topics.csv"
    file.write_text(scheme, encoding="utf-8")
    own = demo.environment if isinstance(demo, Several) else {"PINGYI_DATA": str(demo.data)}
    words = [*PINGYI, "topics", str(file), "--hearing", demo.slug]
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, **own})
    desk = demo.as_("moderator")
    assert [one["code"] for one in desk.get(f"{demo.here}/desk/topics")["items"]] == ["01", "0103"]
    asked = desk.get(f"{demo.here}/desk/questions?q=电梯")["items"]
    told = [desk.get(f"{demo.here}/desk/questions/{one['id']}/topics")["items"] for one in asked]
    assert "城乡建设/加装电梯" in [one["topic"] for items in told for one in items]


def asked_before_the_show(demo: Running) -> None:
    anyone, viewer, desk = demo.anyone(), demo.viewer(), demo.as_("moderator")
    assert anyone.get("/viewers/me?hearing=" + demo.slug)["viewer"] is False
    listed = anyone.get(f"{demo.here}/questions?cursor=2000000000")["items"]
    viewer.do("PUT", f"{demo.here}/questions/{listed[0]['code']}/support", {"on": True}, new_key())
    text = "请问老旧小区加装电梯的公示期有多长？" * 5
    asked = viewer.do("POST", f"{demo.here}/questions", {"text": text}, new_key())
    me = viewer.get("/viewers/me?hearing=" + demo.slug)
    assert [one["code"] for one in me["questions"]] == [asked["code"]]
    assert me["questions"][0]["status"] in {"received", "screened"}  # the screener may be quicker
    id_ = desk.get(f"{demo.here}/desk/questions?q={asked['code']}")["items"][0]["id"]
    one = f"{demo.here}/desk/questions/{id_}"
    original = desk.do("POST", f"{one}/unmasking", {"reason": "需要回访诉求人"})
    assert original["text"] == text
    desk.do("POST", f"{one}/rejection", {"reason": "unclear"})
    assert anyone.get(f"/questions/{asked['code']}")["reason_text"]
    appeal = {"secret": asked["secret"], "text": "请再看一次"}
    anyone.do("POST", f"/questions/{asked['code']}/appeal", appeal)
    assert desk.get(one)["appeal"]
    desk.do("DELETE", f"{one}/rejection")
    assert anyone.get(f"/questions/{asked['code']}")["appeal_outcome"] == "granted"
    desk.do("POST", f"{one}/approval")
    second = viewer.do("POST", f"{demo.here}/questions", {"text": "路灯由谁来修？"}, new_key())
    id_ = desk.get(f"{demo.here}/desk/questions?q={second['code']}")["items"][0]["id"]
    one = f"{demo.here}/desk/questions/{id_}"
    desk.do("POST", f"{one}/rejection", {"reason": "unclear"})
    appeal = {"secret": second["secret"], "text": "请再看一次"}
    anyone.do("POST", f"/questions/{second['code']}/appeal", appeal)
    waiting = desk.get(f"{demo.here}/desk/questions?appealed=true")["items"]
    assert [q["id"] for q in waiting] == [id_]
    desk.do("POST", f"{one}/upholding", {"note": "请写明路段。"})
    assert desk.get(one)["appeal_note"] == "请写明路段。"
    told = anyone.get(f"/questions/{second['code']}")
    assert (told["appeal_outcome"], told["appeal_note"]) == ("upheld", "请写明路段。")


def desk_and_stage(demo: Running) -> None:
    desk, host = demo.as_("moderator"), demo.as_("host")
    page = desk.get(f"{demo.here}/desk/questions?status=approved")["items"]
    subject = demo.state()["slot"]["subject"]
    first, second, third, fourth = (f"{demo.here}/desk/questions/{q['id']}" for q in page[:4])
    edit = {"version": page[0]["version"], "text": "改写过的问题？", "tags": ["道路", "住房"]}
    desk.do("PATCH", first, edit)
    assert desk.get(first)["wordings"]
    for tag, found in (("道路", [page[0]["id"]]), ("路", [])):
        tagged = desk.get(f"{demo.here}/desk/questions?tag={tag}")["items"]
        assert [q["id"] for q in tagged] == found
    desk.do("POST", f"{second}/merging", {"into": page[0]["id"]})
    assert demo.anyone().get(f"/questions/{page[1]['code']}")["merged_into"] == page[0]["code"]
    desk.do("DELETE", f"{second}/merging")
    desk.do("POST", f"{third}/reply", {"reply": "已经修好。"})
    assert demo.anyone().get(f"/questions/{page[2]['code']}")["reply"] == "已经修好。"
    desk.do("POST", f"{fourth}/closing", {"reason": "已在别处办理"})
    desk.do("POST", f"{first}/shortlisting", {"subject": subject})
    desk.do("DELETE", f"{first}/shortlisting")
    queue = desk.get(f"{demo.here}/queue")
    order = {"version": queue["version"], "ids": [page[0]["id"], *queue["ids"]]}
    desk.do("PUT", f"{demo.here}/queue", order)
    host.do("PUT", f"{demo.here}/queue/{page[0]['id']}/asker", {"seat": 3})
    host.do("PUT", f"{demo.here}/stage", {"question": page[0]["id"]})
    host.do("PATCH", f"{demo.here}/stage", {"phase": "answering"})
    assert demo.state()["stage"]["phase"] == "answering"
    asked = host.do("POST", f"{demo.here}/stage/reaction", {"kind": "mood", "audience": "public"})
    host.do("POST", f"/rounds/{asked['id']}/closing")
    host.do("DELETE", f"{demo.here}/stage", {"outcome": "answered"})
    assert demo.anyone().get(f"/questions/{page[0]['code']}")["answered_at"]


def desk_together(demo: Running) -> None:
    """Several people work on what came in: many at once, held, verified, seconded, escalated."""
    desk, host, office = demo.as_("moderator"), demo.as_("host"), demo.as_("office")
    duty, here = demo.as_("duty"), demo.here
    text = {"text": "请问河东路夜市占道经营由谁管？"}
    for _ in range(2):
        demo.viewer().do("POST", f"{here}/questions", text, new_key())
    for _ in range(100):  # The machine finds them alike.
        found = desk.get(f"{here}/desk/groups")["items"]
        if any(one["text"] == text["text"] for one in found):
            break
        time.sleep(0.1)
    group = next(one for one in found if one["text"] == text["text"])
    assert (group["questions"], group["people"], group["subject"]) == (2, 2, None)
    alike = desk.get(f"{here}/desk/questions?cluster={group['cluster']}")["items"]
    orders = [one["id"] for one in alike]
    subject = demo.state()["slot"]["subject"]
    writing = {"text": "河东路的夜市由谁管？", "from": orders, "typical": orders[1]}
    written = desk.do("POST", f"{here}/desk/questions", {**writing, "subject": subject})
    assert (written["askers"], written["status"]) == (2, "approved")
    one = f"{here}/desk/questions/{written['id']}"
    ids = [q["id"] for q in desk.get(f"{here}/desk/questions?status=screened")["items"][:3]]
    done = desk.do("POST", f"{here}/desk/bulk", {"act": "approve", "ids": [*ids, written["id"]]})
    assert [q["id"] for q in done["done"]] == sorted(ids)
    assert [q["id"] for q in done["refused"]] == [written["id"]]
    undone = desk.do("DELETE", f"{here}/desk/bulk/{done['undo']}")
    assert [q["id"] for q in undone["done"]] == sorted(ids)
    claimed = desk.do("PUT", f"{one}/claim")["claim"]
    assert claimed["firm"]
    assert claimed["mine"]
    assert office.get(one)["held"]
    assert desk.do("DELETE", f"{one}/claim")["claim"] is None
    said = {"outcome": "confirmed", "note": "已到现场看过"}
    assert desk.do("PUT", f"{one}/verification", said)["verification"]["note"] == said["note"]
    assert host.do("POST", f"{one}/seconding")["seconded"]
    assert desk.get(f"{one}/history")["items"]
    assert desk.do("DELETE", f"{one}/approval")["status"] == "screened"
    for outcome, status in (("released", "screened"), ("handed_over", "handed_over")):
        made = desk.do("POST", f"{one}/escalation", {"kind": "unrest", "note": "请速看"})["id"]
        assert desk.refused("GET", one) == (404, "not_found")
        (waiting,) = duty.get(f"{here}/escalations")["items"]
        assert (waiting["id"], waiting["question"]["id"]) == (made, written["id"])
        at = f"{here}/escalations/{made}"
        assert duty.do("POST", f"{at}/acknowledgement")["seen_at"]
        assert duty.do("POST", f"{at}/outcome", {"outcome": outcome})["status"] == status
    reviews = {"second": True, "verification": False}
    assert office.do("PUT", f"{here}/reviews", reviews) == reviews
    office.do("PUT", f"{here}/reviews", dict.fromkeys(reviews, False))
    names = {"names": ["市住建委", "建委"]}
    told = office.do("PUT", f"{here}/subjects/{subject}/aliases", names)
    assert told == {"subject": subject, **names}


def run_of_show(demo: Running) -> None:
    host, panel, anyone = demo.as_("host"), demo.as_("panel"), demo.anyone()
    state = anyone.call("GET", demo.here)
    etag = state.headers["etag"]
    assert anyone.call("GET", demo.here, **{"If-None-Match": etag}).status_code == 304
    slot = state.json()["state"]["slot"]
    agenda = anyone.get(f"{demo.here}/agenda")["items"]
    coming = [item["id"] for item in agenda if item["status"] == "coming"]
    host.do("PUT", f"{demo.here}/agenda", {"order": coming[1::-1] + coming[2:]})
    host.do("PATCH", f"{demo.here}/agenda/{slot['item']}", {"deputy": "副局长"})
    anyone.get(f"{demo.here}/agenda")
    move = {"version": slot["version"], "item": slot["item"], "step": "questions"}
    host.do("PUT", f"{demo.here}/position", move)
    version = demo.state()["hearing"]["version"]
    host.do("PUT", f"{demo.here}/status", {"version": version, "status": "paused"})
    assert demo.state()["slot"]["remaining_ms"] > 0
    host.do("PUT", f"{demo.here}/status", {"version": version + 1, "status": "live"})
    host.do("PUT", f"{demo.here}/screens", {"cleared": False})
    host.do("PUT", f"{demo.here}/leases/show")
    notice = host.do("POST", f"{demo.here}/notices", {"text": "请加快"})
    at = f"{demo.here}/notices/{notice['id']}/acknowledgement"
    seen = host.do("POST", at)
    assert host.do("POST", at) == seen, "the first acknowledgement stands"
    commented, comment = commented_round(demo)
    assert panel.get(f"/rounds/{commented}/ballot")["comments"]
    reviewed = f"/rounds/{commented}/comments/{comment}"
    demo.as_("scrutineer").do("PUT", reviewed, {"outcome": "released"})
    spare = asked_for_seat(demo, 9)
    host.do("POST", f"{demo.here}/takeovers/{spare['id']}/outcome", {"outcome": "declined"})
    floor = panel.do("POST", f"{demo.here}/floor", {"kind": "ask", "text": "请问"})
    host.do("POST", f"{demo.here}/floor/{floor['id']}/outcome", {"outcome": "granted"})
    demo.as_("scrutineer").get(f"{demo.here}/journal?after=1")


def panel_round(demo: Running) -> None:
    host, panel, anyone = demo.as_("host"), demo.as_("panel"), demo.anyone()
    first, second = [r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel"][:2]
    whole = anyone.get(f"/rounds/{first}")
    subject, dimensions = whole["subjects"][0]["key"], [d["key"] for d in whole["dimensions"]]
    labels = [{"key": "good", "label": "好", "points": "20"}, {"key": "poor", "points": "10"}]
    made = host.do(
        "POST",
        f"{demo.here}/rounds",
        {
            "title": "加测",
            "audience": "panel",
            "subjects": [subject],
            "rules": {
                "version": 1,
                "scale": {"kind": "labels", "labels": labels},
                "dimensions": [{"key": "all"}],
            },
        },
    )
    assert len(anyone.get(f"/rounds/{made['id']}")["grades"]) == 2
    host.do("POST", f"/rounds/{first}/opening")
    assert panel.get(f"/rounds/{first}/ballot")["receipt"] is None
    panel.do("PUT", f"/rounds/{first}/draft")
    marks = {subject: dict.fromkeys(dimensions, "15")}
    panel.do("PUT", f"/rounds/{first}/ballot", {"marks": marks}, new_key())
    assert panel.get(f"/rounds/{first}/ballot")["marks"] == marks
    host.get(f"/rounds/{first}/turnout")
    host.do("PUT", f"/rounds/{first}/seats/2/paper", {"paper": True})
    teller, watcher = demo.as_("teller"), demo.as_("scrutineer")
    teller.do("PUT", f"/rounds/{first}/paper/2", {"marks": marks})
    other = {subject: dict.fromkeys(dimensions, "14")}
    assert watcher.do("PUT", f"/rounds/{first}/paper/2", {"marks": other})["differing"]
    assert watcher.do("PUT", f"/rounds/{first}/paper/2", {"marks": marks})["receipt"]
    assert teller.get(f"/rounds/{first}/paper")["forms"][0]["status"] == "counted"
    assert "closes_at" in host.do("POST", f"/rounds/{first}/closing", {"in": 60})
    host.do("POST", f"/rounds/{first}/closing")
    round_until(demo, first, "tallied")
    assert host.do("POST", f"/rounds/{first}/certification")["waiting"] == []
    host.do("POST", f"/rounds/{first}/publication", {"audience": "public"})
    host.do("PUT", f"/rounds/{first}/reveal", {"step": 1})
    anyone.get(f"/rounds/{first}/result")
    anyone.get(demo.here)
    asked = anyone.get(f"{demo.here}/questions")["items"]
    text = next(one["text"] for one in asked if one["status"] == "approved")
    for _ in range(100):  # The machine puts what came in where it is looked for.
        similar = anyone.do("POST", f"{demo.here}/questions/similar", {"text": text[:80]})["items"]
        if similar:
            break
        time.sleep(0.1)
    assert text in [one["text"] for one in similar]
    read_in_advance(demo)
    one = demo.as_("moderator").get(f"{demo.here}/desk/questions")["items"][0]["id"]
    demo.as_("moderator").get(f"{demo.here}/desk/questions/{one}/duplicates")
    topics_of_the_office(demo)
    assert anyone.call("GET", f"/rounds/{first}/rules.json").status_code == 200
    assert demo.as_("teller").call("GET", f"/rounds/{first}/ballots.csv").status_code == 200
    wait_for_bundle(demo, first)
    for name in ("result.xlsx", "result.docx", "result.pdf", "tally-sheet.pdf", "bundle"):
        assert anyone.call("GET", f"/rounds/{first}/{name}").status_code == 200, name
    for name in (
        f"rounds/{first}/forms.pdf",
        f"{demo.here[1:]}/minutes.docx",
        f"{demo.here[1:]}/minutes.pdf",
    ):
        assert demo.as_("scrutineer").call("GET", f"/{name}").status_code == 200, name
    host.do("POST", f"/rounds/{second}/opening")
    host.do("POST", f"/rounds/{second}/voiding", {"reason": "宣读有误"})
    corrected(demo, first, marks)


def fed(demo: Running) -> None:
    """Sources are made, changed, asked and given keys."""
    office, here = demo.as_("office"), f"{demo.here}/sources"
    for key, connector, settings in (
        ("pushed", "push", {}),
        ("city", "open311_pull", {"url": "https://city.example/v2", "api_key": "k"}),
    ):
        new = {"key": key, "name": key, "connector": connector, "channel": "hotline"}
        office.do("POST", here, {**new, "settings": settings})
    first = office.do("POST", f"{here}/pushed/keys")
    assert first["secret"].startswith("whsec_")
    second = office.do("POST", f"{here}/pushed/keys")
    assert [key["until"] is None for key in second["keys"]] == [False, True]
    change = {"version": second["version"], "name": "推送", "paused": True}
    assert office.do("PATCH", f"{here}/pushed", change)["paused"]
    office.do("POST", f"{here}/city/polling")
    keep_apart(demo, "city", dict.fromkeys(("M-1", "M-2"), (letter(), "letter_unreadable")))
    assert office.do("POST", f"{here}/city/quarantine/M-1/reading")["code"]
    assert office.do("DELETE", f"{here}/city/quarantine/M-2") == {"name": "M-2"}
    sender = Sender(demo)
    assert sender.push({"items": [ORDER, {}]}).json()["new"] == 1
    told = office.get(here)["items"]
    assert [one["key"] for one in told if one["key"] in {"pushed", "city"}] == ["pushed", "city"]
    assert "api_key" not in str(told)
    assert first["secret"] not in str(told)
    desk = demo.as_("moderator")
    pushed = desk.get(f"{demo.here}/desk/questions?q={ORDER['工单编号']}")["items"][0]["id"]
    assert desk.get(f"{demo.here}/desk/questions/{pushed}")["facts"]


def rated(demo: Running) -> None:
    """A viewer's question is answered, and rated by him."""
    viewer, host, desk = demo.viewer(), demo.as_("host"), demo.as_("moderator")
    text = {"text": "请问河道保洁由哪个部门负责，多久一次？"}
    asked = viewer.do("POST", f"{demo.here}/questions", text, new_key())
    id_ = desk.get(f"{demo.here}/desk/questions?q={asked['code']}")["items"][0]["id"]
    desk.do("POST", f"{demo.here}/desk/questions/{id_}/approval")
    host.do("PUT", f"{demo.here}/stage", {"question": id_})
    host.do("DELETE", f"{demo.here}/stage", {"outcome": "answered"})
    said = {"secret": asked["secret"], "rating": "partly"}
    demo.anyone().do("PUT", f"/questions/{asked['code']}/rating", said)
    assert demo.anyone().get(f"/questions/{asked['code']}")["rating"] == "partly"


def wait_for_bundle(demo: Running, id_: str) -> None:
    """It is made right after the certification."""
    for _ in range(100):
        if demo.as_("host").call("GET", f"/rounds/{id_}/bundle").status_code == 200:
            return
        time.sleep(0.1)
    raise AssertionError("no bundle was made")


def corrected(demo: Running, first: str, marks: Any) -> None:
    """The first round's published result is contested, and corrected by one that is held again."""
    office, host = demo.as_("office"), demo.as_("host")
    grounds = {"grounds": "计分与会场宣布的规则不一致，请复核。"}
    case = office.do("POST", f"/rounds/{first}/contest", grounds)
    handed_in = httpx2.post(
        f"{demo.url}/api/v1/rounds/{first}/contest/files?name=a.pdf",
        content=b"%PDF-1.7",
        headers={
            "Authorization": f"Bearer {office.token}",
            "Content-Type": "application/octet-stream",
        },
        trust_env=False,
    )
    documented(demo.url).check("POST", handed_in)
    assert [one["size"] for one in handed_in.json()["files"]] == [8]
    file = host.call("GET", f"/rounds/{first}/contests/{case['id']}/files/1")
    assert (file.status_code, file.content) == (200, b"%PDF-1.7")
    again = host.do("POST", f"/rounds/{first}/again")["id"]
    host.do("POST", f"/rounds/{again}/opening")
    demo.as_("panel").do("PUT", f"/rounds/{again}/ballot", {"marks": marks}, new_key())
    host.do("POST", f"/rounds/{again}/closing")
    round_until(demo, again, "tallied")
    host.do("POST", f"/rounds/{again}/certification")
    decision = {"outcome": "corrected", "reason": "录入有误。", "round": again}
    told = host.do("POST", f"/rounds/{first}/contest/decision", decision)
    assert (told["status"], told["correction"]["by"]) == ("corrected", again)
    (decided,) = office.get(f"/rounds/{first}/contests")["items"]
    assert (decided["status"], decided["correction"]) == ("corrected", again)
    rounds = {one["id"]: one for one in demo.anyone().get(demo.here)["state"]["rounds"]}
    assert rounds[again]["correction"]["of"] == first


def public_round(demo: Running) -> None:
    host, anyone = demo.as_("host"), demo.anyone()
    round_ = next(r for r in demo.state()["rounds"] if r["status"] == "open")
    at = f"/rounds/{round_['id']}"
    viewer = demo.viewer()
    viewer.do("PUT", f"{at}/ballot", {"choice": round_["choices"][0]["key"]}, new_key())
    assert viewer.get("/viewers/me?hearing=" + demo.slug)["votes"]
    anyone.get(f"{at}/turnout")
    anyone.get(at)
    host.do("POST", f"{at}/closing")
    round_until(demo, round_["id"], "tallied")
    host.do("POST", f"{at}/certification")
    host.do("POST", f"{at}/publication", {"audience": "public"})
    assert anyone.get(f"{at}/result")["choices"][0]["count"] == 1
    anyone.get(demo.here)


def the_office(demo: Running) -> None:
    office = demo.as_("office")
    account = administrator(demo)
    admin = Client(demo.url, cookie=session_of(demo, ADMIN))
    admin.do("POST", "/offices", {"parent": 1, "name": "新区依法治区办"})
    wanted = {"account": account["id"], "role": "moderator", "office": 1, "hearing": demo.slug}
    grant = office.do("POST", "/grants", wanted)
    office.do("DELETE", f"/grants/{grant['id']}")
    helper = {"office": 1, "login": "helper", "name": "帮手", "password": ADMIN["password"]}
    id_ = office.do("POST", "/accounts", helper)["id"]
    office.do("PUT", f"/accounts/{id_}/password", {"password": "another good one"})
    assert office.do("PUT", f"/accounts/{id_}/disabled", {"disabled": True})["disabled"] is True
    office.do("PUT", f"/accounts/{id_}/disabled", {"disabled": False})
    helped = Client(
        demo.url, cookie=session_of(demo, {"login": "helper", "password": "another good one"})
    )
    own = {"old": "another good one", "new": "one of my very own"}
    assert helped.do("PUT", "/account/password", own) == {"login": "helper", "changed": True}
    office.do("POST", f"{demo.here}/cards", {"seat": 2})
    token = admin.do("POST", "/tokens", {"name": "脚本", "office": 1})
    assert Client(demo.url, token["token"]).get("/roles")["roles"]
    admin.do("DELETE", f"/tokens/{token['id']}")
    assert Client(demo.url, token["token"]).refused("GET", "/roles") == (401, "bad_token")
    show = office.call("GET", f"{demo.here}/show").text
    assert office.do("POST", "/shows/check", {"text": show})["ok"] is True
    assert office.do("POST", "/shows/check", {"text": "title: 1\n"})["ok"] is False
    office.do("POST", "/offices/1/hearings", {"text": show, "slug": "another"})
    office.get(f"{demo.here}/people")
    office.do("PUT", f"{demo.here}/seats/2/presence", {"present": False})
    admin.do("DELETE", "/sessions")


def of_this_process(demo: Running) -> None:
    found = documented(demo.url)
    for path in ("/healthz", "/readyz", "/metrics"):
        # A proxy in front keeps numbers about the processes to itself.
        base = f"http://127.0.0.1:{demo.ports['web']}" if isinstance(demo, Several) else demo.url
        found.check("GET", httpx2.get(base + path, trust_env=False))


def rehearsal_of_another(demo: Running) -> None:
    host = demo.as_("office")
    account = demo.as_("office").do(
        "POST",
        "/accounts",
        {"office": 1, "login": "host", "name": "主持台", "password": ADMIN["password"]},
    )
    wanted = {"account": account["id"], "role": "host", "office": 1, "hearing": "another"}
    demo.as_("office").do("POST", "/grants", wanted)
    host = Client(
        demo.url, cookie=session_of(demo, {"login": "host", "password": ADMIN["password"]})
    )
    here = "/hearings/another"
    host.do("PUT", f"{here}/status", {"version": 0, "status": "ready"})
    assert host.get(here)["state"]["slot"] is None
    host.do("POST", f"{here}/runs", {"kind": "rehearsal"})
    assert host.get(here)["state"]["hearing"]["run"] == "rehearsal"


# ── The description itself ────────────────────────────────────────────────────────────────────


def test_whatever_is_not_described_fails(shared_demo: Running) -> None:
    """The check that every other test relies on: one member more, one less, one wrong."""
    spec = copy.deepcopy(described(shared_demo))
    right = shared_demo.anyone().call("GET", shared_demo.here)
    for change in (
        lambda state: state["properties"].pop("viewers"),
        lambda state: state["properties"].update(viewers={"type": "string"}),
        lambda state: state["required"].append("nobody"),
    ):
        wrong = copy.deepcopy(spec)
        change(wrong["components"]["schemas"]["State"])
        with pytest.raises(AssertionError, match=r"viewers|nobody"):
            Documented(wrong).check("GET", right)
    Documented(spec).check("GET", right)
    del spec["paths"]["/api/v1/hearings/{slug}"]["get"]["responses"]["200"]
    with pytest.raises(AssertionError, match="answers 200"):
        Documented(spec).check("GET", right)


def test_every_operation_is_described_whole(shared_demo: Running) -> None:
    spec = described(shared_demo)
    ids = [operation["operationId"] for _, _, operation in operations(spec)]
    assert len(ids) == len(set(ids))
    schemes = spec["components"]["securitySchemes"]
    for method, path, operation in operations(spec):
        name = operation["operationId"]
        assert re.fullmatch(r"[a-z]+_[a-z_]+", name)
        assert operation["summary"].endswith(".") or len(operation["summary"]) > 10, name
        assert operation["tags"][0] in {tag["name"] for tag in spec["tags"]}
        told = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert told == set(re.findall(r"{(\w+)}", path)), name
        assert all(set(one) <= set(schemes) for one in operation["security"]), name
        done = [s for s in operation["responses"] if s in {"200", "201"}]
        assert len(done) == 1, f"{name} succeeds in one way"
        content = operation["responses"][done[0]]["content"]
        assert all(kind["schema"] for kind in content.values()), f"{name}: an answer of any shape"
        for status in ("401", "403", "404", "409", "413", "422", "429", "503"):
            assert status in operation["responses"], name
        if method != "GET" and "requestBody" in operation:
            kind = "octet-stream" if name == "rounds_add_file" else "json"
            assert list(operation["requestBody"]["content"]) == [f"application/{kind}"], name


def test_every_member_has_a_type(shared_demo: Running) -> None:
    schemas = described(shared_demo)["components"]["schemas"]
    untyped = set()
    for name, schema in schemas.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        for reference in re.findall(r"#/components/schemas/(\w+)", str(schema)):
            assert reference in schemas
        members = schema.get("properties")
        if members is None:
            untyped.add(name)
            continue
        untyped |= {f"{name}.{key}" for key, value in members.items() if _is_open(value)}
    assert untyped == UNTYPED


def _is_open(schema: Any) -> bool:
    """Whether anything at all may stand somewhere in it."""
    if not isinstance(schema, dict):
        return schema is True
    shaped = {"$ref", "type", "anyOf", "enum", "const"} & set(schema)
    inside = [*schema.get("anyOf", ()), *(schema[k] for k in ("items", "additionalProperties") if k in schema)]  # fmt: skip
    return not shaped or any(_is_open(one) for one in inside)


def test_every_code_stands_under_its_status(shared_demo: Running) -> None:
    told = described(shared_demo)["components"]["responses"]
    for code, row in CATALOGUE.items():
        if row.status not in {405, 500}:
            assert f"`{code}`" in told[str(row.status)]["description"]


def test_a_method_that_is_not_there_is_told_those_that_are(shared_demo: Running) -> None:
    for path, allowed in (
        (f"{shared_demo.here}/agenda", "GET, PUT"),
        (f"{shared_demo.here}/stage", "DELETE, PATCH, PUT"),
        ("/viewers", "POST"),
    ):
        answer = shared_demo.anyone().call("TRACE", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    page = httpx2.request("PUT", f"{shared_demo.url}/h/{shared_demo.slug}", trust_env=False)
    assert (page.status_code, page.headers["allow"]) == (405, "GET")


def test_the_words_that_a_ballot_is_said_to_take_are_those_it_takes(demo: Running) -> None:
    told = described(demo)["components"]["schemas"]["Ballot"]["properties"]["marks"]["description"]
    round_ = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    demo.as_("host").do("POST", f"/rounds/{round_}/opening")
    for word in WORDS:
        answer = demo.as_("panel").call(
            "PUT",
            f"/rounds/{round_}/ballot",
            {"marks": {"housing": {"personally": word}}},
            new_key(),
        )
        taken = answer.status_code == 200
        assert taken == (f"`{word}`" in told), word
        assert taken or answer.json()["error"]["detail"]["problem"] == "value_void"


def test_descriptions_cost_nothing() -> None:
    """A route that returned anything but a ready answer would be checked at every request."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            returned = inspect.signature(route.endpoint, eval_str=True).return_annotation
            assert returned.__name__ == "Response", route.path


def test_examples_in_the_documentation_are_true(shared_demo: Running) -> None:
    """Each heading that is a route is followed by a request and its answer."""
    found = documented(shared_demo.url)
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    examples = re.findall(
        r"^### (\w+) (\S+)\n.*?^```\n(.*?)^```\n```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL
    )
    assert len(examples) == 5
    for method, path, request, answer in examples:
        operation = found.spec["paths"][f"/api/v1{path}"][method.lower()]
        body = re.search(r"-d '(.*)'", request)
        assert body is None or found.accepts(operation, json.loads(body[1])), path
        status = "201" if "201" in operation["responses"] else "200"
        assert found.allows(operation, status, json.loads(answer)) is None, path
        address = re.search(r"/api/v1(\S+)", request)
        assert address is not None
        assert found.operation(method, f"/api/v1{address[1]}") == operation

"""One right call for each operation of the API, from which wrong ones are made."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2

from tests.contract.kept_apart import keep_apart
from tests.moderation.letters import letter
from tests.running import Running, new_key
from tests.several import Several, in_a_thread

ADMIN = {"login": "root", "password": "correct horse battery"}
TARGET, VERSION = "~target~", "~version~"
"""Stand for the thing that is acted on now, and for the version that it has now."""


@dataclass(frozen=True)
class Call:
    """One right call. What is refused for its state would hide what is wrong with the rest, so a
    call may bring several `targets`, each used until an act on it succeeded (in the path, and in the
    body as a string of its own), SQL that tells the
    `version` of the target, and an act of the host that undoes a success."""

    who: str
    path: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    targets: list[Any] = field(default_factory=list)
    version: str = ""
    undo: tuple[str, str] | None = None


PUBLIC_BALLOT, OFF_THE_CUFF = "rounds_ballot by a viewer", "desk_take off the cuff"
"""Addresses that take two kinds of body have two right calls."""


def asked_for_seat(demo: Running, seat: int) -> Any:
    """What a spare tablet is told that asks for a seat, with the request's id."""
    told = httpx2.post(
        f"{demo.url}/h/{demo.slug}/panel/spare", json={"seat": seat}, trust_env=False
    ).json()
    entries = demo.as_("office").get(f"{demo.here}/journal?after=0")["entries"]
    last = [one for one in entries if one["event"] == "takeover_requested"][-1]
    return {**told, "id": last["body"]["id"]}


def commented_round(demo: Running) -> tuple[str, str]:
    """A closed round in which seat 1 wrote something, and the id of what it wrote."""
    host = demo.as_("host")
    like = next(r["id"] for r in demo.state()["rounds"] if r["audience"] == "panel")
    whole = host.get(f"/rounds/{like}")
    subject = whole["subjects"][0]["key"]
    new = {
        "title": "有意见建议的一轮",
        "audience": "panel",
        "subjects": [subject],
        "rules": whole["rules"],
        "comments": True,
        "reason_below": "60",
    }
    id_ = host.do("POST", f"{demo.here}/rounds", new)["id"]
    host.do("POST", f"/rounds/{id_}/opening")
    marks = {subject: {whole["dimensions"][0]["key"]: "10"}}
    body = {"marks": marks, "comments": {subject: "整改不到位"}}
    demo.as_("panel").do("PUT", f"/rounds/{id_}/ballot", body, new_key())
    host.do("POST", f"/rounds/{id_}/closing")
    found = demo.as_("scrutineer").get(f"/rounds/{id_}/comments")["comments"]
    return id_, found[0]["id"]


def escalated_question(demo: Running, question: int) -> int:
    """The question goes to the duty person; the id of that."""
    path = f"{demo.here}/desk/questions/{question}/escalation"
    return int(demo.as_("moderator").do("POST", path, {"kind": "unrest"})["id"])


def appealed_questions(demo: Running, n: int) -> list[int]:
    """So many rejected questions whose authors have appealed: their ids."""
    desk, ids = demo.as_("moderator"), []
    for one in range(n):
        text = {"text": f"第 {one} 盏路灯由谁来修？"}
        asked = demo.viewer().do("POST", f"{demo.here}/questions", text, new_key())
        found = desk.get(f"{demo.here}/desk/questions?q={asked['code']}")["items"][0]["id"]
        desk.do("POST", f"{demo.here}/desk/questions/{found}/rejection", {"reason": "unclear"})
        appeal = {"secret": asked["secret"], "text": "请再看一次"}
        demo.anyone().do("POST", f"/questions/{asked['code']}/appeal", appeal)
        ids.append(found)
    return ids


def right_calls(demo: Running) -> dict[str, Call]:
    """One right call for each operation, by operation id."""
    desk, host, office = demo.as_("moderator"), demo.as_("host"), demo.as_("office")
    state = demo.state()
    panel_round, second, third = [r["id"] for r in state["rounds"] if r["audience"] == "panel"]
    public_round = next(r["id"] for r in state["rounds"] if r["status"] == "open")
    whole = host.get(f"/rounds/{panel_round}")
    host.do("POST", f"/rounds/{panel_round}/opening")
    ids = {
        status: [q["id"] for q in desk.get(f"{demo.here}/desk/questions?status={status}")["items"]]
        for status in ("screened", "approved", "shortlisted")
    }
    queue = desk.get(f"{demo.here}/queue")
    fresh, approved = ids["screened"], ids["approved"]
    desk.do("POST", f"{demo.here}/desk/questions/{fresh[1]}/rejection", {"reason": "unclear"})
    desk.do("POST", f"{demo.here}/desk/questions/{fresh[2]}/merging", {"into": fresh[3]})
    host.do("PUT", f"{demo.here}/stage", {"question": queue["ids"][-1]})
    viewer = demo.viewer()
    asked = viewer.do("POST", f"{demo.here}/questions", {"text": "路灯不亮"}, new_key())
    mine = desk.get(f"{demo.here}/desk/questions?q={asked['code']}")["items"][0]["id"]
    desk.do("POST", f"{demo.here}/desk/questions/{mine}/rejection", {"reason": "unclear"})
    appealed = appealed_questions(demo, 5)
    sent_brief(demo, "housing")
    notice = host.do("POST", f"{demo.here}/notices", {"text": "请加快"})
    spare = asked_for_seat(demo, 12)
    commented, comment = commented_round(demo)
    floor = demo.as_("panel").do("POST", f"{demo.here}/floor", {"kind": "ask", "text": "请问"})
    admin = administrator(demo)
    for key, connector in (("pushed", "push"), ("polled", "open311_pull")):
        settings = {"url": "https://city.example/v2"} if connector == "open311_pull" else {}
        made = {"key": key, "name": key, "connector": connector, "channel": "hotline"}
        source = office.do("POST", f"{demo.here}/sources", {**made, "settings": settings})
    kept = [f"M-{n}" for n in range(24)]
    keep_apart(demo, "polled", {one: (letter(one.encode()), "letter_unreadable") for one in kept})
    tagged = {"act": "tag", "ids": [fresh[0]], "tags": ["噪声"]}
    bulk = desk.do("POST", f"{demo.here}/desk/bulk", tagged)
    escalated = [escalated_question(demo, id_) for id_ in fresh[24:30]]
    code = state["questions"][0]["code"]
    slot, agenda = state["slot"], demo.anyone().get(f"{demo.here}/agenda")
    coming = [i["id"] for i in agenda["items"] if i["status"] == "coming"]
    show = office.call("GET", f"{demo.here}/show").text
    here: dict[str, Any] = {"slug": demo.slug}
    clear = ("DELETE", f"/api/v1{demo.here}/stage")

    def question(id_: int | str, **more: Any) -> dict[str, Any]:
        return {**here, "id": id_, **more}

    def on(id_: str) -> dict[str, Any]:
        return {"id": id_}

    return {
        "hearings_state": Call("nobody", here),
        "hearings_agenda": Call("nobody", here),
        "hearings_reorder": Call("host", here, {"order": coming[::-1]}),
        "hearings_deputy": Call("host", {**here, "item": slot["item"]}, {"deputy": "副局长"}),
        "hearings_new_run": Call("host", here, {"kind": "real"}),
        "hearings_position": Call(
            "host",
            here,
            {"version": VERSION, "item": slot["item"], "step": "questions"},
            version="select version from positions order by run_id desc",
        ),
        "hearings_status": Call(
            "host",
            here,
            {"version": VERSION, "status": "certified"},
            version="select version from runs order by id desc",
        ),
        "hearings_screens": Call("host", here, {"cleared": False}),
        "hearings_lease": Call("host", {**here, "kind": "show"}, {}),
        "hearings_notice": Call("host", here, {"text": "请加快"}),
        "hearings_acknowledge": Call("host", {**here, "id": notice["id"]}, {}),
        "hearings_floor": Call("panel", here, {"kind": "ask", "text": "请问"}),
        "hearings_settle_takeover": Call(
            "host", {**here, "id": spare["id"]}, {"outcome": "declined"}
        ),
        "hearings_settle": Call("host", {**here, "id": floor["id"]}, {"outcome": "declined"}),
        "brief_read": Call("housing", here),
        "brief_switch": Call("moderator", here, {"in_advance": True}),
        "brief_preview": Call("moderator", {**here, "subject": "housing"}),
        "brief_send": Call(
            "moderator",
            {**here, "subject": "housing"},
            {"hash": desk.get(f"{demo.here}/brief/housing")["hash"]},
        ),
        "brief_take_back": Call("moderator", {**here, "subject": "housing"}),
        "brief_workbook": Call("moderator", {**here, "subject": "housing"}),
        "brief_propose": Call("housing", {**here, "number": 1}, {"text": "已列入下月计划。"}),
        "hearings_journal": Call("scrutineer", here, query={"after": "0"}),
        "questions_questions": Call("nobody", here, query={"cursor": "99"}),
        "questions_similar": Call("nobody", here, {"text": "路灯"}),
        "questions_ask_question": Call(
            "viewer", here, {"text": "请问多久答复？", "subject": slot["subject"], "contact": "微信"}
        ),
        "questions_fate": Call("nobody", {"code": code}),
        "questions_rate": Call(
            "nobody", {"code": asked["code"]}, {"secret": asked["secret"], "rating": "solved"}
        ),
        "questions_appeal": Call(
            "nobody",
            {"code": asked["code"]},
            {"secret": asked["secret"], "text": "请再看一次"},
        ),
        "viewers_new_viewer": Call("nobody", {}, {}),
        "viewers_me": Call("viewer", {}, query={"hearing": demo.slug}),
        "viewers_put_support": Call("viewer", {**here, "code": code}, {"on": True}),
        "desk_desk": Call(
            "moderator",
            here,
            query={"status": "approved", "source": "hotline", "tag": "x", "subject": "x",
                   "topic": "x", "district": "x", "cluster": "1", "heat": "2", "fresh": "24",
                   "old": "1", "flagged": "true", "unsolved": "true", "appealed": "true", "mine": "true",
                   "sort": "heat", "q": "%E8%B7%AF%E7%81%AF", "cursor": "99"},
        ),
        "desk_groups": Call("moderator", here, query={"subject": slot["subject"]}),
        "desk_write": Call(
            "moderator",
            here,
            {"text": "路灯由谁维修？", "from": [TARGET], "subject": slot["subject"],
             "typical": TARGET},
            targets=fresh[30:33],
        ),
        "desk_bulk": Call(
            "moderator",
            here,
            {**tagged, "reason": "unclear", "subject": slot["subject"], "into": fresh[3]},
        ),
        "desk_undo_bulk": Call("moderator", question(bulk["undo"])),
        "desk_one": Call("moderator", question(fresh[0])),
        "desk_history": Call("moderator", question(fresh[0])),
        "desk_claim": Call(
            "moderator", question(approved[13]), {"firm": True, "take_over": False}
        ),
        "desk_let_go": Call("moderator", question(approved[13])),
        "desk_verify": Call(
            "moderator", question(approved[13]), {"outcome": "confirmed", "note": "已到现场看过"}
        ),
        "desk_second": Call("host", question(approved[13]), {}),
        "desk_escalate": Call(
            "moderator", question(TARGET), {"kind": "danger", "note": "请速看"}, targets=fresh[33:]
        ),
        "desk_escalations": Call("duty", here),
        "desk_acknowledge": Call("duty", {**here, "id": escalated[0]}, {}),
        "desk_settle": Call(
            "duty", {**here, "id": TARGET}, {"outcome": "released"}, targets=escalated[1:]
        ),
        "desk_duplicates": Call("moderator", question(fresh[0])),
        "desk_scheme": Call("moderator", here),
        "desk_suggestions": Call("moderator", question(fresh[0])),
        "desk_edit": Call(
            "moderator",
            question(fresh[0]),
            {"version": VERSION, "text": "改过的问题", "subject": slot["subject"], "tags": ["道路"], "topic": ""},
            version=f"select version from questions where id = {fresh[0]}",
        ),
        "desk_unmask": Call("moderator", question(fresh[0]), {"reason": "需要回访诉求人"}),
        "desk_approve": Call("moderator", question(TARGET), {}, targets=fresh[12:18]),
        "desk_reject": Call(
            "moderator", question(TARGET), {"reason": "unclear"}, targets=fresh[18:24]
        ),
        "desk_unapprove": Call("moderator", question(approved[13])),
        "desk_unreject": Call("moderator", question(fresh[1])),
        "desk_uphold": Call(
            "moderator", question(TARGET), {"note": "请写明路段。"}, targets=appealed
        ),
        "desk_shortlist": Call(
            "moderator", question(TARGET), {"subject": slot["subject"]}, targets=approved[:4]
        ),
        "desk_unshortlist": Call("moderator", question(ids["shortlisted"][0])),
        "desk_merge": Call(
            "moderator", question(TARGET), {"into": fresh[4]}, targets=fresh[5:12]
        ),
        "desk_unmerge": Call("moderator", question(fresh[2])),
        "desk_reply": Call(
            "moderator", question(TARGET), {"reply": "已经修好。"}, targets=approved[4:9]
        ),
        "desk_close": Call(
            "moderator", question(TARGET), {"reason": "已在别处办理"}, targets=approved[9:13]
        ),
        "desk_queue": Call("moderator", here),
        "desk_reaction": Call("host", here, {"kind": "mood", "audience": "public"}),
        "desk_phase": Call("host", here, {"phase": "answering"}),
        "desk_pull": Call("host", here, {"outcome": "withdrawn"}, {"outcome": "withdrawn"}),
        "desk_give": Call("host", question(queue["ids"][0]), {"seat": 3}),
        "desk_take": Call(
            "host",
            here,
            {"question": queue["ids"][0], "asker": 3},
            undo=clear,
        ),
        OFF_THE_CUFF: Call(
            "host", here, {"asker": "某代表", "text": "请问"}, undo=clear
        ),
        "desk_put_queue": Call(
            "moderator",
            here,
            {"version": VERSION, "ids": queue["ids"]},
            version="select version from queues order by run_id desc",
        ),
        "desk_reviews": Call("office", here, {"second": False, "verification": False}),
        "desk_aliases": Call(
            "office", {**here, "subject": slot["subject"]}, {"names": ["市住建委", "建委"]}
        ),
        "intake_push": Call("nobody", {"source": source["address"]}),
        "sources_listed": Call("office", here),
        "sources_add": Call(
            "office",
            here,
            {"key": "district-hotline", "name": "区热线", "connector": "imap", "channel": "mailbox",
             "settings": {"host": "mail.example", "user": "a", "password": "b", "port": 993}},
        ),
        "sources_change": Call(
            "office",
            {**here, "source": "pushed"},
            {"version": VERSION, "name": "推送", "paused": False, "settings": {},
             "mapping": {"编号": "external_id"}},
            version="select version from sources where key = 'pushed'",
        ),
        "sources_new_key": Call("office", {**here, "source": "pushed"}, {}),
        "sources_poll": Call("office", {**here, "source": "polled"}, {}),
        "sources_read_again": Call(
            "office", {**here, "source": "polled", "message": TARGET}, {}, targets=kept[:12]
        ),
        "sources_discard": Call(
            "office", {**here, "source": "polled", "message": TARGET}, targets=kept[12:]
        ),
        "rounds_create": Call(
            "host",
            here,
            {
                "title": "加测", "audience": "panel", "secrecy": "named", "replacing": "last",
                "subjects": [slot["subject"]], "rules": whole["rules"],
                "choices": [], "labels": {"personally": "履职"}, "show_live": False,
                "item": slot["item"], "replaces": None,
            },
        ),
        "rounds_one": Call("nobody", on(panel_round)),
        "rounds_open": Call("host", on(second), {}),
        "rounds_ballot": Call(
            "panel",
            on(panel_round),
            {
                "marks": {slot["subject"]: {d["key"]: "15" for d in whole["dimensions"]}},
                "recused": [],
            },
        ),
        PUBLIC_BALLOT: Call("viewer", on(public_round), {"choice": "satisfied"}),
        "rounds_draft": Call("panel", on(panel_round), {}),
        "rounds_close": Call("host", on(panel_round), {"in": 600}),
        "rounds_certify": Call("host", on(panel_round), {}),
        "rounds_publish": Call("host", on(panel_round), {"audience": "internal"}),
        "rounds_reveal": Call("host", on(panel_round), {"step": 1}),
        "rounds_comments": Call("scrutineer", on(commented)),
        "rounds_review": Call(
            "scrutineer", {**on(commented), "comment": comment}, {"outcome": "withheld"}
        ),
        "rounds_seat": Call("host", {**on(panel_round), "number": 9}, {"paper": True}),
        "rounds_listed": Call("teller", on(panel_round)),
        "rounds_keyed": Call("teller", {**on(panel_round), "form": 9}, {"marks": {}}),
        "rounds_bundle": Call("host", on(panel_round), query={"edition": "public"}),
        "rounds_again": Call("host", on(panel_round), {}),
        "rounds_contest": Call("office", on(public_round), {"grounds": "计分与规则不一致，请复核。"}),
        "rounds_contests": Call("office", on(public_round)),
        "rounds_add_file": Call("office", on(public_round), query={"name": "a.pdf"}),
        "rounds_file": Call("office", {**on(public_round), "contest": 1, "number": 1}),
        "rounds_decide": Call("host", on(public_round), {"outcome": "upheld", "reason": "一致"}),
        "rounds_void": Call("host", on(TARGET), {"reason": "宣读有误"}, targets=[second, third]),
        "rounds_my_ballot": Call("panel", on(panel_round)),
        "rounds_turnout": Call("host", on(panel_round)),
        "rounds_result": Call("host", on(panel_round)),
        "rounds_ballots": Call("teller", on(panel_round)),
        "rounds_rules_json": Call("nobody", on(panel_round)),
        "exports_result_xlsx": Call("host", on(panel_round)),
        "exports_result_docx": Call("host", on(panel_round)),
        "exports_result_pdf": Call("host", on(panel_round)),
        "exports_tally_sheet": Call("host", on(panel_round)),
        "exports_forms": Call("teller", on(panel_round)),
        "exports_minutes_docx": Call("scrutineer", here),
        "exports_minutes_pdf": Call("scrutineer", here),
        "office_presence": Call("host", {**here, "number": 7}, {"present": False}),
        "office_sign_in": Call("nobody", {}, {"login": "somebody", "password": "not a password"}),
        "office_sign_out": Call("nobody"),
        "office_new_office": Call("admin", {}, {"parent": 1, "name": "新区依法治区办", "level": "county"}),
        "office_new_account": Call(
            "office",
            {},
            {"office": 1, "login": "yuan", "name": "袁某", "password": "correct horse battery"},
        ),
        "office_reset_password": Call("office", on("999999"), {"password": "correct horse battery"}),
        "office_disable_account": Call("office", on("999999"), {"disabled": False}),
        "office_change_password": Call("admin", {}, {"old": ADMIN["password"], "new": ADMIN["password"]}),
        "office_new_grant": Call(
            "office",
            {},
            {"account": admin["id"], "role": "moderator", "office": 1, "subtree": False,
             "hearing": demo.slug},
        ),
        "office_revoke_grant": Call("office", on("999999")),
        "office_new_card": Call("office", here, {"seat": 2, "role": ""}),
        "office_new_token": Call("admin", {}, {"name": "脚本", "office": 1}),
        "office_revoke_token": Call("office", on("999999")),
        "office_check_show": Call("office", {}, {"text": show, "slug": "another"}),
        "office_new_hearing": Call("office", {"office": 1}, {"text": show, "slug": "another"}),
        "office_export_show": Call("office", here),
        "office_people": Call("office", here),
        "office_roles": Call("host"),
        "health_healthz": Call("nobody"),
        "health_readyz": Call("nobody"),
        "health_metrics": Call("nobody"),
    }  # fmt: skip


GRANT = "INSERT INTO grants (account_id, role, office_id, subtree, granted_by, created_at) VALUES"


async def _granted(database: str, grants: list[tuple[int, str]]) -> None:
    connection = await asyncpg.connect(database.replace("+asyncpg", ""))
    try:
        await connection.executemany(f"{GRANT} ($1, $2, 1, true, 'test', 0)", grants)
    finally:
        await connection.close()


def administrator(demo: Running) -> Any:
    """An account that may do everything in the office. No token of the demonstration stands for
    an account, and none may make an administrator."""
    made = demo.as_("office").do("POST", "/accounts", {**ADMIN, "office": 1, "name": "管理员"})
    grants = [(made["id"], role) for role in ("system_admin", "office")]
    if isinstance(demo, Several):
        in_a_thread(_granted(demo.environment["PINGYI_DATABASE_URL"], grants))
        return made
    with contextlib.closing(sqlite3.connect(demo.data / "pingyi.db", timeout=10)) as base, base:
        base.executemany(f"{GRANT} (?, ?, 1, true, 'test', 0)", grants)
    return made


def office_of(demo: Running, subject: str) -> str:
    """The cookie of an official's office that used its card."""
    card = {"role": "subject", "subject": subject}
    code = demo.as_("office").do("POST", f"{demo.here}/cards", card)["code"]
    used = httpx2.post(f"{demo.url}/join/{code}", trust_env=False, timeout=30)
    assert "/brief?" in used.headers["location"]
    return str(used.headers["set-cookie"].partition(";")[0])


def sent_brief(demo: Running, subject: str) -> None:
    """The subject's office may read in advance and was sent one line, with a reply that it proposes."""
    desk, here = demo.as_("moderator"), demo.here
    desk.do("PUT", f"{here}/brief", {"in_advance": True})
    waiting = desk.get(f"{here}/desk/questions?subject={subject}&status=shortlisted,queued")
    for n, one in enumerate(waiting["items"]):
        text = f"第{'一二三四五六七八九十'[n % 10]}类事项办理进度怎样公开？"
        path = f"{here}/desk/questions/{one['id']}"
        desk.do("PATCH", path, {"version": one["version"], "text": text})
    found = desk.get(f"{here}/brief/{subject}")
    assert found["lines"]
    assert found["kept_back"] == []
    desk.do("POST", f"{here}/brief/{subject}", {"hash": found["hash"]})


def session_of(demo: Running, login: dict[str, str]) -> str:
    """The cookie of an account that signs in."""
    answer = demo.anyone().call("POST", "/sessions", login)
    return str(answer.headers["set-cookie"].partition(";")[0])

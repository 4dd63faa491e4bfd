"""One right call for each operation of the API, from which wrong ones are made."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2

from tests.running import Running, new_key
from tests.several import Several, in_a_thread

ADMIN = {"login": "root", "password": "correct horse battery"}
TARGET, VERSION = "~target~", "~version~"
"""Stand for the thing that is acted on now, and for the version that it has now."""


@dataclass(frozen=True)
class Call:
    """One right call. What is refused for its state would hide what is wrong with the rest, so a
    call may bring several `targets`, each used until an act on it succeeded, SQL that tells the
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
    notice = host.do("POST", f"{demo.here}/notices", {"text": "请加快"})
    spare = asked_for_seat(demo, 12)
    commented, comment = commented_round(demo)
    floor = demo.as_("panel").do("POST", f"{demo.here}/floor", {"kind": "ask", "text": "请问"})
    admin = administrator(demo)
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
        "hearings_journal": Call("scrutineer", here, query={"after": "0"}),
        "questions_questions": Call("nobody", here, query={"cursor": "99"}),
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
                   "q": "%E8%B7%AF%E7%81%AF", "cursor": "99"},
        ),
        "desk_one": Call("moderator", question(fresh[0])),
        "desk_edit": Call(
            "moderator",
            question(fresh[0]),
            {"version": VERSION, "text": "改过的问题", "subject": slot["subject"], "tags": ["道路"]},
            version=f"select version from questions where id = {fresh[0]}",
        ),
        "desk_approve": Call("moderator", question(TARGET), {}, targets=fresh[12:18]),
        "desk_reject": Call(
            "moderator", question(TARGET), {"reason": "unclear"}, targets=fresh[18:24]
        ),
        "desk_unreject": Call("moderator", question(fresh[1])),
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


def session_of(demo: Running, login: dict[str, str]) -> str:
    """The cookie of an account that signs in."""
    answer = demo.anyone().call("POST", "/sessions", login)
    return str(answer.headers["set-cookie"].partition(";")[0])

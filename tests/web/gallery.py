"""Every public and on-air page with invented hearings, to look at: `python -m tests.web.gallery`.

Then open http://127.0.0.1:8100/. The socket here is a small pretence: it keeps the samples' clock,
acknowledges votes, supports and questions in memory, and so lets a page be tried without a server.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import segno
import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import HTMLResponse, JSONResponse

from server.domain.desk import Group
from server.domain.view import HearingView
from tests.web.sheets import SHEETS
from tests.web.views import AT, CASES, EXTREMES, SEATS, public_round, question
from web.layout.assets import by_hashed_name
from web.layout.page import render
from web.pages.desk import context as desk
from web.pages.home.context import Listed, home
from web.pages.join.context import Card, join
from web.pages.panel import context as panel
from web.pages.panel import views as panel_views
from web.pages.problem.context import problem
from web.pages.question.context import fate
from web.pages.voted.context import voted
from web.renderer import PAGES

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; media-src 'self' blob: https: http:; form-action 'self'; "
    "base-uri 'none'; frame-src 'self'; frame-ancestors 'self'"
)

ALL = {**CASES, **EXTREMES, **SHEETS}
SIGNED_IN = ("panel", "host", "desk")
"""Pages whose session the server tells to the template."""
PLAIN: dict[str, tuple[str, ...]] = {
    "home": ("full", "empty"),
    "join": ("open", "used", "expired", "early", "unknown"),
    "question": (
        *("received", "approved", "rejected", "merged", "answered", "replied"),
        *("appealed", "upheld", "granted"),
    ),
    "problem": ("not_found",),
    "voted": ("open", "closed"),
}
"""Pages without a socket, and their cases."""


def plain(name: str, case: str, lang: str) -> Any:
    """The context of a page without a socket."""
    if name == "home":
        rows = (
            Listed(
                "yunlan-shufa", "云澜市述法评议会", "云澜市全面依法治市委员会办公室", "live", "real"
            ),
            Listed(
                "beiwan", "北湾区述法评议会", "北湾区全面依法治区委员会办公室", "ready", "rehearsal"
            ),
            Listed(
                "yunlan-2025",
                "云澜市述法评议会（2025）",
                "云澜市全面依法治市委员会办公室",
                "archived",
                "real",
            ),
        )
        return home(rows if case == "full" else (), lang)
    if name == "join":
        card = Card("K7Q2-MX4P", "云澜市述法评议会", "云澜市全面依法治市委员会办公室", "panelist")
        card = replace(card, name="沐青禾", group="人大代表", seat=1)
        return join(None if case == "unknown" else card, case, lang)
    if name == "question":
        more: dict[str, Any] = {
            "received": {},
            "approved": {"status": "queued"},
            "rejected": {"status": "rejected", "reason": "off_topic"},
            "appealed": {"status": "rejected", "reason": "personal_data", "appealed": True},
            "upheld": {
                "status": "rejected",
                "reason": "unclear",
                "appealed": True,
                "appeal_outcome": "upheld",
                "appeal_note": "请写明是哪座桥。",
            },
            "granted": {"status": "screened", "appealed": True, "appeal_outcome": "granted"},
            "merged": {"status": "merged", "merged_into": "Q0007"},
            "answered": {"status": "answered", "answered_at": AT},
            "replied": {
                "status": "replied_in_writing",
                "answered_at": AT,
                "reply": "经核实，已安排现场复核。\n办理结果将在一个月内告知。",
            },
        }[case]
        one = question(0, **({"status": "received"} | more))
        said = {"appealed": "申诉已提交。"}.get(case, "")
        return fate(one, "yunlan-shufa", "云澜市述法评议会", lang, said=said)
    if name == "voted":
        return voted(public_round(case), "satisfied", "/h/yunlan-shufa?lang=" + lang)
    return problem("没有这一项。", "not_found", 404)


def html(name: str, case: str, lang: str, theme: str | None = None) -> str:
    """A page's HTML in a case."""
    extra: dict[str, Any] = {"theme": theme} if theme else {}
    if name in SIGNED_IN:
        extra |= {"socket": f"/h/yunlan-shufa/{name}/socket", "seat": "label"}
        extra |= {"slug": "yunlan-shufa", "me": SEATS[2], "by": None}
    if name in PAGES:
        return PAGES[name].html(ALL[case](), lang, **extra)
    return render(f"{name}/page.html", lang, page=name, f=plain(name, case, lang), **extra)


app = FastAPI(openapi_url=None)
votes: dict[str, str] = {}
supports: set[str] = set()
asked: list[dict[str, str]] = []


@app.get("/")
def index() -> HTMLResponse:
    """All pages and cases."""
    lines = []
    for name in (*PAGES, *PLAIN):
        cases = PLAIN.get(name, tuple(CASES))
        links = " ".join(f'<a href="/{name}?case={c}">{c}</a>' for c in cases)
        lines.append(f"<h2>{name}</h2><p>{links}</p>")
    return HTMLResponse(
        "<!doctype html><meta charset=utf-8><title>gallery</title>" + "".join(lines)
    )


@app.get("/static/{name:path}")
def static(name: str) -> Response:
    """Assets under their hashed names."""
    asset = by_hashed_name().get(name)
    if asset is None:
        raise HTTPException(404)
    return Response(asset.plain, media_type=asset.type)


@app.get("/h/{slug}/qr.svg")
def qr(slug: str) -> Response:
    """The public page's address as a picture."""
    image = segno.make(f"http://127.0.0.1/h/{slug}").svg_inline(border=1, omitsize=True)
    return Response(
        image.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1),
        media_type="image/svg+xml",
    )


@app.post("/api/v1/viewers", status_code=201)
def viewer() -> dict[str, str]:
    """A viewer token."""
    return {"viewer": "v1.a.sample.0"}


@app.get("/api/v1/viewers/me")
def me() -> dict[str, Any]:
    """What this viewer has done."""
    return {"votes": votes, "supports": sorted(supports), "questions": asked}


def shown(request: Request) -> tuple[HearingView, str]:
    """The view and the language of the page that asks."""
    asked = parse_qs(urlsplit(request.headers.get("referer", "")).query)
    return ALL[asked.get("case", ["full"])[0]](), asked.get("lang", ["zh"])[0]


@app.get("/api/v1/rounds/{id_}/ballot")
def ballot(id_: str) -> dict[str, Any]:
    """Nothing was cast from this seat."""
    return {"round": id_, "receipt": None}


@app.get("/h/{slug}/panel/sheet/{id_}")
def sheet(id_: str, request: Request) -> HTMLResponse:
    """The round's empty sheet."""
    view, lang = shown(request)
    round_ = next(r for r in view.rounds if r.id == id_)
    return HTMLResponse(render("panel/_sheet.html", lang, f=panel.sheet(view, round_, lang)))


@app.get("/h/{slug}/panel/floor")
def nothing() -> dict[str, Any]:
    """Nobody has asked for the floor."""
    return {}


app.get("/h/{slug}/panel/worker.js")(panel_views.worker)
app.get("/h/{slug}/panel/app.webmanifest")(panel_views.manifest)


@app.get("/h/{slug}/host/numbers")
def numbers() -> dict[str, Any]:
    """Nobody has begun, and the installation is loaded as far as it goes."""
    return {"turnout": {}, "load": 4}


@app.get("/h/{slug}/host/tablets")
def tablets() -> dict[str, Any]:
    """A tablet in each state, one of them nearly empty."""
    up = {"state": "up", "seen": AT, "battery": 15, "charging": False}
    gone, silent = (
        {"state": one, "seen": AT, "battery": None, "charging": None} for one in ("gone", "silent")
    )
    return {"1": up, "2": gone, "3": silent, "4": {"state": "never"}}


@app.get("/h/{slug}/stage")
def next_picture(request: Request) -> HTMLResponse:
    """The hall screen as the console foresees it."""
    case = parse_qs(urlsplit(request.headers.get("referer", "")).query).get("case", ["full"])[0]
    return page(request, "stage", case, request.query_params.get("lang", "zh"))


@app.get("/h/{slug}/desk/list")
def listed(request: Request) -> HTMLResponse:
    """The desk's list: the view's questions."""
    view, lang = shown(request)
    found = desk.listing(view.questions, view.subjects, "", AT, lang)
    return HTMLResponse(render("desk/_list.html", lang, f=found))


@app.get("/h/{slug}/desk/drafts")
def drafts(request: Request) -> JSONResponse:
    """No office has drafted a reply."""
    return JSONResponse({"items": []})


@app.get("/h/{slug}/desk/groups")
def groups(request: Request) -> HTMLResponse:
    """What several people ask, of two officials and of nobody; nothing where nothing was asked."""
    view, lang = shown(request)
    keys = [view.subjects[0].key, view.subjects[0].key, view.subjects[1].key, None]
    found = [
        Group(n, key, 12 - n, 9 - n, 5 - n, n, q.id, q.text, q.title)
        for n, (key, q) in enumerate(zip(keys, view.questions, strict=False), 1)
    ]
    grouped = desk.grouped(found, view.subjects, False, lang)
    return HTMLResponse(render("desk/_groups.html", lang, f=grouped))


@app.get("/h/{slug}/desk/districts")
def districts() -> HTMLResponse:
    """Two districts."""
    return HTMLResponse(render("desk/_districts.html", "zh", f=("城东区", "城西区")))


@app.get("/h/{slug}/desk/question/{id_}")
def asked_question(slug: str, id_: int, request: Request) -> HTMLResponse:
    """One question with an earlier wording."""
    view, lang = shown(request)
    one = next(q for q in view.questions if q.id == id_)
    pane = desk.pane(slug, one, view.subjects, ((1, one.text + "（原文）"),), None, lang)
    return HTMLResponse(render("desk/_question.html", lang, f=pane))


@app.get("/{name}")
def page(request: Request, name: str, case: str = "full", lang: str = "zh") -> HTMLResponse:
    """A page in a case; `theme=light|dark` forces one."""
    known = PLAIN.get(name, tuple(ALL) if name in PAGES else ())
    if not known:
        raise HTTPException(404)
    chosen = case if case in known else known[0]
    body = html(name, chosen, lang, request.query_params.get("theme"))
    return HTMLResponse(body, headers={"Content-Security-Policy": CSP})


@app.websocket("/h/{slug}/{place:path}")
async def socket(websocket: WebSocket, slug: str, place: str) -> None:
    """The samples' clock, and acks."""
    del slug, place
    await websocket.accept()
    began = time.monotonic()
    known = False

    def at() -> int:
        return AT + int((time.monotonic() - began) * 1000)

    async def tell(type_: str, **members: Any) -> None:
        await websocket.send_text(orjson.dumps({"type": type_, "at": at(), **members}).decode())

    async def beat() -> None:
        while True:
            await tell("pulse")
            await asyncio.sleep(5)

    beating = asyncio.create_task(beat())
    try:
        while True:
            frame = orjson.loads(await websocket.receive_text())
            key, kind = frame.get("key"), frame["type"]
            if kind == "viewer":
                known = True
            elif key and not known:
                await tell("refusal", key=key, code="viewer_needed", message="…")
            elif kind == "vote":
                replaced = frame["round"] in votes
                votes[frame["round"]] = frame["choice"]
                await tell(
                    "ack", key=key, round=frame["round"], choice=frame["choice"], replaced=replaced
                )
            elif kind == "support":
                (supports.add if frame["on"] else supports.discard)(frame["question"])
                await tell(
                    "ack",
                    key=key,
                    question=frame["question"],
                    on=frame["on"],
                    support=99 + frame["on"],
                )
            elif kind == "ask":
                code = f"Q9{len(asked):03d}"
                asked.append({"code": code, "status": "received"})
                await tell("ack", key=key, code=code, secret="s-3f9a-77", status="received")
    except WebSocketDisconnect:
        pass
    finally:
        beating.cancel()


def main() -> None:
    """Serve on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8100)
    uvicorn.run(app, host="127.0.0.1", port=parser.parse_args().port, log_level="warning")


if __name__ == "__main__":
    main()

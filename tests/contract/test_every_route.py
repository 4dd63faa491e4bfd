"""Every route of the API, tried by everybody: who may, who may not, and one error shape.

A route that is not in `ALLOWED` fails the test, so that nobody adds one without saying who may.
"""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server.domain.refusals import CATALOGUE
from server.shows.read import read_show
from tests.nursery import ROOT
from tests.running import Client, Running

EVERYONE = "everyone"
AT_THE_DESK = frozenset({"moderator", "office", "duty"})
ALLOWED: dict[str, str | frozenset[str]] = {
    "GET /hearings/{slug}": EVERYONE,
    "GET /hearings/{slug}/agenda": EVERYONE,
    "GET /hearings/{slug}/questions": EVERYONE,
    "POST /hearings/{slug}/questions/similar": EVERYONE,
    "POST /hearings/{slug}/questions": EVERYONE,
    "PUT /hearings/{slug}/questions/{code}/support": EVERYONE,
    "GET /questions/{code}": EVERYONE,
    "POST /questions/{code}/appeal": EVERYONE,
    "PUT /questions/{code}/rating": EVERYONE,
    "POST /viewers": EVERYONE,
    "GET /viewers/me": EVERYONE,
    "POST /sessions": EVERYONE,
    "GET /rounds/{id}": EVERYONE,
    "GET /rounds/{id}/turnout": EVERYONE,
    "GET /rounds/{id}/result": EVERYONE,
    "GET /rounds/{id}/rules.json": EVERYONE,
    "GET /rounds/{id}/result.xlsx": EVERYONE,
    "GET /rounds/{id}/result.docx": EVERYONE,
    "GET /rounds/{id}/result.pdf": EVERYONE,
    "GET /rounds/{id}/tally-sheet.pdf": EVERYONE,
    "PUT /rounds/{id}/ballot": EVERYONE,  # a viewer's choice; a panelist's sheet needs its seat
    "DELETE /sessions": EVERYONE,
    "PUT /hearings/{slug}/agenda": frozenset({"host"}),
    "PATCH /hearings/{slug}/agenda/{item}": frozenset({"host"}),
    "POST /hearings/{slug}/runs": frozenset({"host"}),
    "PUT /hearings/{slug}/position": frozenset({"host"}),
    "PUT /hearings/{slug}/status": frozenset({"host"}),
    "PUT /hearings/{slug}/screens": frozenset({"host"}),
    "PUT /hearings/{slug}/leases/{kind}": frozenset({"host"}),
    "POST /hearings/{slug}/notices": frozenset({"host"}),
    "POST /hearings/{slug}/notices/{id}/acknowledgement": frozenset({"host"}),
    "POST /hearings/{slug}/floor": frozenset({"panel"}),
    "POST /hearings/{slug}/floor/{id}/outcome": frozenset({"host"}),
    "POST /hearings/{slug}/takeovers/{id}/outcome": frozenset({"office", "host"}),
    "GET /hearings/{slug}/journal": frozenset({"office", "scrutineer"}),
    "GET /hearings/{slug}/desk/questions": AT_THE_DESK,
    "POST /hearings/{slug}/desk/questions": frozenset({"moderator"}),
    "GET /hearings/{slug}/desk/groups": AT_THE_DESK,
    "POST /hearings/{slug}/desk/bulk": frozenset({"moderator"}),
    "DELETE /hearings/{slug}/desk/bulk/{id}": frozenset({"moderator"}),
    "GET /hearings/{slug}/desk/questions/{id}": AT_THE_DESK,
    "GET /hearings/{slug}/desk/questions/{id}/history": AT_THE_DESK,
    "PATCH /hearings/{slug}/desk/questions/{id}": frozenset({"moderator", "host"}),
    "GET /hearings/{slug}/desk/questions/{id}/duplicates": AT_THE_DESK,
    "GET /hearings/{slug}/desk/questions/{id}/topics": AT_THE_DESK,
    "GET /hearings/{slug}/desk/topics": AT_THE_DESK,
    "PUT /hearings/{slug}/desk/questions/{id}/claim": frozenset({"moderator"}),
    "DELETE /hearings/{slug}/desk/questions/{id}/claim": frozenset({"moderator"}),
    "PUT /hearings/{slug}/desk/questions/{id}/verification": frozenset({"moderator"}),
    "POST /hearings/{slug}/desk/questions/{id}/seconding": frozenset(
        {"moderator", "host", "office"}
    ),
    "POST /hearings/{slug}/desk/questions/{id}/escalation": frozenset({"moderator"}),
    "GET /hearings/{slug}/escalations": frozenset({"duty"}),
    "POST /hearings/{slug}/escalations/{id}/acknowledgement": frozenset({"duty"}),
    "POST /hearings/{slug}/escalations/{id}/outcome": frozenset({"duty"}),
    "PUT /hearings/{slug}/reviews": frozenset({"office"}),
    "PUT /hearings/{slug}/subjects/{subject}/aliases": frozenset({"office"}),
    "POST /hearings/{slug}/desk/questions/{id}/unmasking": frozenset({"moderator", "office"}),
    "POST /hearings/{slug}/desk/questions/{id}/approval": frozenset({"moderator"}),
    "DELETE /hearings/{slug}/desk/questions/{id}/approval": frozenset({"moderator"}),
    "POST /hearings/{slug}/desk/questions/{id}/rejection": frozenset({"moderator"}),
    "DELETE /hearings/{slug}/desk/questions/{id}/rejection": frozenset({"moderator"}),
    "POST /hearings/{slug}/desk/questions/{id}/upholding": frozenset({"moderator"}),
    "POST /hearings/{slug}/desk/questions/{id}/shortlisting": frozenset({"moderator"}),
    "DELETE /hearings/{slug}/desk/questions/{id}/shortlisting": frozenset({"moderator"}),
    "POST /hearings/{slug}/desk/questions/{id}/merging": frozenset({"moderator"}),
    "DELETE /hearings/{slug}/desk/questions/{id}/merging": frozenset({"moderator"}),
    "POST /hearings/{slug}/desk/questions/{id}/reply": frozenset({"moderator"}),
    "POST /hearings/{slug}/desk/questions/{id}/closing": frozenset({"moderator"}),
    "GET /hearings/{slug}/queue": frozenset({"moderator", "host"}),
    "PUT /hearings/{slug}/queue": frozenset({"moderator", "host"}),
    "PUT /hearings/{slug}/queue/{id}/asker": frozenset({"host"}),
    "PUT /hearings/{slug}/stage": frozenset({"host"}),
    "PATCH /hearings/{slug}/stage": frozenset({"host"}),
    "POST /hearings/{slug}/stage/reaction": frozenset({"host"}),
    "DELETE /hearings/{slug}/stage": frozenset({"host"}),
    "POST /intake/{source}": EVERYONE,
    "GET /hearings/{slug}/sources": frozenset({"office"}),
    "POST /hearings/{slug}/sources": frozenset({"office"}),
    "PATCH /hearings/{slug}/sources/{source}": frozenset({"office"}),
    "POST /hearings/{slug}/sources/{source}/keys": frozenset({"office"}),
    "POST /hearings/{slug}/sources/{source}/polling": frozenset({"office"}),
    "POST /hearings/{slug}/sources/{source}/quarantine/{message}/reading": frozenset({"office"}),
    "DELETE /hearings/{slug}/sources/{source}/quarantine/{message}": frozenset({"office"}),
    "POST /hearings/{slug}/rounds": frozenset({"host"}),
    "POST /rounds/{id}/opening": frozenset({"host"}),
    "POST /rounds/{id}/closing": frozenset({"host"}),
    "POST /rounds/{id}/certification": frozenset({"host", "teller", "scrutineer"}),
    "POST /rounds/{id}/publication": frozenset({"host", "office"}),
    "PUT /rounds/{id}/reveal": frozenset({"host"}),
    "POST /rounds/{id}/voiding": frozenset({"host"}),
    "POST /rounds/{id}/again": frozenset({"host"}),
    "PUT /rounds/{id}/seats/{number}/paper": frozenset({"host"}),
    "GET /rounds/{id}/paper": frozenset({"teller", "scrutineer", "office"}),
    "PUT /rounds/{id}/paper/{form}": frozenset({"teller", "scrutineer", "office"}),
    "POST /rounds/{id}/contest": frozenset({"office", "teller", "scrutineer"}),
    "POST /rounds/{id}/contest/files": frozenset({"office", "teller", "scrutineer"}),
    "POST /rounds/{id}/contest/decision": frozenset({"host", "office"}),
    "GET /rounds/{id}/contests": frozenset({"host", "office", "teller", "scrutineer"}),
    "GET /rounds/{id}/contests/{contest}/files/{number}": frozenset(
        {"host", "office", "teller", "scrutineer"}
    ),
    "GET /rounds/{id}/comments": frozenset({"scrutineer", "office"}),
    "PUT /rounds/{id}/comments/{comment}": frozenset({"scrutineer", "office"}),
    "PUT /rounds/{id}/draft": frozenset({"panel"}),
    "GET /rounds/{id}/ballot": frozenset({"panel"}),
    "GET /rounds/{id}/ballots.csv": frozenset({"teller", "scrutineer", "office"}),
    "GET /rounds/{id}/bundle": EVERYONE,
    "GET /rounds/{id}/forms.pdf": frozenset({"teller", "scrutineer", "office"}),
    "GET /hearings/{slug}/minutes.docx": frozenset({"office", "scrutineer"}),
    "GET /hearings/{slug}/minutes.pdf": frozenset({"office", "scrutineer"}),
    "POST /offices": frozenset(),
    "POST /accounts": frozenset({"office"}),
    "PUT /accounts/{id}/password": frozenset({"office"}),
    "PUT /accounts/{id}/disabled": frozenset({"office"}),
    "PUT /account/password": frozenset(),
    "POST /grants": frozenset({"office"}),
    "DELETE /grants/{id}": frozenset({"office"}),
    "POST /hearings/{slug}/cards": frozenset({"office", "host"}),
    "POST /tokens": frozenset(),
    "DELETE /tokens/{id}": frozenset({"office"}),
    "POST /shows/check": frozenset({"office"}),
    "POST /offices/{office}/hearings": frozenset({"office"}),
    "GET /hearings/{slug}/brief": frozenset(),  # whoever came by the card of an official's office
    "PUT /hearings/{slug}/brief": frozenset({"moderator", "office"}),
    "GET /hearings/{slug}/brief/{subject}": frozenset({"moderator", "office"}),
    "POST /hearings/{slug}/brief/{subject}": frozenset({"moderator", "office"}),
    "DELETE /hearings/{slug}/brief/{subject}": frozenset({"moderator", "office"}),
    "GET /hearings/{slug}/brief/{subject}/workbook.xlsx": frozenset({"moderator", "office"}),
    "PUT /hearings/{slug}/brief/replies/{number}": frozenset(),
    "GET /hearings/{slug}/show": frozenset({"office"}),
    "GET /hearings/{slug}/people": frozenset({"office", "host"}),
    "PUT /hearings/{slug}/seats/{number}/presence": frozenset({"office", "host"}),
    "GET /roles": frozenset(
        {"moderator", "duty", "host", "office", "teller", "scrutineer", "panel"}
    ),
}
BODIES: dict[str, Any] = {
    "PATCH /hearings/{slug}/agenda/{item}": {"deputy": "x"},
    "PUT /hearings/{slug}/agenda": {"order": []},
    "POST /hearings/{slug}/runs": {"kind": "real"},
    "PUT /hearings/{slug}/position": {"item": "x", "step": "y", "version": 0},
    "PUT /hearings/{slug}/status": {"status": "x", "version": 0},
    "PUT /hearings/{slug}/screens": {"cleared": False},
    "POST /hearings/{slug}/notices": {"text": "x"},
    "POST /hearings/{slug}/floor": {"kind": "ask"},
    "POST /hearings/{slug}/floor/{id}/outcome": {"outcome": "granted"},
    "POST /hearings/{slug}/takeovers/{id}/outcome": {"outcome": "granted"},
    "PUT /rounds/{id}/comments/{comment}": {"outcome": "released"},
    "PATCH /hearings/{slug}/desk/questions/{id}": {"version": 1, "text": "x y"},
    "POST /hearings/{slug}/desk/questions": {"text": "x y", "from": [999999]},
    "POST /hearings/{slug}/desk/bulk": {"act": "approve", "ids": [999999]},
    "PUT /hearings/{slug}/desk/questions/{id}/verification": {"outcome": "confirmed"},
    "POST /hearings/{slug}/desk/questions/{id}/escalation": {"kind": "danger"},
    "POST /hearings/{slug}/escalations/{id}/outcome": {"outcome": "released"},
    "PUT /hearings/{slug}/reviews": {"second": False, "verification": False},
    "PUT /hearings/{slug}/subjects/{subject}/aliases": {"names": []},
    "POST /hearings/{slug}/desk/questions/{id}/unmasking": {"reason": "联系诉求人"},
    "POST /hearings/{slug}/desk/questions/{id}/rejection": {"reason": "unclear"},
    "POST /hearings/{slug}/desk/questions/{id}/merging": {"into": 1},
    "POST /hearings/{slug}/desk/questions/{id}/reply": {"reply": "x"},
    "POST /hearings/{slug}/desk/questions/{id}/closing": {"reason": "x"},
    "PUT /hearings/{slug}/brief": {"in_advance": False},
    "POST /hearings/{slug}/brief/{subject}": {"hash": "x"},
    "PUT /hearings/{slug}/brief/replies/{number}": {"text": "xx"},
    "PUT /hearings/{slug}/queue": {"version": 99, "ids": []},
    "PUT /hearings/{slug}/queue/{id}/asker": {"seat": 1},
    "PUT /hearings/{slug}/stage": {"question": 1},
    "PATCH /hearings/{slug}/stage": {"phase": "done"},
    "POST /hearings/{slug}/stage/reaction": {"kind": "mood", "audience": "public"},
    "POST /hearings/{slug}/sources": {
        "key": "X",
        "name": "x",
        "connector": "push",
        "channel": "hotline",
    },
    "PATCH /hearings/{slug}/sources/{source}": {"version": 1},
    "POST /hearings/{slug}/rounds": {"title": "x", "audience": "public"},
    "PUT /rounds/{id}/reveal": {"step": 0},
    "POST /rounds/{id}/voiding": {"reason": ""},
    "PUT /rounds/{id}/seats/{number}/paper": {"paper": True},
    "PUT /rounds/{id}/paper/{form}": {"marks": {}},
    "POST /rounds/{id}/contest": {"grounds": "x" * 20},
    "POST /rounds/{id}/contest/decision": {"outcome": "upheld", "reason": "x"},
    "PUT /hearings/{slug}/seats/{number}/presence": {"present": True},
    "POST /offices": {"parent": 1, "name": ""},
    "POST /accounts": {"office": 1, "login": "x", "name": "x", "password": "x"},
    "PUT /accounts/{id}/password": {"password": "x"},
    "PUT /accounts/{id}/disabled": {"disabled": True},
    "PUT /account/password": {"old": "x", "new": "x"},
    "POST /grants": {"account": 999, "role": "host", "office": 1},
    "POST /hearings/{slug}/cards": {"role": "nobody"},
    "POST /tokens": {"name": "x", "office": 999},
    "POST /shows/check": {"text": "x"},
    "POST /offices/{office}/hearings": {"text": "x"},
}
# A token stands for the account that makes it; the demonstration has tokens but no accounts.
FOREIGN = {"not_allowed", "not_found", "not_signed_in", "bad_token"}
WITHHELD = {"GET /rounds/{id}/ballots.csv": {"not_published"}}
"""What is told instead, to people of the house, as long as that may change."""


@pytest.fixture(scope="module")
def shared_demo(everywhere_shared: Running) -> Running:
    """In one process and in several: every page, act and socket behaves the same."""
    return everywhere_shared


def routes(demo: Running) -> list[str]:
    spec = demo.anyone().call("GET", "/openapi.json").json()
    return [
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, item in spec["paths"].items()
        if path.startswith("/api/v1")
        for method in item
    ]


def test_every_route_says_who_may(shared_demo: Running) -> None:
    assert set(routes(shared_demo)) == set(ALLOWED)


@pytest.mark.parametrize(
    "who",
    ["nobody", "forged", "moderator", "duty", "host", "office", "teller", "scrutineer", "panel"],
)
def test_who_may_and_who_may_not(shared_demo: Running, who: str) -> None:
    demo = shared_demo
    client = {
        "nobody": lambda: demo.anyone(),
        "forged": lambda: Client(demo.url, "pgy_forged"),
    }.get(who, lambda: demo.as_(who))()
    round_id = demo.state()["rounds"][-1]["id"]
    wrong = []
    for route, allowed in ALLOWED.items():
        if allowed == EVERYONE:
            continue
        method, path = route.split(" ")
        path = path.replace("{slug}", demo.slug).replace("{kind}", "show").replace("{item}", "x")
        path = path.replace("/rounds/{id}", f"/rounds/{round_id}")
        path = re.sub(r"{\w+}", "999999", path)
        answer = client.call(method, path, BODIES.get(route, {}) if method != "GET" else None)
        if answer.status_code >= 500:
            wrong.append(f"{route}: {answer.status_code}")
            continue
        code = answer.json()["error"]["code"] if answer.status_code >= 400 else None
        if who in allowed:
            if code in {"not_allowed", "not_signed_in", "bad_token"}:
                wrong.append(f"{route}: {who} may, but got {code}")
        elif code not in FOREIGN | WITHHELD.get(route, set()):
            wrong.append(f"{route}: {who} may not, but got {answer.status_code} {code}")
        if code is not None and code not in CATALOGUE:
            wrong.append(f"{route}: unknown code {code}")
    assert not wrong, "\n".join(wrong)


def test_one_error_shape_and_both_languages(shared_demo: Running) -> None:
    demo = shared_demo
    host = demo.as_("host")
    for path, status, code in (
        ("/nowhere", 404, "not_found"),
        ("/hearings/no-such-place", 404, "not_found"),
        ("/questions/NOSUCH", 404, "not_found"),
        ("/rounds/NOSUCH", 404, "not_found"),
    ):
        assert host.refused("GET", path) == (status, code)
    assert host.refused("POST", demo.here) == (405, "method_not_allowed")
    english = host.call("GET", "/nowhere", **{"Accept-Language": "en"}).json()["error"]["message"]
    chinese = host.call("GET", "/nowhere").json()["error"]["message"]
    assert english == CATALOGUE["not_found"].en
    assert chinese == CATALOGUE["not_found"].zh
    assert host.refused("PUT", f"{demo.here}/stage", {"question": "x", "y": 1})[0] == 422
    assert host.refused("PUT", f"{demo.here}/screens", {"cleared": False, "y": 1}) == (
        422,
        "unknown_field",
    )
    broken = host.call("PUT", f"{demo.here}/screens")
    assert broken.status_code == 422


def test_foreign_origins_are_refused(shared_demo: Running) -> None:
    demo = shared_demo
    host = demo.as_("host")
    for origin in ("https://evil.example", "null"):
        answer = host.call("PUT", f"{demo.here}/screens", {"cleared": False}, Origin=origin)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "bad_origin")
    same = host.call("PUT", f"{demo.here}/screens", {"cleared": False}, Origin=demo.url)
    assert same.status_code == 200
    for origin in ("https://evil.example", "null"):
        with pytest.raises(InvalidStatus) as caught, demo.socket(origin=origin):
            pass
        assert caught.value.response.status_code == 403
    with demo.socket(origin=demo.url) as socket:
        socket.recv()


def test_staff_sockets_close_with_their_codes(shared_demo: Running) -> None:
    demo = shared_demo
    for token, code in ((None, 4401), ("pgy_x", 4401), (demo.line["tokens"]["moderator"], 4403)):
        with demo.socket("host", token=token) as socket:
            with pytest.raises(ConnectionClosed):
                while True:
                    socket.recv(timeout=5)
            assert socket.close_code == code
    with demo.socket() as socket:
        socket.recv()
        socket.send(b"binary")
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(timeout=5)
        assert socket.close_code == 1003
    with demo.socket() as socket:
        socket.recv()
        socket.send("x" * 17_000)
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(timeout=5)
        assert socket.close_code == 1009
    with demo.socket() as socket:
        socket.recv()
        with pytest.raises(ConnectionClosed):
            for _ in range(500):
                socket.send('{"type":"clock","behind_ms":1}')
            while True:
                socket.recv(timeout=5)
        assert socket.close_code == 1008


def test_public_pages_set_no_cookie_and_are_cacheable(shared_demo: Running) -> None:
    demo = shared_demo
    for path in (f"/h/{demo.slug}", f"/h/{demo.slug}?lang=en"):
        answer = httpx2.get(demo.url + path, trust_env=False)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert answer.headers["etag"]
        again = httpx2.get(
            demo.url + path, headers={"If-None-Match": answer.headers["etag"]}, trust_env=False
        )
        assert again.status_code == 304
        assert "content-security-policy" in answer.headers
        assert "'unsafe" not in answer.headers["content-security-policy"]


def test_personal_data_of_the_seed_questions_reaches_nobody(shared_demo: Running) -> None:
    demo = shared_demo
    show = read_show((ROOT / "server/demo/show.yaml").read_bytes())
    secrets = [q.requester_phone for q in show.questions if q.requester_phone]
    secrets += [q.requester_name for q in show.questions if q.requester_name]
    for q in show.questions:
        secrets += re.findall(r"1[3-9]\d{9}|\d{17}[\dXx]|[\w.]+@example\.com|0399-555\d+", q.text)
    assert len(secrets) > 20
    desk = demo.as_("moderator")
    told, cursor = "", None
    while True:
        page = desk.get(f"{demo.here}/desk/questions" + (f"?cursor={cursor}" if cursor else ""))
        told += str(page["items"])
        cursor = page["cursor"]
        if cursor is None:
            break
    told += demo.as_("office").call("GET", f"{demo.here}/show").text
    assert not [s for s in secrets if s in told]

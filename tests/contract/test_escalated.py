"""What was escalated is read by the duty person alone, at whatever address and however it is asked for.

A question with marks in everything that is known of it goes on the public list, is rewritten, merged
into and sent to an official's office; then it is escalated, and everybody asks for everything.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from server.api import open311
from tests.contract.right_calls import office_of
from tests.running import Running, frames_until, new_key, running, wait_until
from web.routes import ROUTERS

SUBJECT = "housing"
ASKED, PHONE, REWRITTEN, NOTE, TAG, MERGED = (
    "寅卯辰聚集",
    "13900001234",
    "巳午未怎样处理",
    "申酉戌请看",
    "丑丑丑",
    "亥子丑广场",
)
MARKS = (ASKED, PHONE, REWRITTEN, NOTE, TAG, MERGED)
ROOMS = ("desk", "host", "card", "stage", "overlay", "podium")


@dataclass
class Scene:
    """The demonstration with the escalated question, one of the same person's, one that was merged into it, its
    number in what an office was sent, and what everybody browses with."""

    demo: Running
    id: int
    code: str
    sister: int
    merged: int
    number: int
    settled: bool
    """Whether it was handed over already."""
    before: dict[str, Any]
    """The public's snapshot before it stood on the list."""
    browsers: dict[str, httpx2.Client]


def browser_of(demo: Running, link: str) -> httpx2.Client:
    found = httpx2.Client(
        base_url=demo.url, trust_env=False, timeout=30, headers={"Accept-Language": "zh"}
    )
    found.get(link)
    return found


def ask(demo: Running, viewer: Any, text: str) -> tuple[int, str]:
    """(id, code) of a question that was asked now."""
    asked = viewer.do("POST", f"{demo.here}/questions", {"text": text}, new_key())
    found = demo.as_("moderator").get(f"{demo.here}/desk/questions?q={asked['code']}")
    return found["items"][0]["id"], asked["code"]


def snapshot(demo: Running) -> dict[str, Any]:
    """What the public's socket begins with."""
    with demo.socket("", **{"as": "json"}) as socket:
        found: dict[str, Any] = frames_until(socket, lambda frame: frame["type"] == "snapshot")[-1]
    return found


@pytest.fixture(scope="module", params=["escalated", "handed over"])
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    with contextlib.ExitStack() as until, running(tmp_path_factory.mktemp("e") / "demo") as demo:
        desk, viewer = demo.as_("moderator"), demo.viewer()
        here = f"{demo.here}/desk/questions"
        id_, code = ask(demo, viewer, f"{ASKED}，电话{PHONE}，请尽快处理。")
        sister, _ = ask(demo, viewer, "另一件事：公园的长椅什么时候修好？")
        merged, _ = ask(demo, demo.viewer(), f"有人要在{MERGED}上聚集，请处理。")
        before = snapshot(demo)
        desk.do("POST", f"{here}/{id_}/approval")
        desk.do("POST", f"{here}/{id_}/shortlisting", {"subject": SUBJECT})
        version = desk.get(f"{here}/{id_}")["version"]
        desk.do("PATCH", f"{here}/{id_}", {"version": version, "text": REWRITTEN, "tags": [TAG]})
        desk.do("POST", f"{here}/{merged}/merging", {"into": id_})
        desk.do("PUT", f"{demo.here}/brief", {"in_advance": True})
        preview = desk.get(f"{demo.here}/brief/{SUBJECT}")
        for held in preview["kept_back"]:
            desk.do("POST", f"{here}/{held['id']}/closing", {"reason": "不再需要"})
        preview = desk.get(f"{demo.here}/brief/{SUBJECT}")
        number = next(o["number"] for o in preview["lines"] if o["wording"] == REWRITTEN)
        desk.do("POST", f"{demo.here}/brief/{SUBJECT}", {"hash": preview["hash"]})
        links = demo.line["links"]
        browsers = {name: browser_of(demo, links[name]) for name in ("desk", "office", "host")}
        browsers["panel"] = browser_of(demo, links["panel"][0])
        browsers["public"] = httpx2.Client(base_url=demo.url, trust_env=False, timeout=30)
        browsers["the official's office"] = httpx2.Client(
            base_url=demo.url, trust_env=False, timeout=30,
            headers={"Cookie": office_of(demo, SUBJECT)},
        )  # fmt: skip
        for one in browsers.values():
            until.callback(one.close)
        # All of it is there to be found, by whoever may.
        told = desk.call("GET", f"{here}/{id_}").text
        assert ASKED in told
        assert REWRITTEN in told
        assert TAG in told
        assert (
            PHONE in desk.call("POST", f"{here}/{id_}/unmasking", {"reason": "需要回访诉求人"}).text
        )
        page = f"/h/{demo.slug}/brief"
        assert REWRITTEN in browsers["the official's office"].get(page).text
        assert REWRITTEN in browsers["public"].get(f"/h/{demo.slug}").text
        listed = snapshot(demo)
        assert REWRITTEN in repr(listed)
        made = desk.do("POST", f"{here}/{id_}/escalation", {"kind": "misconduct", "note": NOTE})
        settled = request.param == "handed over"
        if settled:
            outcome = f"{demo.here}/escalations/{made['id']}/outcome"
            demo.as_("duty").do("POST", outcome, {"outcome": "handed_over"})
        wait_until(lambda: snapshot(demo)["version"] > listed["version"])
        yield Scene(demo, id_, code, sister, merged, number, settled, before, browsers)


def addresses(scene: Scene) -> list[str]:
    """Every address that a GET reaches, with the question in every place that can name one."""
    demo = scene.demo
    api = demo.anyone().call("GET", "/openapi.json").json()["paths"]
    paths = [path for path, methods in api.items() if "get" in methods]
    for router in (*ROUTERS, open311.router):
        paths += [r.path for r in router.routes if "GET" in getattr(r, "methods", ())]  # type: ignore[attr-defined]
    # In a packed file no mark can be looked for; what goes into one is told elsewhere too.
    paths = [one for one in paths if not re.search(r"\.(pdf|docx|xlsx)$|/bundle$|^/static/", one)]
    assert len(paths) > 50
    found = []
    for path in paths:
        ids = [scene.id, scene.merged, scene.sister] if "/desk/" in path and "{id" in path else [0]
        for id_ in ids:
            values = {
                "slug": demo.slug, "id": id_, "id_": id_, "code": scene.code, "subject": SUBJECT,
                "page": "desk", "office": 1, "cluster": scene.id,
            }  # fmt: skip
            address = path
            for name in re.findall(r"{(\w+)(?::\w+)?}", path):
                address = re.sub(rf"{{{name}(:\w+)?}}", str(values.get(name, 1)), address)
            found.append(address)
    lists = (f"/h/{demo.slug}/desk/list", f"/api/v1{demo.here}/desk/questions")
    asked = (
        "status=escalated", "status=", f"q={ASKED[:2]}", f"q={REWRITTEN}", f"q={scene.code}",
        f"tag={TAG}", f"same={scene.sister}", f"into={scene.code}", f"cluster={scene.id}",
        f"subject={SUBJECT}&sort=heat", "source=live", "sort=oldest", "mine=true", "heat=2",
    )  # fmt: skip
    found += [f"{one}?{query}" for one in lists for query in asked]
    found += [f"/h/{demo.slug}/{room}" for room in ROOMS]
    here = f"?jurisdiction_id={demo.slug}"
    return [f"{one}{here}" if one.startswith("/open311/") else one for one in found]


def test_nobody_but_the_duty_person_reads_it_anywhere(scene: Scene) -> None:
    demo = scene.demo
    answers = {
        (who, address): browser.get(address)
        for who, browser in scene.browsers.items()
        for address in addresses(scene)
    }
    read = [
        (who, address, mark)
        for (who, address), answer in answers.items()
        for mark in MARKS
        if mark in answer.text
    ]
    assert read == []
    of_it = rf".*/desk/(questions|question|history)/({scene.id}|{scene.merged})(/.*)?"
    found = [at for at, one in answers.items() if re.fullmatch(of_it, at[1])]
    assert len(found) == 12 * len(scene.browsers)
    assert {answers[at].status_code for at in found} <= {401, 403, 404}
    assert {answers["desk", at].status_code for who, at in found if who == "desk"} == {404}
    failed = [at for at, answer in answers.items() if answer.status_code >= 500]
    assert failed == []
    assert sum(answer.status_code == 200 for answer in answers.values()) > 200
    similar = demo.anyone().do("POST", f"{demo.here}/questions/similar", {"text": REWRITTEN})
    assert similar == {"items": []}
    duty = demo.as_("duty").get(f"{demo.here}/escalations")["items"]
    wanted = [] if scene.settled else [(REWRITTEN, NOTE)]
    assert [(one["question"]["text"], one["note"]) for one in duty] == wanted
    seen = demo.as_("duty").get(f"{demo.here}/desk/questions/{scene.id}")
    assert seen["status"] == ("handed_over" if scene.settled else "escalated")
    told = demo.anyone().get(f"/questions/{scene.code}")
    assert told["status"] == "screened"  # Nobody who knows the code learns that it was reported.


def test_no_socket_tells_it(scene: Scene) -> None:
    demo = scene.demo
    tokens = {"desk": "moderator"}
    for room in ("", *ROOMS):
        token = demo.line["tokens"][tokens.get(room, "host")] if room else None
        for form in ("json", "html"):
            with demo.socket(room, token=token, **{"as": form}) as socket:
                first = frames_until(socket, lambda frame: frame["type"] == "snapshot")
            assert not [mark for mark in MARKS if mark in repr(first)], (room, form)
    missed = {"as": "json", "epoch": scene.before["epoch"], "version": str(scene.before["version"])}
    with demo.socket("", **missed) as socket:  # Whoever was away meanwhile.
        frames = frames_until(socket, lambda frame: frame["type"] in ("snapshot", "cue"))
    assert not [mark for mark in MARKS if mark in repr(frames)]


def test_nobody_but_the_duty_person_does_anything_to_it(scene: Scene) -> None:
    demo, desk = scene.demo, scene.demo.as_("moderator")
    here = f"{demo.here}/desk/questions"
    at = f"{here}/{scene.id}"
    for method, path, body in (
        ("POST", f"{at}/approval", {}),
        ("DELETE", f"{at}/approval", None),
        ("POST", f"{at}/rejection", {"reason": "unclear"}),
        ("DELETE", f"{at}/rejection", None),
        ("POST", f"{at}/shortlisting", {}),
        ("DELETE", f"{at}/shortlisting", None),
        ("POST", f"{at}/merging", {"into": scene.sister}),
        ("POST", f"{here}/{scene.sister}/merging", {"into": scene.id}),
        ("DELETE", f"{at}/merging", None),
        ("POST", f"{at}/reply", {"reply": "已经处理"}),
        ("POST", f"{at}/closing", {"reason": "已经处理"}),
        ("POST", f"{at}/unmasking", {"reason": "需要回访诉求人"}),
        ("POST", f"{at}/seconding", {}),
        ("POST", f"{at}/escalation", {"kind": "danger"}),
        ("PUT", f"{at}/verification", {"outcome": "confirmed"}),
        ("PUT", f"{at}/claim", {}),
        ("DELETE", f"{at}/claim", None),
        ("PATCH", at, {"version": 1, "text": "改写一下"}),
        ("POST", here, {"text": "另写一问", "from": [scene.id]}),
    ):
        assert desk.refused(method, path, body) == (404, "not_found"), (method, path)
    for client in (desk, demo.as_("host")):
        queue = client.get(f"{demo.here}/queue")
        body = {"version": queue["version"], "ids": [*queue["ids"], scene.id]}
        assert client.refused("PUT", f"{demo.here}/queue", body) == (422, "queue_unknown_id")
    taken = demo.as_("host").refused("PUT", f"{demo.here}/stage", {"question": scene.id})
    assert taken == (404, "not_found")
    for body in (
        {"act": "approve", "ids": [scene.id]},
        {"act": "tag", "ids": [scene.id], "tags": ["x"]},
        {"act": "merge", "ids": [scene.id], "into": scene.sister},
        {"act": "merge", "ids": [scene.sister], "into": scene.id},
    ):
        told = desk.do("POST", f"{demo.here}/desk/bulk", body)
        assert [one["code"] for one in told["refused"]] == ["not_found"]
    office = demo.as_("office")
    assert office.refused("POST", f"{at}/unmasking", {"reason": "需要回访诉求人"})[0] == 404
    same = scene.browsers["desk"].get(f"/h/{demo.slug}/desk/list?same={scene.id}")
    assert same.status_code == 404
    path = f"{demo.here}/brief/replies/{scene.number}"
    answer = scene.browsers["the official's office"].put(
        f"/api/v1{path}", json={"text": "我们已经处理"}, headers={"Origin": demo.url}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_screen_is_told_which_of_its_questions_are_no_longer_for_its_eyes(scene: Scene) -> None:
    demo = scene.demo
    path = f"/h/{demo.slug}/desk/unseen?id={scene.id}&id={scene.sister}&id=2000000000"
    path += f"&id={scene.merged}"  # It says the same as what it was merged into.
    hidden = sorted((scene.id, scene.merged))
    for who, gone in (("desk", hidden), ("office", hidden)):
        answer = scene.browsers[who].get(path)
        assert (answer.json(), answer.headers["Cache-Control"]) == ({"ids": gone}, "no-store")
    duty = browser_of(demo, demo.line["links"]["duty"])
    assert duty.get(path).json() == {"ids": []}
    duty.close()
    assert scene.browsers["public"].get(path).status_code == 401
    assert scene.browsers["desk"].get(path + "&id=x").status_code == 422

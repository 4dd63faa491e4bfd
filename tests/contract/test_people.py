"""One county never sees a row, a count or a name of another (law 16), by any address there is."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from server.api import open311
from tests.conftest import STORES
from tests.running import start
from tests.services import create_database
from web.layout.page import STAFF
from web.routes import ROUTERS

PASSWORD = "correct horse battery"

SHOW = """
title: {place}述法评议会
slug: {slug}
office: {place}依法治县办
subjects:
  - {{key: housing, name: {place}局长, post: 局长, unit: {place}住建局}}
items:
  - key: housing
    title: {place}住建局述法
    subject: housing
    steps: [{{key: statement, seconds: 300}}, {{key: questions, seconds: 600}}]
groups:
  - {{key: all, name: {place}代表, weight: "1"}}
seats:
  - {{number: 1, name: {place}甲, group: all}}
  - {{number: 2, name: {place}乙, group: all}}
rounds:
  - key: web
    title: {place}网络评价
    audience: public
    choices: [{{key: good, label: 满意}}, {{key: bad, label: 不满意}}]
  - key: panel
    title: {place}测评
    audience: panel
    subjects: [housing]
    rules:
      version: 1
      scale: {{kind: number, min: "0", max: "20", step: "1"}}
      dimensions: [{{key: personally}}]
      within: mean
      across: sum
      rounding: {{mode: half_up, dimension: 2, total: 2}}
questions:
  - source: hotline
    source_key: hotline-12345
    external_id: {slug}-1
    text: {place}的路灯为什么不亮？
    status: approved
"""
"""A small show in which everything that can be read bears the county's name."""


@dataclass
class Serving:
    """`pingyi serve` on a fresh folder: its address and the set-up link's path."""

    url: str
    setup: str
    data: Path
    closing: contextlib.ExitStack

    def browser(self) -> httpx2.Client:
        """A browser: cookies are kept, redirects are seen."""
        client = httpx2.Client(base_url=self.url, timeout=30, trust_env=False)
        return self.closing.enter_context(client)

    def set_up(self) -> httpx2.Client:
        """The first administrator, by the page that the link opens."""
        browser = self.browser()
        answer = browser.post(
            self.setup,
            data={
                "office": "云澜市依法治市办", "level": "city", "login": "root", "name": "系统员",
                "password": PASSWORD, "again": PASSWORD,
            },
        )  # fmt: skip
        assert answer.status_code == 303, answer.text
        return browser

    def signed_in(self, login: str) -> httpx2.Client:
        """An account's browser, by the page."""
        browser = self.browser()
        answer = browser.post("/login", data={"login": login, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return browser


@contextlib.contextmanager
def serving(data: Path, database: str = "", redis: str = "") -> Iterator[Serving]:
    """A server without a demonstration, for as long as the block lasts; on SQLite in one process,
    or on this PostgreSQL and Redis."""
    data.mkdir(parents=True, exist_ok=True)
    process, line = start(
        ["serve", "--port", "0"],
        data,
        PINGYI_DATA=str(data),
        PINGYI_DATABASE_URL=database,
        PINGYI_REDIS_URL=redis,
    )
    try:
        url = line.split()[-1]
        link = process.stdout.readline().split()[-1]
        with contextlib.ExitStack() as closing:
            yield Serving(url, link.removeprefix(url), data, closing)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def did(browser: httpx2.Client, method: str, path: str, body: Any = None) -> Any:
    """The JSON of an act that must succeed."""
    answer = browser.request(method, f"/api/v1{path}", json=body or {})
    assert answer.status_code in {200, 201}, f"{method} {path}: {answer.text}"
    return answer.json()


@dataclass
class County:
    """One county: its browser, and everything of it that another must never meet."""

    place: str
    browser: httpx2.Client
    office: int
    account: int
    draft: str
    announced: str
    ids: dict[str, list[str]] = field(default_factory=dict)


def make_county(house: Serving, root: httpx2.Client, place: str, name: str) -> County:
    """An office below the city with a person, a draft hearing and an announced one."""
    office = did(root, "POST", "/offices", {"parent": 1, "name": f"{place}依法治县办"})["id"]
    who = {
        "office": office,
        "login": f"{name}-office",
        "name": f"{place}经办",
        "password": PASSWORD,
    }
    account = did(root, "POST", "/accounts", who)["id"]
    did(root, "POST", "/grants", {"account": account, "role": "office", "office": office})
    browser = house.signed_in(f"{name}-office")
    for role in ("host", "moderator"):
        did(browser, "POST", "/grants", {"account": account, "role": role, "office": office})
    for slug in (f"{name}-draft", f"{name}-open"):
        text = SHOW.format(place=place, slug=slug)
        did(browser, "POST", f"/offices/{office}/hearings", {"text": text})
    did(browser, "PUT", f"/hearings/{name}-open/status", {"version": 0, "status": "ready"})
    did(browser, "POST", "/tokens", {"name": f"{place}接口", "office": office})
    county = County(place, browser, office, account, f"{name}-draft", f"{name}-open")
    for slug in (county.draft, county.announced):
        rounds = did(browser, "GET", f"/hearings/{slug}")["state"]["rounds"]
        questions = did(browser, "GET", f"/hearings/{slug}/desk/questions")["items"]
        county.ids[slug] = [r["id"] for r in rounds]
        county.ids[f"{slug} questions"] = [str(q["id"]) for q in questions]
        county.ids[f"{slug} codes"] = [q["code"] for q in questions]
    return county


@pytest.fixture(scope="module", params=STORES)
def counties(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[tuple[Serving, County, County]]:
    """Two counties under one city, on SQLite and on PostgreSQL with Redis."""
    servers = ("", "")
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        servers = (create_database(server, "counties"), request.getfixturevalue("redis_url"))
    with serving(tmp_path_factory.mktemp("counties") / "data", *servers) as house:
        root = house.set_up()
        yield house, make_county(house, root, "北湾", "bw"), make_county(house, root, "澹山", "ql")


def gets(house: Serving) -> list[str]:
    """Every address that a GET reaches: the API's and the pages'."""
    api = house.browser().get("/api/v1/openapi.json").json()["paths"]
    found = [path for path, methods in api.items() if "get" in methods]
    for router in (*ROUTERS, open311.router):
        found += [r.path for r in router.routes if "GET" in getattr(r, "methods", ())]  # type: ignore[attr-defined]
    assert len(found) > 35
    return found


def filled(path: str, other: County, slug: str) -> Iterator[str]:
    """The address with every name and id of the other county that it can take."""
    values = {
        "slug": [slug],
        "page": list(STAFF),
        "office": [str(other.office)],
        "code": other.ids[f"{slug} codes"],
        "id": other.ids[slug if "/rounds/" in path else f"{slug} questions"],
        "id_": other.ids[slug if "/rounds/" in path else f"{slug} questions"],
        "round_id": other.ids[slug],
    }
    names = re.findall(r"{(\w+)(?::\w+)?}", path)
    for chosen in itertools.product(*(values.get(name, ["1"]) for name in names)):
        address = path
        for name, value in zip(names, chosen, strict=True):
            address = re.sub(rf"{{{name}(:\w+)?}}", value, address)
        # There the hearing is named in the query.
        yield f"{address}?jurisdiction_id={slug}" if address.startswith(OPEN311) else address


OPEN311 = "/open311/"
ANNOUNCED = (
    r"/api/v1/hearings/[\w-]+(/agenda|/questions)?",
    r"/api/v1/rounds/\w+(/result(\.\w+)?|/tally-sheet\.pdf|/turnout|/rules\.json|/bundle)?",
    r"/h/[\w-]+(/qr\.svg|/rounds/\w+/vote)?",
    r"/open311/v2/(services|requests)(/\w+)?\?.*",
)
"""What the public may read of an announced hearing; everyone else may too."""
BY_CODE = (r"/api/v1/questions/\w+", r"/q/\w+", r"/join/\w+", r"/setup/\w+", r"/static/.*")
"""Addresses of one thing that only who holds its code can name; they tell no text."""
FOR_ANY_NAME = (
    r"/h/[\w-]+/panel/(worker\.js|app\.webmanifest)",
    r"/h/[\w-]+/kiosk",
    r"/open311/v2/discovery\?.*",
)
"""Parts of a tablet's page, the entrance of a shared one, and where Open311 is: the same for every name,
also one that no hearing has."""


@pytest.mark.parametrize("announced", [False, True])
def test_no_address_leads_into_another_county(
    counties: tuple[Serving, County, County], announced: bool
) -> None:
    house, mine, other = counties
    slug = other.announced if announced else other.draft
    wrong, tried = [], 0
    for path in gets(house):
        if "{" not in path and not path.startswith(OPEN311):
            continue
        for address in filled(path, other, slug):
            if any(re.fullmatch(one, address) for one in (*BY_CODE, *FOR_ANY_NAME)):
                continue
            answer = mine.browser.get(address)
            tried += 1
            if answer.status_code in {403, 404}:
                assert other.place not in answer.text
            elif not (announced and any(re.fullmatch(one, address) for one in ANNOUNCED)):
                wrong.append(f"{address} → {answer.status_code}")
    assert not wrong
    assert tried > 30


def test_a_draft_answers_as_a_hearing_that_is_not(
    counties: tuple[Serving, County, County],
) -> None:
    house, mine, other = counties
    nowhere = "-".join(reversed(other.draft.split("-")))  # As long, so that lengths compare too.
    for browser in (house.browser(), mine.browser):
        files = ("/panel/worker.js", "/panel/app.webmanifest")
        for page in ("", *(f"/{one}" for one in STAFF), *files, "/qr.svg", "/other"):
            there, not_there = (browser.get(f"/h/{s}{page}") for s in (other.draft, nowhere))
            assert there.status_code == not_there.status_code, page
            assert there.text.replace(other.draft, nowhere) == not_there.text
            at = there.headers.get("location", "").replace(other.draft, nowhere)
            assert at == not_there.headers.get("location", "")
    for room, browser in itertools.product(STAFF, (house.browser(), mine.browser)):
        there, not_there = (told(house, browser, slug, room) for slug in (other.draft, nowhere))
        assert there == not_there, room
    for path in ("services", "services/GENERAL", "requests", "requests/NOSUCH", "requests.xml"):
        for key in ("", "&api_key=wrong"):
            there, not_there = (
                house.browser().get(f"/open311/v2/{path}?jurisdiction_id={s}{key}")
                for s in (other.draft, nowhere)
            )
            assert (there.status_code, there.text) == (404, not_there.text), path
    for code in (*other.ids[f"{other.draft} codes"], "NOSUCH"):
        appeal = {"secret": "none", "text": "请再看一次"}
        for browser in (house.browser(), mine.browser):
            assert browser.get(f"/api/v1/questions/{code}").status_code == 404
            answer = browser.post(f"/api/v1/questions/{code}/appeal", json=appeal)
            assert answer.status_code == 404
    for code in other.ids[f"{other.draft} codes"]:
        assert other.browser.get(f"/api/v1/questions/{code}").status_code == 200


def opened(house: Serving, browser: httpx2.Client, slug: str, room: str) -> ClientConnection:
    """A staff page's socket with the browser's cookies."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    address = f"{house.url.replace('http', 'ws', 1)}/h/{slug}/{room}/socket"
    return connect(address, proxy=None, additional_headers={"Cookie": cookies} if cookies else None)


def told(house: Serving, browser: httpx2.Client, slug: str, room: str) -> tuple[Any, ...]:
    """What a socket that may not stay was told: the refusal's code, and how it was closed."""
    codes = []
    with opened(house, browser, slug, room) as socket, pytest.raises(ConnectionClosed) as closed:
        while True:
            codes.append(json.loads(socket.recv(timeout=5)).get("code"))
    return codes, closed.value.rcvd


def test_who_loses_the_only_role_at_a_draft_loses_its_sockets(
    counties: tuple[Serving, County, County],
) -> None:
    house, mine, _ = counties
    who = {"office": mine.office, "login": "bw-leaving", "name": "x", "password": PASSWORD}
    account = did(mine.browser, "POST", "/accounts", who)["id"]
    grant = {"account": account, "role": "moderator", "office": mine.office}
    id_ = did(mine.browser, "POST", "/grants", grant)["id"]
    with opened(house, house.signed_in("bw-leaving"), mine.draft, "desk") as socket:
        assert json.loads(socket.recv(timeout=5))["type"] == "snapshot"
        did(mine.browser, "DELETE", f"/grants/{id_}")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, "not_found")


def test_no_list_tells_of_another_county(counties: tuple[Serving, County, County]) -> None:
    house, mine, other = counties
    for path in gets(house):
        if "{" in path:
            continue
        text = mine.browser.get(path).text
        # The announced hearing stands in the public list with its office, as it should.
        shown = re.sub(rf"{other.place}(述法评议会|依法治县办)|{other.announced}", "", text)
        assert other.place not in (shown if path == "/" else text), path
        assert other.draft not in text, path
        assert f"account:{other.account}" not in text, path


def test_each_county_sees_its_own(counties: tuple[Serving, County, County]) -> None:
    _, mine, other = counties
    for county in (mine, other):
        listed = county.browser.get("/office").text
        assert county.draft in listed
        assert county.announced in listed
        page = county.browser.get(f"/office/hearings/{county.draft}").text
        assert f"{county.place}甲" in page
        assert f"{county.place}经办" in county.browser.get("/office/people").text
        assert f"{county.place}接口" in county.browser.get("/office/tokens").text


def test_another_county_cannot_be_acted_upon(counties: tuple[Serving, County, County]) -> None:
    _, mine, other = counties
    tokens = re.findall(r"/api/v1/tokens/(\d+)", other.browser.get("/office/tokens").text)
    grants = re.findall(r"/api/v1/grants/(\d+)", other.browser.get("/office/people").text)
    assert tokens
    assert grants
    slug = other.announced
    for method, path, body in (
        ("POST", f"/api/v1/offices/{other.office}/hearings", {"text": "title: x"}),
        ("POST", "/api/v1/accounts",
         {"office": other.office, "login": "sneak", "name": "x", "password": PASSWORD}),
        ("POST", "/api/v1/grants",
         {"account": other.account, "role": "host", "office": mine.office}),
        ("POST", "/api/v1/grants",
         {"account": mine.account, "role": "host", "office": other.office}),
        ("POST", "/api/v1/grants",
         {"account": mine.account, "role": "host", "office": mine.office, "hearing": slug}),
        ("POST", "/api/v1/tokens", {"name": "x", "office": other.office}),
        ("DELETE", f"/api/v1/tokens/{tokens[0]}", None),
        ("DELETE", f"/api/v1/grants/{grants[0]}", None),
        ("PUT", f"/api/v1/accounts/{other.account}/password", {"password": "mine from now on"}),
        ("PUT", f"/api/v1/accounts/{other.account}/disabled", {"disabled": True}),
        ("PUT", f"/api/v1/accounts/{other.account}/disabled", {"disabled": False}),
        ("POST", f"/api/v1/hearings/{slug}/cards", {"seat": 1}),
        ("PUT", f"/api/v1/hearings/{slug}/status", {"version": 1, "status": "draft"}),
        ("POST", f"/api/v1/hearings/{slug}/runs", {"kind": "real"}),
    ):  # fmt: skip
        answer = mine.browser.request(method, path, json=body)
        assert answer.status_code in {403, 404}, f"{method} {path}: {answer.text}"
    for path, form in (
        (f"/office/hearings/{slug}/cards", {"seat_number": "1"}),
        (f"/office/hearings/{slug}/import", {"source": "hotline-12345"}),
        (f"/office/hearings/{slug}/topics", {}),
        (f"/office/hearings/{slug}/import/{'0' * 32}", {"source": "hotline-12345"}),
        ("/office/new", {"office": str(other.office), "act": "create",
                         "text": SHOW.format(place="x", slug="sneaked")}),
    ):  # fmt: skip
        assert mine.browser.post(path, data=form).status_code in {403, 404}, path
    assert other.browser.get("/office/hearings/sneaked").status_code == 404


def test_the_city_reaches_down_only_by_a_grant_for_its_subtree(
    counties: tuple[Serving, County, County],
) -> None:
    house, mine, other = counties
    root = house.signed_in("root")
    for login, subtree in (("city-alone", False), ("city-all", True)):
        who = {"office": 1, "login": login, "name": login, "password": PASSWORD}
        account = did(root, "POST", "/accounts", who)["id"]
        grant = {"account": account, "role": "office", "office": 1, "subtree": subtree}
        did(root, "POST", "/grants", grant)
        browser = house.signed_in(login)
        listed = browser.get("/office").text
        for county in (mine, other):
            assert (county.draft in listed) is subtree
        # Nor can he give himself what he does not hold: a role that reaches down is given and taken
        # only by whom his own role reaches there.
        offered = "&#34;subtree&#34;: true" in browser.get("/office/people").text
        assert offered is subtree
        down = {**grant, "role": "moderator", "subtree": True}
        answer = browser.post("/api/v1/grants", json=down)
        assert answer.status_code == (201 if subtree else 403), answer.text
        if subtree:
            given = answer.json()["id"]
            alone = house.signed_in("city-alone")
            assert alone.delete(f"/api/v1/grants/{given}").status_code == 403
            assert browser.delete(f"/api/v1/grants/{given}").status_code == 200


def test_roles_are_given_only_by_who_may_give_them(
    counties: tuple[Serving, County, County],
) -> None:
    _, mine, _ = counties
    page = mine.browser.get("/office/people").text
    assert 'value="moderator"' in page
    for role in ("system_admin", "security_admin", "audit_admin", "office"):
        assert f'value="{role}"' not in page
        grant = {"account": mine.account, "role": role, "office": mine.office}
        answer = mine.browser.post("/api/v1/grants", json=grant)
        assert answer.status_code == 403, role


def test_who_is_disabled_loses_sockets_sessions_and_tokens_at_once(
    counties: tuple[Serving, County, County],
) -> None:
    house, mine, _ = counties
    who = {"office": mine.office, "login": "bw-out", "name": "离岗者", "password": PASSWORD}
    account = did(mine.browser, "POST", "/accounts", who)["id"]
    grant = {"account": account, "role": "moderator", "office": mine.office}
    did(mine.browser, "POST", "/grants", grant)
    browser = house.signed_in("bw-out")
    token = did(browser, "POST", "/tokens", {"name": "脚本", "office": mine.office})["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert house.browser().get("/api/v1/roles", headers=bearer).status_code == 200
    with opened(house, browser, mine.draft, "desk") as socket:
        assert json.loads(socket.recv(timeout=5))["type"] == "snapshot"
        did(mine.browser, "PUT", f"/accounts/{account}/disabled", {"disabled": True})
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(timeout=5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
    assert browser.get("/api/v1/roles").status_code == 401
    assert house.browser().get("/api/v1/roles", headers=bearer).status_code == 401
    listed = mine.browser.get("/office/people").text
    assert "已停用" in listed
    form = {"login": "bw-out", "password": PASSWORD}
    assert house.browser().post("/login", data=form).status_code == 401
    did(mine.browser, "PUT", f"/accounts/{account}/disabled", {"disabled": False})
    assert browser.get("/api/v1/roles").status_code == 401
    assert house.signed_in("bw-out").get("/api/v1/roles").status_code == 200
    assert house.browser().get("/api/v1/roles", headers=bearer).status_code == 401


def test_a_person_who_forgot_a_password_gets_one_and_makes_it_his_own(
    counties: tuple[Serving, County, County],
) -> None:
    house, mine, _ = counties
    root = house.signed_in("root")
    who = {"office": mine.office, "login": "bw-lost", "name": "忘记者", "password": PASSWORD}
    account = did(mine.browser, "POST", "/accounts", who)["id"]
    before = house.signed_in("bw-lost")
    page = mine.browser.get("/office/people").text
    assert f"/api/v1/accounts/{account}/password" in page
    # The office may not take its own account in hand, and is told so; nor may it another office's man.
    own = f"/api/v1/accounts/{mine.account}"
    assert f"{own}/password" not in page
    answer = mine.browser.put(f"{own}/password", json={"password": "x" * 12})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "account_own")
    root_id = re.findall(r'id="account-(\d+)"', root.get("/office/people").text)[0]
    answer = root.put(f"/api/v1/accounts/{root_id}/disabled", json={"disabled": True})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "account_own")
    did(mine.browser, "PUT", f"/accounts/{account}/password", {"password": "told in person"})
    assert before.get("/office").status_code == 303
    lost = house.browser()
    answer = lost.post("/login", data={"login": "bw-lost", "password": "told in person"})
    assert answer.status_code == 303
    elsewhere = house.browser()
    elsewhere.post("/login", data={"login": "bw-lost", "password": "told in person"})
    assert lost.get("/office/password").status_code == 200
    for old, new, again, status, at in (
        ("not that one", "one of my own", "one of my own", 422, "old"),
        ("told in person", "short", "short", 422, "new"),
        ("told in person", "one of my own", "another one", 422, "again"),
    ):
        form = {"old": old, "new": new, "again": again}
        answer = lost.post("/office/password", data=form)
        assert answer.status_code == status
        assert f'id="{at}-told" role="alert"' in answer.text
    form = {"old": "told in person", "new": "one of my own", "again": "one of my own"}
    answer = lost.post("/office/password", data=form)
    assert answer.status_code == 200
    assert "密码已修改" in answer.text
    assert lost.get("/office").status_code == 200
    assert elsewhere.get("/office").status_code == 303
    answer = lost.put("/api/v1/account/password", json={"old": "x", "new": "y" * 12})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "password_wrong")


def test_guessing_at_the_old_password_is_counted(
    counties: tuple[Serving, County, County],
) -> None:
    house, mine, _ = counties
    who = {"office": mine.office, "login": "bw-left", "name": "走开者", "password": PASSWORD}
    did(mine.browser, "POST", "/accounts", who)
    browser = house.signed_in("bw-left")
    for _ in range(6):  # A new password that is too short is no guess.
        answer = browser.put("/api/v1/account/password", json={"old": "x", "new": "y"})
        assert answer.json()["error"]["code"] == "password_weak"
    for n in range(6):
        answer = browser.put(
            "/api/v1/account/password", json={"old": f"guess {n}", "new": "y" * 12}
        )
        assert answer.status_code == (422 if n < 5 else 429)

"""What a crowd asks for at once comes from a shelf, and never after something has happened."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from server.api import front
from server.api.front import Front, Shelf
from tests.running import Running


@dataclass
class File:
    type: str = "text/css"
    plain: bytes = b"body{}"
    gzipped: bytes = b"gzipped"


@dataclass
class House:
    """An application that counts how often it is asked for the page."""

    asked: int = 0
    status: int = 200
    fields: dict[str, str] = field(default_factory=lambda: {"etag": '"1"'})
    meanwhile: Any = None
    parts: tuple[bytes, ...] = (b"page",)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        scope["hearing"] = 7
        body = self.parts
        if self.meanwhile is not None:
            await self.meanwhile
            self.meanwhile = None
        headers = [(k.encode(), v.encode()) for k, v in self.fields.items()]
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        await send(start)
        for i, part in enumerate(body):
            more = i + 1 < len(body)
            await send({"type": "http.response.body", "body": part, "more_body": more})


def get(
    one: Front, path: str = "/h/a", query: str = "", method: str = "GET", **headers: str
) -> Any:
    """(status, fields, body) of a request."""
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    }
    asyncio.run(one(scope, None, send))  # type: ignore[arg-type]
    body = b"".join(m["body"] for m in told if m["type"] == "http.response.body")
    return told[0]["status"], dict(told[0]["headers"]), body


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf({"base.1.css": File()})


@pytest.fixture
def one(house: House, shelf: Shelf) -> Front:
    return Front(house, shelf)


def test_assets_come_from_memory(one: Front, house: House) -> None:
    status, fields, body = get(one, "/static/base.1.css")
    assert (status, body) == (200, b"body{}")
    assert b"immutable" in fields[b"cache-control"]
    assert fields[b"x-content-type-options"] == b"nosniff"
    assert get(one, "/static/base.1.css", accept_encoding="gzip")[2] == b"gzipped"
    assert house.asked == 0
    get(one, "/static/other.css")
    assert house.asked == 1


def test_a_page_is_made_once_until_the_bell_rings(one: Front, house: House, shelf: Shelf) -> None:
    assert [get(one)[2] for _ in range(3)] == [b"page"] * 3
    assert house.asked == 1
    asyncio.run(shelf.heard("hearing", "8"))
    asyncio.run(shelf.heard("round", "7"))
    get(one)
    assert house.asked == 1
    asyncio.run(shelf.heard("hearing", "7"))
    get(one)
    assert house.asked == 2


def test_a_page_that_was_made_while_the_bell_rang_is_not_kept(
    one: Front, house: House, shelf: Shelf
) -> None:
    house.meanwhile = shelf.heard("hearing", "7")
    get(one)
    get(one)
    assert house.asked == 2


def test_a_page_is_old_after_half_a_second(
    one: Front, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    get(one)
    monkeypatch.setattr(front, "FRESH_S", -1.0)
    get(one)
    assert house.asked == 2


def test_each_kind_has_a_page_of_its_own(one: Front, house: House) -> None:
    for wanted in (
        {},
        {"query": "lang=en"},
        {"accept_encoding": "gzip"},
        {"x_forwarded_proto": "https"},
    ):
        get(one, **wanted)
        get(one, **wanted)
    assert house.asked == 4
    get(one, query="lang=en&x=1")
    get(one, query="lang=en&x=1")
    assert house.asked == 6


def test_only_what_is_for_everyone_is_kept(one: Front, house: House) -> None:
    for status, fields in (
        (404, {"etag": "1"}),
        (200, {}),
        (200, {"etag": "1", "set-cookie": "a=b"}),
    ):
        house.asked, house.status, house.fields = 0, status, fields
        get(one)
        get(one)
        assert house.asked == 2
    house.asked, house.fields, house.parts = 0, {"etag": "1"}, (b"pa", b"ge")
    assert [get(one)[2] for _ in range(2)] == [b"page"] * 2
    assert house.asked == 2
    house.parts = (b"page",)
    get(one, method="HEAD")
    assert get(one)[2] == b"page"


def test_who_has_it_already_is_told_so(one: Front, house: House) -> None:
    get(one)
    status, fields, body = get(one, if_none_match='"1"')
    assert (status, body) == (304, b"")
    assert fields[b"etag"] == b'"1"'
    assert get(one, if_none_match='"0"')[0] == 200


def test_a_page_after_an_act_is_of_after_it(demo: Running) -> None:
    host, page = demo.as_("host"), f"{demo.url}/h/{demo.slug}"
    with httpx2.Client(trust_env=False) as client:
        for n in range(20):
            before = client.get(page)
            assert client.get(page).headers["etag"] == before.headers["etag"]
            host.do("PUT", f"{demo.here}/screens", {"cleared": n % 2 == 0})
            after = client.get(page)
            assert after.headers["etag"] != before.headers["etag"]
            assert after.headers["content-security-policy"]

"""An Open311 endpoint is asked: each request comes in once, its fate is followed, and nothing that an
endpoint does hurts."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from moderation.intake.endpoint import Endpoint, may_be_asked
from server import pulled
from server.actions.manage_sources import add_source
from server.domain.desk import Filters
from server.domain.refusals import Refusal
from server.domain.sources import IntakeSource
from server.polling import Polling
from server.pulled import poll_open311
from server.visit import Visit
from tests.counterpart import City, city
from tests.house import Home, home
from tests.real_data import real_data

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Home]:
    """A building that asks nobody by itself: each test says when."""

    async def nobody(_: Polling) -> None: ...

    monkeypatch.setattr(Polling, "run", nobody)
    async with home(tmp_path / "data") as found:
        yield found


@pytest.fixture
def there() -> Iterator[City]:
    with city() as found:
        yield found


async def asking(at: Home, url: str, **told: Any) -> None:
    office = at.person("office")
    settings = {"url": url, **told}
    await add_source(
        at.house, office, at.slug, "city", "市政平台", "open311_pull", "hotline", settings
    )


async def source(at: Home) -> IntakeSource:
    async with at.building.store.look(slug=at.slug) as unit:
        found = await unit.sources.get("city")
    assert found is not None
    return found


async def visit(at: Home) -> IntakeSource:
    """One visit; the source after it."""
    async with at.building.store.look(slug=at.slug, line=True) as unit:
        known = await unit.sources.get("city")
        assert known is not None
        box = await unit.sources.box(known.id)
        hearing = unit.place.ref.hearing
    secrets = at.house.unseal(box) if box else {}
    await poll_open311(Visit(at.house, hearing, known, secrets))
    return await source(at)


async def questions(at: Home) -> list[Any]:
    async with at.building.store.look(slug=at.slug, line=True) as unit:
        return list(await unit.desk.page(Filters(source="city", size=1_000)))


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("pages", [True, False])
async def test_what_is_asked_for_twice_comes_in_once_and_its_fate_is_followed(
    here: Home, there: City, form: str, pages: bool
) -> None:
    there.pages, there.api_key = pages, "k-1"
    for n in range(250):
        there.add(n, f"第{n}盏路灯不亮，请致电13912345678。", phone="13912345678")
    await asking(here, there.url, format=form, api_key="k-1", jurisdiction="city.example")
    after = await visit(here)
    assert after.counts == {"new": 250, "updated": 0, "unchanged": 0, "refused": 0}
    assert after.next_at > here.house.now()
    first = there.asked[0]
    assert first["path"] == f"/open311/v2/requests.{form}"
    assert first["jurisdiction_id"] == "city.example"
    closed = there.requests[7]
    closed.update(status="closed", status_notes="已修复")
    there.add(900, "又一盏路灯不亮")
    after = await visit(here)
    assert after.counts == {"new": 1, "updated": 1, "unchanged": 249, "refused": 0}
    assert after.totals == {"new": 251, "updated": 1}
    found = await questions(here)
    assert len(found) == 251
    assert not [one for one in found if "13912345678" in one.text]
    # The whole quarter is asked for once a day, else what came since the day before.
    assert there.asked[0]["start_date"] < there.asked[-1]["start_date"]


@pytest.mark.parametrize("newest_first", [True, False])
async def test_what_is_beyond_the_pages_of_one_visit_comes_with_the_next_ones(
    here: Home, there: City, monkeypatch: pytest.MonkeyPatch, newest_first: bool
) -> None:
    monkeypatch.setattr(pulled, "PAGE", 10)
    monkeypatch.setattr(pulled, "PAGES_MOST", 3)
    for n in range(75):
        there.add(n, f"第{n}盏路灯不亮")
    if newest_first:
        there.requests.reverse()
    await asking(here, there.url)
    brought = []
    for n in range(4):
        after = await visit(here)
        brought.append(after.counts["new"])
        assert after.error == ""
        there.add(100 + n, f"又一盏路灯不亮{n}")
        if newest_first:
            there.requests.insert(0, there.requests.pop())
    assert brought[0] == 30
    assert after.state["rest"] is None
    assert {one.external_id for one in await questions(here)} == {
        str(one["service_request_id"]) for one in there.requests if one["service_request_id"] != 103
    }


async def test_what_pushes_the_rest_back_is_not_passed_over(
    here: Home, there: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulled, "PAGE", 10)
    monkeypatch.setattr(pulled, "PAGES_MOST", 3)
    for n in range(75):
        there.add(n, f"第{n}盏路灯不亮")
    await asking(here, there.url)
    await visit(here)
    for n in range(50):
        there.requests.insert(0, there.add(100 + n, f"又一盏路灯不亮{n}"))
        there.requests.pop()
    for _ in range(8):
        await visit(here)
    assert len(await questions(here)) == 125


async def test_an_endpoint_whose_pages_have_no_end_is_told(
    here: Home, there: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulled, "PAGE", 1)
    monkeypatch.setattr(pulled, "PAGES_MOST", 2)
    monkeypatch.setattr(pulled, "ENDLESS", 3)
    for n in range(40):
        there.add(n, f"第{n}盏路灯不亮")
    await asking(here, there.url)
    told = [await visit(here) for _ in range(4)]
    assert [one.error for one in told][:3] == ["", "", "open311_endless"]
    assert told[2].state["rest"] is None


@pytest.mark.real_data
async def test_the_specifications_own_examples_are_taken_in(here: Home, there: City) -> None:
    there.pages = False
    there.answer = (200, real_data("open311", "service-requests.xml").read_bytes(), {})
    await asking(here, there.url, format="xml")
    assert (await visit(here)).counts["new"] == 2
    assert (await visit(here)).counts["unchanged"] == 2
    assert {one.external_id for one in await questions(here)} == {"638344", "638349"}


@pytest.mark.real_data
async def test_an_answer_that_is_no_json_is_told_and_brings_nothing(
    here: Home, there: City
) -> None:
    there.answer = (200, real_data("open311", "service-requests.json").read_bytes(), {})
    await asking(here, there.url)
    with pytest.raises(Refusal) as caught:
        await visit(here)
    assert caught.value.code == "open311_answer"
    assert caught.value.detail == {"why": "open311_leading_zero", "line": 7, "column": 20}
    assert not await questions(here)


PAGE = b"<!DOCTYPE html><html><body>Not here</body></html>"
BOMB = (
    b'<!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><service_requests>&b;</service_requests>'
)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((404, PAGE, {}), "open311_status"),
        ((500, b"", {}), "open311_status"),
        ((302, b"", {"Location": "http://169.254.169.254/latest/meta-data"}), "open311_status"),
        ((401, b"", {}), "open311_refused"),
        ((403, b"[]", {}), "open311_refused"),
        ((200, PAGE, {}), "open311_answer"),
        ((200, b"", {}), "open311_answer"),
        ((200, b'{"a": 1}', {}), "open311_answer"),
        ((200, b"[", {"Content-Length": "99999999999"}), "open311_large"),
        ((200, b"x", {"Content-Length": "-5"}), "open311_answer"),
        ((200, b"\x1f\x8b\x08", {"Content-Encoding": "gzip"}), "open311_answer"),
    ],
)
async def test_other_answers_are_told_by_their_codes(
    here: Home, there: City, answer: Any, code: str
) -> None:
    there.answer = answer
    await asking(here, there.url)
    with pytest.raises(Refusal) as caught:
        await visit(here)
    assert caught.value.code == code
    assert len(there.asked) == 1
    assert not await questions(here)


async def test_hostile_xml_of_an_endpoint_is_refused(here: Home, there: City) -> None:
    there.answer = (200, BOMB, {})
    await asking(here, there.url, format="xml")
    with pytest.raises(Refusal) as caught:
        await visit(here)
    assert caught.value.code == "open311_answer"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("silent", "open311_unreachable"),
        ("slow", "open311_unreachable"),
        ("broken off", "open311_unreachable"),
        ("endless", "open311_large"),
    ],
)
def test_a_server_that_does_not_end_is_left(there: City, how: str, code: str) -> None:
    there.misbehaves = how
    settings = {"url": there.url, "format": "json", "jurisdiction": ""}
    began = time.monotonic()
    with pytest.raises(Refusal) as caught:
        Endpoint(settings, seconds=1).get({})
    assert caught.value.code == code
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:9/open311/v2", "open311_unreachable"),
        ("http://no-such-host.invalid/", "open311_unreachable"),
        ("http://127.0.0.1:99999/", "open311_unreachable"),
        ("http://169.254.169.254/latest", "open311_address"),
        ("http://[fe80::1]/", "open311_address"),
        ("http://[::ffff:169.254.169.254]/", "open311_address"),
        ("http://0.0.0.0/", "open311_address"),
        ("http://100.100.100.200/", "open311_address"),
        ("http://2852039166/", "open311_address"),
    ],
)
def test_addresses_that_are_nobodys_endpoint_are_not_asked(url: str, code: str) -> None:
    settings = {"url": url, "format": "json", "jurisdiction": ""}
    with pytest.raises(Refusal) as caught:
        Endpoint(settings, seconds=2).get({})
    assert caught.value.code == code


def test_a_name_that_leads_to_a_forbidden_address_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [(2, 1, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(Refusal) as caught:
        Endpoint({"url": "http://city.example/", "format": "json", "jurisdiction": ""}).get({})
    assert caught.value.code == "open311_address"


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.0.8", "172.16.1.1", "fd12::1", "127.0.0.1"]
)
def test_an_intranet_is_where_city_systems_are(address: str) -> None:
    assert may_be_asked(address)


@pytest.mark.parametrize("pages", [True, False])
async def test_a_request_that_lacks_something_keeps_no_other_out(
    here: Home, there: City, pages: bool
) -> None:
    there.pages = pages
    there.add(1, "路灯不亮")
    there.add("", "没有编号")
    there.add(3, "时间有误", requested_datetime="9999-99-99")
    await asking(here, there.url)
    assert (await visit(here)).counts == {"new": 1, "updated": 0, "unchanged": 0, "refused": 2}


async def test_a_page_of_nothing_but_refused_ones_is_not_the_last(here: Home, there: City) -> None:
    for _ in range(200):
        there.add("", "没有编号")
    there.add(1, "路灯不亮")
    await asking(here, there.url)
    assert (await visit(here)).counts == {"new": 1, "updated": 0, "unchanged": 0, "refused": 200}


async def test_another_address_is_asked_from_the_beginning(here: Home, there: City) -> None:
    there.add(1, "路灯不亮")
    await asking(here, there.url)
    assert (await visit(here)).state.keys() == {"place", "since", "whole_at", "rest"}
    async with here.building.store.act(slug=here.slug, line=True) as unit:
        known = await unit.sources.get("city")
        await unit.sources.save(known.id, settings={**known.settings, "jurisdiction": "elsewhere"})
    await visit(here)
    assert there.asked[-1]["start_date"][:10] == there.asked[0]["start_date"][:10]
    assert json.dumps(dict((await source(here)).state))

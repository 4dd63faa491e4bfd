"""A city's system hands in requests at `/open311/v2/`, follows its own, and reads nothing else."""

from __future__ import annotations

import json
import os
import re
import secrets
import sqlite3
import subprocess
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx2
import pytest
from fastapi.routing import APIRoute

from moderation.intake.open311 import read_requests
from server.actions.manage_sources import add_source
from server.api import open311
from server.domain.desk import Filters
from server.domain.refusals import CATALOGUE
from server.identity.limits import PER_ADDRESS
from server.polling import Polling
from server.pulled import poll_open311
from server.visit import Visit
from tests.counterpart import city
from tests.house import Home, home
from tests.moderation.hostile import surnames
from tests.nursery import ROOT
from tests.running import Running

TEXT = "东街路灯不亮一个月，请致电13912345678。"
FORM = {
    "service_code": "GENERAL",
    "description": TEXT,
    "address_string": "东街8号3单元502室",
    "lat": "26.0812",
    "long": "119.3031",
    "last_name": "王",
    "first_name": "小明",
    "phone": "13912345678",
    "email": "wang@citizen.example",
    "device_id": "dev-88",
    "media_url": "https://city.example/7.jpg",
}
SECRETS = ("13912345678", "东街8号", "26.0812", "119.3031", "小明", "wang@", "dev-88")


class CitySystem:
    """A city's system with the key of its source."""

    def __init__(self, demo: Running) -> None:
        self.demo, self.office = demo, demo.as_("office")
        self.key = f"city-{secrets.token_hex(4)}"
        new = {
            "key": self.key,
            "name": "市政平台",
            "connector": "open311_offer",
            "channel": "hotline",
        }
        self.office.do("POST", f"{demo.here}/sources", new)
        self.api_key = self.new_key()

    def new_key(self) -> str:
        return str(self.office.do("POST", f"{self.demo.here}/sources/{self.key}/keys")["secret"])

    def get(self, path: str, keyed: bool = True, **asked: Any) -> httpx2.Response:
        asked = {"jurisdiction_id": self.demo.slug, **asked}
        if keyed:
            asked.setdefault("api_key", self.api_key)
        return httpx2.get(
            f"{self.demo.url}/open311/v2{path}", params=asked, timeout=30, trust_env=False
        )

    def post(
        self, form: dict[str, str], path: str = "/requests.json", **headers: str
    ) -> httpx2.Response:
        said = {"jurisdiction_id": self.demo.slug, "api_key": self.api_key, **form}
        return httpx2.post(
            f"{self.demo.url}/open311/v2{path}",
            data={name: value for name, value in said.items() if value},
            headers=headers,
            timeout=30,
            trust_env=False,
        )

    def hand_in(self, **form: str) -> str:
        answer = self.post({**FORM, **form})
        assert answer.status_code == 201, answer.text
        return str(answer.json()[0]["service_request_id"])

    def on_the_desk(self) -> list[Any]:
        desk = self.demo.as_("moderator")
        path = f"{self.demo.here}/desk/questions?source={self.key}"
        for _ in range(60):
            found: list[Any] = desk.get(path)["items"]
            if all(one["status"] != "received" for one in found):
                return found
            time.sleep(0.1)
        raise AssertionError("nobody screened")


@pytest.fixture(scope="module")
def shared_demo(everywhere_shared: Running) -> Running:
    """In one process, and in several."""
    return everywhere_shared


@pytest.fixture
def system(shared_demo: Running) -> CitySystem:
    return CitySystem(shared_demo)


def error(answer: httpx2.Response) -> tuple[int, int]:
    """(status, code) of an error in the specification's shape."""
    (told,) = answer.json()
    assert set(told) == {"code", "description"}
    assert len(told["description"]) > 3
    return answer.status_code, told["code"]


def test_a_request_becomes_a_masked_question_and_is_followed(system: CitySystem) -> None:
    answer = system.post(FORM)
    assert answer.status_code == 201
    (told,) = answer.json()
    assert set(told) == {"service_request_id", "service_notice", "account_id"}
    code = told["service_request_id"]
    (question,) = system.on_the_desk()
    assert question["code"] == code
    assert question["source"] == "hotline"
    assert question["text"].startswith("东街路灯不亮")
    (request,) = system.get(f"/requests/{code}.json").json()
    assert (request["status"], request["service_code"]) == ("open", "GENERAL")
    assert request["description"] == question["text"]
    shown = json.dumps([request, question, system.get("/requests.json").json()], ensure_ascii=False)
    assert not [secret for secret in SECRETS if secret in shown]
    # Not public yet: nobody else reads it.
    assert error(system.get(f"/requests/{code}.json", keyed=False)) == (404, 404)
    desk = system.demo.as_("moderator")
    path = f"{system.demo.here}/desk/questions/{question['id']}"
    new = {"version": question["version"], "text": "东街的路灯何时修好？"}
    desk.do("PATCH", path, new)
    # What a moderator made of it is nobody's yet.
    (request,) = system.get(f"/requests/{code}.json").json()
    assert request["description"] is None
    desk.do("POST", f"{path}/approval")
    for keyed in (True, False):
        (request,) = system.get(f"/requests/{code}.json", keyed=keyed).json()
        assert request["description"] == "东街的路灯何时修好？"
    desk.do("POST", f"{path}/reply", {"reply": "下周三前修好。"})
    (request,) = system.get(f"/requests/{code}.json").json()
    assert request["status"] == "closed"
    assert request["status_notes"] == "书面答复：下周三前修好。"
    (request,) = system.get(f"/requests/{code}.json", lang="en").json()
    assert request["status_notes"].startswith("Replied in writing: ")


def test_a_rejection_tells_its_reason_and_no_text(system: CitySystem) -> None:
    code = system.hand_in()
    (question,) = system.on_the_desk()
    path = f"{system.demo.here}/desk/questions/{question['id']}/rejection"
    system.demo.as_("moderator").do("POST", path, {"reason": "unclear"})
    (request,) = system.get(f"/requests/{code}.json").json()
    assert (request["status"], request["status_notes"]) == ("closed", "已退回：内容不清，无法核实")
    assert error(system.get(f"/requests/{code}.json", keyed=False)) == (404, 404)


@pytest.mark.parametrize("charset", ["gbk", "GB18030", "utf-8"])
def test_a_form_in_another_charset_is_read_or_refused_and_never_guessed(
    system: CitySystem, charset: str
) -> None:
    words = "公园长椅坏了，请尽快修。"
    headers = {"Content-Type": f"application/x-www-form-urlencoded; charset={charset}"}
    form = {
        **FORM,
        "description": words,
        "jurisdiction_id": system.demo.slug,
        "api_key": system.api_key,
    }

    def post(body: bytes, **more: str) -> httpx2.Response:
        return httpx2.post(
            f"{system.demo.url}/open311/v2/requests.json", content=body,
            headers={**headers, **more}, timeout=30, trust_env=False,
        )  # fmt: skip

    answer = post(urlencode(form, encoding=charset).encode())
    assert answer.status_code == 201, answer.text
    assert words in repr(system.on_the_desk())
    for body, more in (
        (b"description=%ED%A0%80%FF&jurisdiction_id=x", {"Content-Type": headers["Content-Type"]}),
        (
            urlencode(form).encode(),
            {"Content-Type": "application/x-www-form-urlencoded; charset=x"},
        ),
    ):
        assert post(body, **more).status_code == 400


def test_services_are_the_subjects_and_a_request_goes_to_one(system: CitySystem) -> None:
    services = system.get("/services.json", keyed=False).json()
    assert services[-1]["service_code"] == "GENERAL"
    assert all(one["metadata"] is False and one["type"] == "realtime" for one in services)
    code, name = services[0]["service_code"], services[0]["service_name"]
    definition = system.get(f"/services/{code}.json", keyed=False).json()
    assert definition == {"service_code": code, "attributes": []}
    number = system.hand_in(service_code=code)
    system.hand_in()
    (question,) = [one for one in system.on_the_desk() if one["code"] == number]
    assert question["subject"] == code
    (request,) = system.get("/requests.json", service_code=code).json()
    assert (request["service_name"], request["agency_responsible"]) == (name, name)
    assert len(system.get("/requests.json", service_code=f"{code},GENERAL").json()) == 2
    assert error(system.get("/services/nobody.json")) == (404, 404)
    assert error(system.get("/requests.json", service_code="nobody")) == (404, 404)
    assert error(system.post({**FORM, "service_code": "nobody"})) == (404, 404)


def test_the_same_request_again_gets_the_same_number(system: CitySystem) -> None:
    answers: list[Any] = []
    headers = {"Idempotency-Key": "city-000001"}
    threads = [
        threading.Thread(target=lambda: answers.append(system.post(FORM, **headers).json()))
        for _ in range(6)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(answers) == 6
    assert all(one == answers[0] for one in answers)
    assert len(system.on_the_desk()) == 1
    assert error(system.post({**FORM, "description": "另一件"}, **headers)) == (400, 400)
    assert error(system.post(FORM, **{"Idempotency-Key": "x"})) == (400, 400)


def test_without_a_key_nothing_is_handed_in_and_others_are_not_read(
    system: CitySystem, shared_demo: Running
) -> None:
    other = CitySystem(shared_demo)
    code = system.hand_in()
    for key in ("", "wrong", "é", other.demo.line["tokens"]["office"]):
        assert error(system.post({**FORM, "api_key": key})) == (403, 403)
    assert error(system.get("/requests.json", api_key="wrong")) == (403, 403)
    assert error(system.get("/services.json", api_key="wrong")) == (403, 403)
    assert other.get("/requests.json").json() == []
    assert error(other.get(f"/requests/{code}.json")) == (404, 404)
    assert len(system.get("/requests.json").json()) == 1
    before, system.api_key = system.api_key, system.new_key()
    assert len(system.get("/requests.json").json()) == 1
    assert len(system.get("/requests.json", api_key=before).json()) == 1  # for another day
    system.new_key()
    assert error(system.get("/requests.json", api_key=before)) == (403, 403)


def test_the_public_reads_the_public_list_alone(system: CitySystem) -> None:
    system.hand_in()
    found: list[Any] = []
    for page in range(1, 20):
        part = system.get("/requests.json", keyed=False, page=str(page), page_size="20").json()
        assert len(part) <= 20
        found += part
        if not part:
            break
    numbers = [one["service_request_id"] for one in found]
    assert len(set(numbers)) == len(numbers)
    listed, cursor = set(), None
    while True:
        more = f"?cursor={cursor}" if cursor else ""
        page_ = system.demo.anyone().get(f"{system.demo.here}/questions{more}")
        listed |= {one["code"] for one in page_["items"]}
        cursor = page_["cursor"]
        if cursor is None:
            break
    assert set(numbers) == listed
    for one in found:
        assert not any(one[name] for name in ("address", "address_id", "zipcode", "lat", "long"))


def test_requests_are_found_by_status_date_and_number(system: CitySystem) -> None:
    first, second = system.hand_in(), system.hand_in()
    numbers = lambda **asked: {  # noqa: E731
        one["service_request_id"] for one in system.get("/requests.json", **asked).json()
    }
    assert numbers() == {first, second}
    assert numbers(status="open") == {first, second}
    assert numbers(status="closed") == set()
    assert numbers(status="open,closed") == {first, second}
    assert numbers(service_request_id=f"{first},NOSUCH") == {first}
    assert numbers(start_date="2020-01-01T00:00:00Z") == {first, second}
    assert numbers(start_date="2020-01-01T00:00:00+08:00", end_date="2020-02-01") == set()
    assert numbers(start_date="2099-01-01") == set()
    assert len(numbers(page_size="1")) == 1
    assert numbers(page_size="1", page="1") != numbers(page_size="1", page="2")
    for wrong in (
        {"status": "lost"},
        {"start_date": "yesterday"},
        {"end_date": "9" * 40},
        {"page": "0"},
        {"page": "-1"},
        {"page_size": "x"},
        {"page": "9" * 30},
        {"service_request_id": ",".join("x" * 201)},
    ):
        assert error(system.get("/requests.json", keyed=True, **wrong)) == (400, 400)


def test_json_and_xml_say_the_same(system: CitySystem) -> None:
    code = system.hand_in()
    system.on_the_desk()
    for path in ("/services", "/requests", f"/requests/{code}", "/services/GENERAL", "/discovery"):
        told = system.get(f"{path}.json")
        assert told.headers["content-type"].startswith("application/json")
        xml = system.get(f"{path}.xml")
        assert xml.headers["content-type"].startswith("text/xml")
        root = ElementTree.fromstring(xml.content)
        first = told.json()[0] if isinstance(told.json(), list) else told.json()
        element = root[0] if isinstance(told.json(), list) else root
        assert [one.tag for one in element] == list(first)
        for one in element:
            value = first[one.tag]
            if isinstance(value, str) or value is None:
                assert (one.text or None) == (value or None)
        plain = httpx2.get(
            f"{system.demo.url}/open311/v2{path}",
            params={"jurisdiction_id": system.demo.slug, "api_key": system.api_key},
            headers={"Accept": "text/xml"},
            trust_env=False,
        )
        assert plain.content == xml.content
    posted = system.post(FORM, "/requests.xml")
    assert posted.status_code == 201
    assert ElementTree.fromstring(posted.content)[0].tag == "request"
    wrong = system.get("/requests.xml", api_key="wrong")
    assert wrong.status_code == 403
    assert [one.tag for one in ElementTree.fromstring(wrong.content)[0]] == ["code", "description"]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"jurisdiction_id": ""}, 400),
        ({"jurisdiction_id": "nowhere"}, 404),
        ({"jurisdiction_id": "a\0b"}, 400),
        ({"service_code": ""}, 400),
        ({"description": ""}, 400),
        ({"description": " \u200b "}, 400),
        ({"description": "长" * 20_001}, 400),
        ({f"attribute[{n}]": "x" for n in range(200)}, 400),
        ({"description": "x" * 3_000_000}, 413),
    ],
    ids=["no place", "nowhere", "nul", "no service", "no text", "blank", "long", "fields", "large"],
)
def test_what_is_wrong_with_a_request_is_told_and_changes_nothing(
    system: CitySystem, form: dict[str, str], status: int
) -> None:
    assert error(system.post({**FORM, **form})) == (status, status)
    assert system.on_the_desk() == []


def test_a_body_that_is_no_form_is_refused(system: CitySystem) -> None:
    address = f"{system.demo.url}/open311/v2/requests.json"
    query = {"jurisdiction_id": system.demo.slug, "api_key": system.api_key}
    for body, kind in (
        (b'{"service_code": "GENERAL"}', "application/json"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"--x", "multipart/form-data"),
        (
            b'--x\r\nContent-Disposition: form-data; name="media"; filename="a.jpg"\r\n\r\n1\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b"\xff\xfe=\xff", "application/x-www-form-urlencoded"),
    ):
        answer = httpx2.post(
            address, params=query, content=body, headers={"Content-Type": kind}, trust_env=False
        )
        assert error(answer) == (400, 400)


def test_other_addresses_and_methods_are_told_in_the_same_shape(system: CitySystem) -> None:
    assert error(system.get("/requests.csv")) == (404, 404)
    assert error(system.get("/nowhere.json")) == (404, 404)
    assert error(system.get("/tokens/1.json")) == (404, 404)
    answer = httpx2.delete(f"{system.demo.url}/open311/v2/requests.json", trust_env=False)
    assert error(answer) == (405, 405)
    foreign = system.post(FORM, Origin="https://evil.example")
    assert error(foreign) == (403, 403)
    discovery = system.get("/discovery.json", keyed=False).json()
    assert discovery["endpoints"][0]["url"] == f"{system.demo.url}/open311/v2"


def test_masking_a_long_request_makes_nobody_wait(system: CitySystem) -> None:
    begun = time.monotonic()
    assert error(
        system.post({**FORM, "description": surnames(20_000), "note": surnames(30_000)})
    ) == (
        400,
        400,
    )
    assert time.monotonic() - begun < 1
    answers: list[httpx2.Response] = []
    heavy = {**FORM, "description": surnames(19_000)}
    threads = [
        threading.Thread(target=lambda: answers.append(system.post(heavy))) for _ in range(2)
    ]
    for one in threads:
        one.start()
    longest = 0.0
    while any(one.is_alive() for one in threads):
        begun = time.monotonic()
        httpx2.get(f"{system.demo.url}/open311/v2/tokens/1.json", trust_env=False)
        longest = max(longest, time.monotonic() - begun)
    assert [one.status_code for one in answers] == [201, 201]
    assert longest < 0.5


def test_a_paused_source_takes_nothing_in(system: CitySystem) -> None:
    path = f"{system.demo.here}/sources"
    found = system.office.get(path)["items"]
    version = next(one["version"] for one in found if one["key"] == system.key)
    system.office.do("PATCH", f"{path}/{system.key}", {"version": version, "paused": True})
    assert error(system.post(FORM)) == (400, 400)
    assert system.get("/requests.json").json() == []


def test_the_key_and_who_asked_are_kept_nowhere_in_the_open(demo: Running) -> None:
    system = CitySystem(demo)
    system.hand_in()
    with sqlite3.connect(demo.data / "pingyi.db") as database:
        written = "\n".join(database.iterdump())
    log = (demo.data.parent / f"{demo.data.name}.log").read_text()
    for secret in (*SECRETS, system.api_key):
        assert secret not in written
        assert secret not in log


@pytest.fixture
async def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Home]:
    """Another hearing in an installation of its own, which asks when it is told."""

    async def nobody(_: Polling) -> None: ...

    monkeypatch.setattr(Polling, "run", nobody)
    async with home(tmp_path / "elsewhere") as found:
        yield found


@pytest.mark.anyio
@pytest.mark.parametrize("form", ["json", "xml"])
async def test_what_is_handed_in_at_one_hearing_is_pulled_into_another(
    system: CitySystem, elsewhere: Home, form: str
) -> None:
    numbers = {system.hand_in(), system.hand_in(description="河道有异味 <&>")}
    settings = {
        "url": f"{system.demo.url}/open311/v2",
        "jurisdiction": system.demo.slug,
        "format": form,
        "api_key": system.api_key,
    }
    office, house = elsewhere.person("office"), elsewhere.house
    await add_source(
        house, office, elsewhere.slug, "city", "另一场", "open311_pull", "hotline", settings
    )
    for counts in ((2, 0), (0, 2)):
        async with elsewhere.building.store.look(slug=elsewhere.slug, line=True) as unit:
            source = await unit.sources.get("city")
            assert source is not None
            box = await unit.sources.box(source.id)
            hearing = unit.place.ref.hearing
        system.on_the_desk()
        await poll_open311(Visit(house, hearing, source, house.unseal(box)))
        async with elsewhere.building.store.look(slug=elsewhere.slug, line=True) as unit:
            source = await unit.sources.get("city")
            found = await unit.desk.page(Filters(source="city"))
        assert (source.counts["new"], source.counts["unchanged"]) == counts
        assert {one.external_id for one in found} == numbers
    assert {one.text for one in found} == {one["text"] for one in system.on_the_desk()}


def test_whoever_asks_too_often_is_told_when_to_come_back(demo: Running) -> None:
    here = f"{demo.url}/open311/v2/discovery.json"
    with httpx2.Client(trust_env=False) as client:
        told = [client.get(here) for _ in range(PER_ADDRESS["open311"] * 2)]
    assert told[0].status_code == 200
    answer = next(one for one in told if one.status_code != 200)
    assert error(answer) == (429, 429)
    assert int(answer.headers["retry-after"]) > 0


def page(demo: Running, key: str, lang: str) -> str:
    """What the office's page tells of a source."""
    here = f"{demo.url}/office/hearings/{demo.slug}/sources"
    with httpx2.Client(trust_env=False, follow_redirects=True) as browser:
        entered = browser.get(demo.line["links"]["office"])
        seat = {name: value for name, value in entered.url.params.items() if name == "seat"}
        text = browser.get(here, params={**seat, "lang": lang}).text
    return text.split(f'id="source-{key}"')[1].split("</section>")[0]


def test_an_office_reads_why_an_endpoint_is_not_read_and_where_it_hands_in(demo: Running) -> None:
    office, here = demo.as_("office"), f"{demo.here}/sources"
    key = f"pull-{secrets.token_hex(4)}"
    settings = {"url": f"{demo.url}/nowhere", "every_s": 3600, "api_key": "geheim-1"}
    new = {"key": key, "name": "市政平台", "connector": "open311_pull", "channel": "hotline",
           "settings": settings}  # fmt: skip
    office.do("POST", here, new)
    state: Any = {}
    for _ in range(100):
        state = next(one for one in office.get(here)["items"] if one["key"] == key)
        if state["error"]:
            break
        time.sleep(0.1)
    assert state["error"] == "open311_status"
    row = CATALOGUE["open311_status"]
    assert row.zh in page(demo, key, "zh")
    assert row.en in page(demo, key, "en")
    assert "geheim-1" not in page(demo, key, "zh")
    system = CitySystem(demo)
    told = page(demo, system.key, "zh")
    assert f"/open311/v2/requests?jurisdiction_id={demo.slug}" in told
    assert system.api_key not in told


def test_an_office_reads_where_an_answer_breaks_off(demo: Running) -> None:
    office, here = demo.as_("office"), f"{demo.here}/sources"
    key = f"pull-{secrets.token_hex(4)}"
    with city() as there:
        there.answer = (200, b'[{"service_request_id": 1,\n "service_code": 007}]', {})
        settings = {"url": there.url, "every_s": 3600}
        new = {"key": key, "name": "市政平台", "connector": "open311_pull", "channel": "hotline",
               "settings": settings}  # fmt: skip
        office.do("POST", here, new)
        for _ in range(100):
            found = next(one for one in office.get(here)["items"] if one["key"] == key)
            if found["error"]:
                break
            time.sleep(0.1)
    assert found["error"] == "open311_answer"
    assert "第 2 行第 18 列的数字以 0 开头" in page(demo, key, "zh")
    assert "line 2, column 18 begins with 0" in page(demo, key, "en")


PAGE = (ROOT / "docs/open311.md").read_text(encoding="utf-8")


def test_the_page_names_every_route_and_its_examples_run(system: CitySystem) -> None:
    routes = {
        re.sub(r"{\w+}", "CODE", route.path)
        for route in open311.router.routes
        if isinstance(route, APIRoute) and "{form}" not in route.path
    }
    assert routes == set(re.findall(r"`(?:GET|POST) (/open311/v2/\S+)`", PAGE))
    curl = re.search(r"```\n(curl .*?)```", PAGE, re.DOTALL)
    assert curl is not None
    env = {"URL": system.demo.url, "KEY": system.api_key, "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["bash", "-euc", curl[1].replace("yunlan-shufa", system.demo.slug)],
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
    )
    (told,) = json.loads(done.stdout)
    handed_in, pulled = map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    assert told | {"service_request_id": ""} == handed_in[0] | {"service_request_id": ""}
    assert read_requests(json.dumps(pulled).encode(), "json").refusals == ()

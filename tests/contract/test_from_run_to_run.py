"""From one run to the next: tablets come along without a new card, applause stays where it was.

Present is who has shown himself in this run: a card is used once, its tablet comes to every run.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.contract.test_people import SHOW, Serving, did, make_county, serving
from tests.running import ask_socket, new_key

PLACE, SLUG = "北湾", "bw-four"
FOUR_SEATS = SHOW.replace(
    "  - {{number: 2, name: {place}乙, group: all}}\n",
    "".join(f"  - {{{{number: {n}, name: {{place}}{n}, group: all}}}}\n" for n in (2, 3, 4)),
)


class Hall:
    """A hearing with four seats, its staff, and the tablets that joined."""

    def __init__(self, house: Serving) -> None:
        county = make_county(house, house.set_up(), PLACE, "bw")
        self.house, self.staff = house, county.browser
        text = FOUR_SEATS.format(place=PLACE, slug=SLUG)
        did(self.staff, "POST", f"/offices/{county.office}/hearings", {"text": text})
        self.status("ready")
        self.tablets: dict[int, httpx2.Client] = {}

    def status(self, wanted: str) -> None:
        """The hearing goes on."""
        version = did(self.staff, "GET", f"/hearings/{SLUG}")["state"]["hearing"]["version"]
        body = {"version": version, "status": wanted}
        did(self.staff, "PUT", f"/hearings/{SLUG}/status", body)

    def run(self, kind: str) -> None:
        """Another run is shown."""
        did(self.staff, "POST", f"/hearings/{SLUG}/runs", {"kind": kind})

    def join(self, seat: int) -> None:
        """A seat's tablet uses its card."""
        card = did(self.staff, "POST", f"/hearings/{SLUG}/cards", {"seat": seat})
        self.tablets[seat] = self.house.browser()
        assert self.tablets[seat].post(f"/join/{card['code']}").status_code == 303

    def socket(self, seat: int) -> ClientConnection:
        """The tablet's own socket, with the cookie that its card gave it."""
        cookies = "; ".join(f"{k}={v}" for k, v in self.tablets[seat].cookies.items())
        address = f"{self.house.url.replace('http', 'ws', 1)}/h/{SLUG}/panel/socket?as=json"
        return connect(address, additional_headers={"Cookie": cookies}, proxy=None)

    def present(self) -> list[int]:
        """The seats that are present."""
        seats = did(self.staff, "GET", f"/hearings/{SLUG}/people")["seats"]
        return [one["number"] for one in seats if one["present"]]

    def soon_present(self, wanted: list[int]) -> None:
        """They are within two seconds or so."""
        deadline = time.monotonic() + 5
        while self.present() != wanted:
            assert time.monotonic() < deadline, self.present()
            time.sleep(0.05)

    def cast(self, seat: int, round_id: str) -> str:
        """What becomes of the seat's ballot: its receipt, or the refusal's code."""
        answer: Any = self.tablets[seat].put(
            f"/api/v1/rounds/{round_id}/ballot",
            json={"marks": {"housing": {"personally": "15"}}},
            headers={"Idempotency-Key": new_key()},
        )
        body = answer.json()
        return str(body["receipt"] if answer.status_code == 200 else body["error"]["code"])


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    """A server of its own."""
    with serving(tmp_path / "data") as house:
        yield Hall(house)


def test_tablets_of_the_rehearsal_are_present_in_the_real_run_without_a_new_card(
    hall: Hall,
) -> None:
    hall.run("rehearsal")
    for seat in (1, 2, 3):
        hall.join(seat)
    assert hall.present() == [1, 2, 3]
    with contextlib.ExitStack() as sockets:
        for seat in (1, 2):  # The third tablet sleeps while the real run begins.
            sockets.enter_context(hall.socket(seat))
        hall.run("real")
        hall.soon_present([1, 2])
        sockets.enter_context(hall.socket(3))
        hall.soon_present([1, 2, 3])
    hall.status("live")
    rounds = did(hall.staff, "GET", f"/hearings/{SLUG}")["state"]["rounds"]
    first = next(r["id"] for r in rounds if r["audience"] == "panel")
    did(hall.staff, "POST", f"/rounds/{first}/opening")
    turnout = did(hall.staff, "GET", f"/rounds/{first}/turnout")
    assert turnout == {"due": 4, "present": 3, "cast": 0}
    for seat in (1, 2, 3):
        assert len(hall.cast(seat, first)) == 9  # A receipt.
    # Who comes when the round is under way is told so at once, and takes part from the next one.
    hall.join(4)
    assert hall.cast(4, first) == "came_late"
    sheet = hall.tablets[4].get(f"/h/{SLUG}/panel/sheet/{first}")
    assert (sheet.status_code, "从下一轮起参加" in sheet.text) == (403, True)
    again = did(hall.staff, "POST", f"/rounds/{first}/voiding", {"reason": "四号席迟到，重新测评"})
    did(hall.staff, "POST", f"/rounds/{again['again']}/opening")
    assert len(hall.cast(4, again["again"])) == 9


def test_what_was_on_its_way_in_a_rehearsal_does_not_come_into_the_real_run(hall: Hall) -> None:
    def likes() -> int:
        return int(did(hall.staff, "GET", f"/hearings/{SLUG}")["state"]["likes"])

    hall.run("rehearsal")
    viewer = did(hall.house.browser(), "POST", "/viewers")["viewer"]
    public = f"{hall.house.url.replace('http', 'ws', 1)}/h/{SLUG}/socket?as=json&viewer={viewer}"
    with connect(public, proxy=None) as socket:
        epoch = json.loads(socket.recv())["epoch"]
        time.sleep(1.2)  # Applause is written once a second: it is known that somebody watches.
        socket.send(json.dumps({"type": "like", "n": 7}))
        time.sleep(0.05)
        hall.run("real")
        time.sleep(2.2)
        assert likes() == 0
        ask = {"type": "ask", "text": "演练时问的，路上耽搁了？"}
        late = ask_socket(socket, {**ask, "epoch": epoch})
        assert (late["type"], late["code"]) == ("refusal", "run_changed")
        now = did(hall.staff, "GET", f"/hearings/{SLUG}")["epoch"]
        for meant in ({}, {"epoch": now}):
            assert ask_socket(socket, {**ask, **meant})["type"] == "ack"
        kept = {
            "type": "like",
            "n": 5,
            "epoch": epoch,
        }  # Tapped in the rehearsal, without a network.
        socket.send(json.dumps(kept))
        socket.send(json.dumps({"type": "like", "n": 2}))  # The same socket, now in the real run.
        deadline = time.monotonic() + 5
        while likes() != 2:
            assert time.monotonic() < deadline, likes()
            time.sleep(0.1)


def test_what_was_done_in_a_rehearsal_gets_its_first_answer_in_the_real_run(hall: Hall) -> None:
    """Its ack was lost on the way, and the page sends it again under the same key."""
    hall.run("rehearsal")
    hall.status("live")
    state = did(hall.staff, "GET", f"/hearings/{SLUG}")["state"]
    round_ = next(r["id"] for r in state["rounds"] if r["audience"] == "public")
    did(hall.staff, "POST", f"/rounds/{round_}/opening")
    viewer = did(hall.house.browser(), "POST", "/viewers")["viewer"]
    public = f"{hall.house.url.replace('http', 'ws', 1)}/h/{SLUG}/socket?as=json&viewer={viewer}"
    code = state["questions"][0]["code"]
    acts: list[dict[str, Any]] = [
        {"type": "ask", "text": "演练时问的，答复在路上丢了？"},
        {"type": "support", "question": code, "on": True},
        {"type": "vote", "round": round_, "choice": "good"},
    ]
    with connect(public, proxy=None) as socket:
        epoch = json.loads(socket.recv())["epoch"]
        acts = [{**act, "epoch": epoch, "key": new_key()} for act in acts]
        first = [ask_socket(socket, act) for act in acts]
        assert [one["type"] for one in first] == ["ack"] * 3, first
        hall.run("real")
        again = [ask_socket(socket, act) for act in acts]
        assert [{**one, "at": 0} for one in again] == [{**one, "at": 0} for one in first]
        late = [ask_socket(socket, {**act, "key": new_key()}) for act in acts]
        assert [one["code"] for one in late] == ["run_changed"] * 3
    after = did(hall.staff, "GET", f"/hearings/{SLUG}")["state"]
    assert [q["support"] for q in after["questions"] if q["code"] == code] == [0]


def test_what_is_exported_during_a_rehearsal_is_the_real_line(hall: Hall) -> None:
    hall.run("rehearsal")
    asked = hall.house.browser()
    assert asked.post("/api/v1/viewers").status_code == 201
    text = "只在演练里问的问题。"
    question = {"text": text, "subject": None}
    answer = asked.post(
        f"/api/v1/hearings/{SLUG}/questions", json=question, headers={"Idempotency-Key": new_key()}
    )
    assert answer.status_code == 201, answer.text
    written = hall.staff.get(f"/api/v1/hearings/{SLUG}/show").text
    assert text not in written
    assert "北湾" in written


def test_a_form_of_the_rehearsal_asks_nothing_in_the_real_run(hall: Hall) -> None:
    hall.run("rehearsal")
    browser = hall.house.browser()
    page = browser.get(f"/h/{SLUG}").text
    (epoch,) = re.findall('name="epoch" value="([^"]+)"', page)
    hall.run("real")
    typed = {"text": "演练时打开的页面问的。", "epoch": epoch}
    answer = browser.post(f"/h/{SLUG}/questions", data=typed)
    assert answer.status_code == 409
    assert typed["text"] in answer.text
    for path, body in (("questions", {"text": typed["text"]}), ("questions/Q/support", {})):
        refused = browser.request(
            "POST" if path == "questions" else "PUT",
            f"/api/v1/hearings/{SLUG}/{path}",
            json={**body, "epoch": epoch},
            headers={"Idempotency-Key": new_key()},
        )
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "run_changed")
    # The form came back for the run that is shown now: sent again, it is asked there.
    (now,) = re.findall('name="epoch" value="([^"]+)"', answer.text)
    again = browser.post(f"/h/{SLUG}/questions", data={**typed, "epoch": now})
    assert again.status_code == 303


def test_what_an_office_was_sent_is_read_during_a_rehearsal_and_in_the_real_run(hall: Hall) -> None:
    here, desk = f"/hearings/{SLUG}", f"/hearings/{SLUG}/desk/questions"
    wording, reply = "这类事项的办理结果多久公开一次？", "办理结果每周公开。"
    one = did(hall.staff, "GET", f"{desk}?status=approved")["items"][0]
    did(hall.staff, "POST", f"{desk}/{one['id']}/shortlisting", {"subject": "housing"})
    version = did(hall.staff, "GET", f"{desk}/{one['id']}")["version"]
    did(hall.staff, "PATCH", f"{desk}/{one['id']}", {"version": version, "text": wording})
    did(hall.staff, "PUT", f"{here}/brief", {"in_advance": True})
    preview = did(hall.staff, "GET", f"{here}/brief/housing")
    did(hall.staff, "POST", f"{here}/brief/housing", {"hash": preview["hash"]})
    card = did(hall.staff, "POST", f"{here}/cards", {"role": "subject", "subject": "housing"})
    office = hall.house.browser()
    assert office.post(f"/join/{card['code']}").status_code == 303
    for kind in ("rehearsal", "real"):
        hall.run(kind)
        page = office.get(f"/h/{SLUG}/brief").text
        assert wording in page
        assert ("演练结束后仍在" in page) is (kind == "rehearsal")
        did(office, "PUT", f"{here}/brief/replies/1", {"text": reply})
        sheet = hall.staff.get(f"/h/{SLUG}/desk/brief/housing").text
        assert reply in sheet
        # A rehearsal's desk holds copies: what is replied there would reach nobody.
        assert ("作为书面答复" in sheet) is (kind == "real")

"""Whose names are masked is set once and holds on every road: who is named by office stays, or does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from server.domain.incoming import MaskedNames
from server.letters import _Piece, _read
from tests.contract.sender import Sender
from tests.contract.test_open311 import CitySystem
from tests.moderation.hostile_bounds import House
from tests.moderation.letters import letter
from tests.running import Running, new_key, running

TEXT = "局长王建国说三天修好，邻居李桂兰等了一年。"
AS_SET = {
    "private": "局长王建国说三天修好，邻居[姓名]等了一年。",
    "all": "局长[姓名]说三天修好，邻居[姓名]等了一年。",
}


@pytest.fixture(scope="module", params=["private", "all"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with running(tmp_path_factory.mktemp("names"), PINGYI_MASK_NAMES=request.param) as found:
        yield found, request.param


def test_what_is_pushed_handed_in_asked_and_edited(demo: tuple[Running, MaskedNames]) -> None:
    here, names = demo
    pushed, city = Sender(here), CitySystem(here)
    pushed.push({"items": [{"工单编号": "N-1", "诉求内容": TEXT}]})
    city.hand_in(description=TEXT)
    asked = here.viewer().do("POST", f"{here.here}/questions", {"text": TEXT}, new_key())
    desk = here.as_("moderator")
    found = [*pushed.on_the_desk(), *city.on_the_desk()]
    told = desk.get(f"{here.here}/desk/questions?limit=200")["items"]
    found += [one for one in told if one["code"] == asked["code"]]
    assert [one["text"] for one in found] == [AS_SET[names]] * 3
    one = pushed.on_the_desk()[0]
    edit = {"text": f"再问：{TEXT}", "version": one["version"]}
    edited = desk.do("PATCH", f"{here.here}/desk/questions/{one['id']}", edit)
    assert edited["text"] == f"再问：{AS_SET[names]}"


@pytest.mark.parametrize("names", ["private", "all"])
def test_a_letter(names: MaskedNames, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(House, "masked_names", names)
    taken = _Piece()
    raw = letter(TEXT.encode())
    _read(raw, datetime(2026, 11, 20, tzinfo=UTC), 0, {}, House(), taken)
    (item,) = taken.items.values()
    assert AS_SET[names] in item.text

"""Nobody rates the head of his own unit (DOMAIN T18): not by tablet, not on paper, and not so that a
secret ballot is known by what is missing in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest

from server.actions.cast_ballot import cast_ballot
from server.actions.close_round import close_round
from server.actions.create_round import NewRound, create_round
from server.actions.key_paper import key_paper, set_paper
from server.actions.open_round import open_round
from server.domain.refusals import Refusal
from server.domain.rounds import own_subjects
from server.reports.forms import forms_of
from tests.house import SMALL_SHOW, Home, home
from web.pages import results
from web.pages.panel import context

pytestmark = pytest.mark.anyio
SHOW = SMALL_SHOW.replace(
    "{number: 2, name: 麴二鸣, group: deputies}",
    "{number: 2, name: 麴二鸣, group: deputies, unit: 岚溪县水务局}",
)
WATER, ROADS = {"duty": "6", "law": "7"}, {"duty": "8", "law": "9"}


@pytest.fixture
async def hall(tmp_path: Path, servers: tuple[str, str]) -> AsyncIterator[Home]:
    """The small hearing, live; seat 2 is of the unit whose head is 敖知水."""
    async with home(tmp_path / "data", *servers, show=SHOW) as found:
        await found.go_live()
        yield found


async def both(hall: Home, secrecy: str = "named", **rules: Any) -> str:
    """A round about both subjects, opened."""
    given = next(r for r in (await hall.view()).rounds if r.audience == "panel").rules
    new = NewRound("测评", "panel", secrecy, subjects=("water", "roads"), rules={**given, **rules})
    id_ = str((await create_round(hall.house, hall.person("host"), hall.slug, new)).body["id"])
    await open_round(hall.house, hall.person("host"), id_)
    return id_


async def refusal(act: Awaitable[Any]) -> str:
    """Why it is refused."""
    with pytest.raises(Refusal) as caught:
        await act
    return caught.value.code


@pytest.mark.parametrize("secrecy", ["named", "secret"])
async def test_the_own_unit_is_left_out_of_the_ballot(hall: Home, secrecy: str) -> None:
    id_ = await both(hall, secrecy)
    two = (hall.house, hall.panelist(1), id_)
    everything = {"water": WATER, "roads": ROADS}
    assert await refusal(cast_ballot(*two, everything, (), "key-00000001")) == "own_unit"
    await cast_ballot(*two, {"roads": ROADS, "water": {"duty": None}}, (), "key-00000002")
    await cast_ballot(hall.house, hall.panelist(0), id_, everything, (), "key-00000003")
    await close_round(hall.house, hall.person("host"), id_)
    await hall.settle()
    round_ = next(r for r in (await hall.view()).rounds if r.id == id_)
    counted = {one["subject"]: one["ballots"]["valid"] for one in round_.result["subjects"]}
    of_a_sheet = 2 if secrecy == "secret" else 1  # cut apart, each of its two marks is counted
    assert counted == {"water": of_a_sheet, "roads": 2 * of_a_sheet}
    said = results.round_view(await hall.view(), round_, "zh", "public", seen=True)
    assert said.counted_by_mark == (secrecy == "secret")


async def test_where_every_line_is_required_the_own_unit_is_not(hall: Home) -> None:
    id_ = await both(hall, ballot={"required": "all"})
    two = (hall.house, hall.panelist(1), id_)
    assert (await cast_ballot(*two, {"roads": ROADS}, (), "key-00000001")).body["receipt"]
    three = (hall.house, hall.panelist(2), id_)
    assert await refusal(cast_ballot(*three, {"roads": ROADS}, (), "key-00000002")) == (
        "ballot_invalid"
    )


async def test_who_could_rate_only_the_own_unit_is_not_on_the_list(hall: Home) -> None:
    id_ = next(r.id for r in (await hall.view()).rounds if r.audience == "panel")
    await open_round(hall.house, hall.person("host"), id_)
    round_ = next(r for r in (await hall.view()).rounds if r.id == id_)
    seats = {seat.id: seat.number for seat in hall.seats}
    assert [seats[one.seat] for one in round_.entitled] == [1, 3]
    mine = cast_ballot(hall.house, hall.panelist(1), id_, {"water": WATER}, (), "key-00000001")
    assert await refusal(mine) == "not_entitled"


async def test_a_secret_ballot_is_not_known_by_who_is_missing_in_it(hall: Home) -> None:
    quota = {"quota": [{"at_least": "90", "most": 1}]}
    assert await refusal(both(hall, "secret", ballot=quota)) == "own_unit_known"
    await both(hall, "named", ballot=quota)


async def test_no_group_in_which_a_mark_would_be_known(hall: Home) -> None:
    assert (
        await refusal(both(hall, "secret", floor=2)) == "group_below_floor"
    )  # seat 1 alone for water


async def test_a_comment_is_no_way_around(hall: Home) -> None:
    given = next(r for r in (await hall.view()).rounds if r.audience == "panel").rules
    new = NewRound("测评", "panel", subjects=("water", "roads"), rules=given, comments=True)
    id_ = str((await create_round(hall.house, hall.person("host"), hall.slug, new)).body["id"])
    await open_round(hall.house, hall.person("host"), id_)
    two = (hall.house, hall.panelist(1), id_, {"roads": ROADS}, ())
    told = cast_ballot(*two, "key-00000001", {"water": "我们的局长最好"})
    assert await refusal(told) == "subject_unknown"
    assert (await cast_ballot(*two, "key-00000002", {"roads": "尚可"})).body["receipt"]


async def test_on_paper_too(hall: Home) -> None:
    host, office = hall.person("host"), hall.person("office")
    named, secret = await both(hall), await both(hall, "secret")
    await set_paper(hall.house, host, named, 2, True)
    form = (hall.house, office, named, 2)
    assert await refusal(key_paper(*form, {"water": WATER}, ())) == "own_unit"
    assert (await key_paper(*form, {"roads": ROADS}, ())).body["status"] == "once"
    assert await refusal(set_paper(hall.house, host, secret, 2, True)) == "paper_own_unit"
    await set_paper(hall.house, host, secret, 1, True)


async def test_the_sheet_and_the_forms_say_so(hall: Home) -> None:
    id_ = await both(hall)
    view = await hall.view()
    round_ = next(r for r in view.rounds if r.id == id_)
    of_two = next(one for one in round_.entitled if one.own)
    sheet = context.sheet(view, round_, "zh", of_two.own)
    assert ([one.key for one in sheet.officials], sheet.own) == (["roads"], ("敖知水",))
    assert any("不评本单位" in sentence for sentence in sheet.rules)
    assert [one.key for one in context.sheet(view, round_, "zh").officials] == ["water", "roads"]
    assert any("不评本单位" in sentence for sentence in forms_of(view, round_, "zh").sentences)


def test_a_unit_is_the_same_however_it_is_spelt() -> None:
    heads = {"a": "岚溪县水务局", "b": "岚溪县交通局", "c": "", "d": "岚溪县 水务局"}
    assert own_subjects("　岚溪县水务局 ", heads) == ("a", "d")
    assert own_subjects("", heads) == ()
    for spelt in (
        "岚溪县水务局\u200b",
        "\ufeff岚溪县·水务局",
        "岚溪县-水务局。",
        "（岚溪县）水务局",
    ):
        assert own_subjects(spelt, heads) == ("a", "d")
    assert own_subjects("ＡＢ局", {"x": "AB局"}) == ("x",)

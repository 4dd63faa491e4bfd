"""Paper ballots: keyed in by two people independently, differences told, counted once they agree."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from server.actions.cast_ballot import cast_ballot
from server.actions.close_round import close_round
from server.actions.create_round import NewRound, create_round
from server.actions.key_paper import forms, key_paper, set_paper
from server.actions.open_round import open_round
from server.actions.void_round import void_round
from server.domain.refusals import Refusal
from server.store.rows import table
from server.store.tables import PaperEntryRow
from tests.house import Home

pytestmark = pytest.mark.anyio
MARKS = {"water": {"duty": "8", "law": "9"}}
OTHER = {"water": {"duty": "8", "law": "6"}}


async def opened(home: Home, secrecy: str = "named") -> str:
    """A panel round that is open; its id."""
    await home.go_live()
    panel = next(r for r in (await home.view()).rounds if r.audience == "panel")
    new = NewRound("测评", "panel", secrecy, subjects=("water",), rules=panel.rules)
    id_ = (await create_round(home.house, home.person("host"), home.slug, new)).body["id"]
    await open_round(home.house, home.person("host"), id_)
    return str(id_)


async def refusal(act: Any) -> str:
    with pytest.raises(Refusal) as caught:
        await act
    return str(caught.value.code)


async def closed(home: Home, id_: str) -> Any:
    await close_round(home.house, home.person("host"), id_)
    await home.settle()
    return next(r for r in (await home.view()).rounds if r.id == id_)


@pytest.mark.parametrize("secrecy", ["named", "secret"])
async def test_two_people_who_read_the_same_make_a_ballot(lanxi: Home, secrecy: str) -> None:
    id_, house, host = await opened(lanxi, secrecy), lanxi.house, lanxi.person("host")
    teller, watcher = lanxi.person("teller", name="t"), lanxi.person("scrutineer", name="s")
    form = 2 if secrecy == "named" else 1
    assert await refusal(key_paper(house, teller, id_, form, MARKS, ())) == "form_unknown"
    await set_paper(house, host, id_, 2, True)
    paper_seat = lanxi.panelist(1)
    assert await refusal(cast_ballot(house, paper_seat, id_, MARKS, (), "key-00000001")) == (
        "votes_on_paper"
    )
    await cast_ballot(house, lanxi.panelist(0), id_, OTHER, (), "key-00000002")
    assert await refusal(set_paper(house, host, id_, 1, True)) == "already_cast"
    told = (await key_paper(house, teller, id_, form, MARKS, ())).body
    assert (told["status"], told["keyed_by"]) == ("once", ["t"])
    # The same person twice is one person.
    assert (await key_paper(house, teller, id_, form, MARKS, ())).body["status"] == "once"
    told = (await key_paper(house, watcher, id_, form, OTHER, ())).body
    assert told["status"] == "differs"
    assert told["differing"] == [{"subject": "water", "dimension": "law"}]
    told = (await key_paper(house, watcher, id_, form, MARKS, ())).body
    assert told["status"] == "counted"
    assert told["receipt"]
    assert await refusal(key_paper(house, teller, id_, form, OTHER, ())) == "form_counted"
    assert await refusal(set_paper(house, host, id_, 2, False)) == "already_cast"
    async with lanxi.building.store.look(round=id_) as unit:
        round_ = await unit.rounds.get(id_)
        assert round_ is not None
        assert round_.cast == 2
        assert [one.status for one in await forms(unit, round_)] == ["counted"]
        stored = [row.cells for row in await unit.connection.execute(select(table(PaperEntryRow)))]
    if secrecy == "secret":  # Nothing by which a mark could be known, or tried out.
        assert all(len(cell) == 64 for cells in stored for cell in cells.values())
    round_ = await closed(lanxi, id_)
    # 8 + 9 = 17 by the paper's, 8 + 6 = 14 by the tablet's; both deputies: 15.5.
    assert round_.result["subjects"][0]["total"] == "15.50"
    if secrecy == "secret":
        async with lanxi.building.store.look(round=id_) as unit:
            rows = await unit.connection.execute(select(table(PaperEntryRow)))
            assert [row.cells for row in rows] == [{}, {}]


async def test_a_third_person_may_settle_what_two_read_differently(lanxi: Home) -> None:
    id_, house = await opened(lanxi), lanxi.house
    await set_paper(house, lanxi.person("host"), id_, 3, True)
    one, two, three = (lanxi.person("teller", name=name) for name in "abc")
    await key_paper(house, one, id_, 3, MARKS, ())
    assert (await key_paper(house, two, id_, 3, {}, ["water"])).body["differing"] == [
        {"subject": "water", "dimension": "recused"},
        {"subject": "water", "dimension": "duty"},
        {"subject": "water", "dimension": "law"},
    ]
    assert (await key_paper(house, three, id_, 3, MARKS, ())).body["status"] == "counted"


async def test_what_a_tablet_could_not_say_paper_cannot_either(lanxi: Home) -> None:
    id_, house = await opened(lanxi), lanxi.house
    host, teller = lanxi.person("host"), lanxi.person("teller")
    await set_paper(house, host, id_, 3, True)
    wrong = {"water": {"duty": "11"}}
    assert await refusal(key_paper(house, teller, id_, 3, wrong, ())) == "ballot_invalid"
    assert await refusal(key_paper(house, host, id_, 3, MARKS, ())) == "not_allowed"
    assert await refusal(set_paper(house, teller, id_, 3, False)) == "not_allowed"
    assert await refusal(set_paper(house, host, id_, 9, True)) == "not_found"
    await set_paper(house, host, id_, 3, False)
    await cast_ballot(house, lanxi.panelist(2), id_, MARKS, (), "key-00000003")
    await closed(lanxi, id_)
    assert await refusal(key_paper(house, teller, id_, 3, MARKS, ())) == "round_closed"
    assert await refusal(set_paper(house, host, id_, 3, True)) == "round_closed"


async def test_forms_without_seats_are_all_of_one_group(lanxi: Home) -> None:
    """They bear no seat: a form of another group would be counted with the wrong weight."""
    id_, house, host = await opened(lanxi, "secret"), lanxi.house, lanxi.person("host")
    groups = {seat.number: seat.group for seat in lanxi.seats}
    assert groups[1] == groups[2] != groups[3]
    await set_paper(house, host, id_, 1, True)
    assert await refusal(set_paper(house, host, id_, 3, True)) == "paper_one_group"
    await set_paper(house, host, id_, 2, True)
    teller, watcher = lanxi.person("teller", name="t"), lanxi.person("scrutineer", name="s")
    await key_paper(house, teller, id_, 1, OTHER, ())
    await key_paper(house, teller, id_, 2, MARKS, ())
    assert (await key_paper(house, watcher, id_, 2, MARKS, ())).body["status"] == "counted"
    async with lanxi.building.store.look(round=id_) as unit:
        cast, _ = await unit.rounds.progress(id_)
    left = next(seat.number for seat in lanxi.seats if seat.number < 3 and seat.id not in cast)
    assert await refusal(set_paper(house, host, id_, left, False)) == "paper_counts"
    assert (await key_paper(house, watcher, id_, 1, OTHER, ())).body["status"] == "counted"


@pytest.mark.parametrize("secrecy", ["named", "secret"])
async def test_an_entry_that_is_sent_again_gets_its_first_answer(lanxi: Home, secrecy: str) -> None:
    id_, house = await opened(lanxi, secrecy), lanxi.house
    await set_paper(house, lanxi.person("host"), id_, 1, True)
    teller, watcher = lanxi.person("teller", name="t"), lanxi.person("scrutineer", name="s")
    await key_paper(house, teller, id_, 1, MARKS, (), "key-0000000a")
    told = await key_paper(house, watcher, id_, 1, MARKS, (), "key-0000000b")
    assert told.body["receipt"]
    again = await key_paper(house, watcher, id_, 1, MARKS, (), "key-0000000b")
    assert again.body["receipt"] == told.body["receipt"]
    assert await refusal(key_paper(house, watcher, id_, 1, OTHER, (), "key-0000000b")) == (
        "key_reused"
    )
    await closed(lanxi, id_)
    again = await key_paper(house, watcher, id_, 1, MARKS, (), "key-0000000b")
    assert again.body["receipt"] == told.body["receipt"]


async def test_nothing_of_the_forms_is_left_when_a_secret_round_is_voided(lanxi: Home) -> None:
    id_, house, host = await opened(lanxi, "secret"), lanxi.house, lanxi.person("host")
    await set_paper(house, host, id_, 1, True)
    await key_paper(house, lanxi.person("teller"), id_, 1, MARKS, ())
    await void_round(house, host, id_, "误开")
    async with lanxi.building.store.look(round=id_) as unit:
        rows = await unit.connection.execute(select(table(PaperEntryRow)))
        assert [row.cells for row in rows] == [{}]

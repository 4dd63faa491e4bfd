"""People who act at once, or in an odd order: what all of them were told is what stands after."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from server.actions.cast_vote import cast_vote
from server.actions.change_status import change_status
from server.actions.open_round import open_round
from server.actions.start_run import start_run
from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.roles import APART, GRANTABLE, Actor, Grant
from server.store.identity import Identity
from tests.house import Home, home
from tests.running import Client, Running
from tests.schema import database_with_schema


@pytest.fixture(scope="module")
def shared_demo(everywhere_shared: Running) -> Running:
    """In one process, and in several."""
    return everywhere_shared


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each act gave, all begun at the same moment."""
    barrier, given = threading.Barrier(len(acts)), [None] * len(acts)

    def run(i: int) -> None:
        barrier.wait()
        given[i] = acts[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


def standing(demo: Running, desk: Client) -> dict[int, tuple[Any, ...]]:
    """What merging moves, of the approved questions on the first page of the desk and of those that
    were."""
    page = [
        *desk.get(f"{demo.here}/desk/questions?status=approved")["items"],
        *desk.get(f"{demo.here}/desk/questions?status=merged")["items"],
    ]
    return {
        q["id"]: (q["status"], q["merged_into"], q["askers"], q["likes"], q["support"])
        for q in page
    }


def test_a_merge_taken_back_leaves_nothing_behind_however_the_target_went_on(
    shared_demo: Running,
) -> None:
    demo, desk = shared_demo, shared_demo.as_("moderator")
    before = standing(demo, desk)
    one, two, three, four = list(before)[:4]

    def merge(id_: int, into: int) -> int:
        path = f"{demo.here}/desk/questions/{id_}/merging"
        return desk.call("POST", path, {"into": into}).status_code

    def unmerge(id_: int) -> int:
        return desk.call("DELETE", f"{demo.here}/desk/questions/{id_}/merging").status_code

    # One went into two, two into three, three into four; the first is taken out from below.
    assert [merge(one, two), merge(two, three), merge(three, four)] == [200, 200, 200]
    assert (
        standing(demo, desk)[four][2]
        == sum(before[i][2] + before[i][4] for i in (one, two, three)) + before[four][2]
    )
    assert [unmerge(one), unmerge(two), unmerge(three)] == [200, 200, 200]
    assert standing(demo, desk) == before

    # Crosswise and in a ring at once: whatever was agreed to comes apart again.
    ring = [(one, two), (two, one), (two, three), (three, one), (three, four)]
    for _ in range(2):
        told = at_once([lambda p=pair: merge(*p) for pair in ring])
        assert set(told) <= {200, 409}
        merged = [i for i, q in standing(demo, desk).items() if q[0] == "merged"]
        assert len(merged) == told.count(200) > 0
        assert set(at_once([lambda i=i: unmerge(i) for i in merged])) == {200}
        assert standing(demo, desk) == before


async def outcomes(*acts: Any) -> list[Any]:
    """What acts begun at once gave: an answer, or the code of a refusal."""
    given = await asyncio.gather(*acts, return_exceptions=True)
    for one in given:
        if isinstance(one, BaseException) and not isinstance(one, Refusal):
            raise one
    return [one.code if isinstance(one, Refusal) else one for one in given]


@pytest.mark.anyio
async def test_two_hosts_begin_one_real_run_and_its_rounds_are_in_it(lanxi: Home) -> None:
    """Planted fault: without the look at the run that is shown, PostgreSQL began four, the last of
    them without an agenda, questions or rounds."""
    hosts = [lanxi.person("host", "office", name=f"h{i}") for i in range(4)]
    await change_status(lanxi.house, hosts[0], lanxi.slug, "ready", 0)
    prepared = await lanxi.view()
    begun = await outcomes(*(start_run(lanxi.house, h, lanxi.slug, "real") for h in hosts))
    refused = [one for one in begun if isinstance(one, str)]
    assert len(refused) == 3, begun
    assert set(refused) <= {"run_changed", "run_illegal"}
    shown = await lanxi.view()
    assert shown.hearing.run_kind == "real"
    assert len(shown.rounds) == len(prepared.rounds) > 0
    assert len(shown.items) == len(prepared.items) > 0


@pytest.mark.anyio
async def test_of_cards_issued_at_once_for_a_seat_one_holds(lanxi: Home) -> None:
    desk, by = lanxi.building.services.cards, lanxi.person("office")
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        place: Place = unit.place
    cards = await asyncio.gather(*(desk.issue_card(by, place, seat_number=1) for _ in range(6)))
    joined = await outcomes(*(desk.join(card["code"]) for card in cards))
    assert sorted(str(one) for one in joined if isinstance(one, str)) == ["card_unknown"] * 5
    assert await outcomes(*(desk.join(card["code"]) for card in cards for _ in range(2))) == [
        "card_used" if isinstance(one, tuple) else "card_unknown"
        for one in joined
        for _ in range(2)
    ]


@pytest.mark.anyio
async def test_roles_that_stand_apart_are_not_granted_by_two_at_once(lanxi: Home) -> None:
    apart = [sorted(pair) for pair in APART]
    chief, pair = next(
        (chief, pair) for chief, may in GRANTABLE.items() for pair in apart if set(pair) <= set(may)
    )
    by = Actor("account:chief", "chief", (Grant(chief, lanxi.office.id, lanxi.office.path),))
    async with lanxi.building.database.write() as connection:
        account = await Identity(connection).add_account(
            lanxi.office.id, "anybody", "某某", "no password", lanxi.house.now()
        )
    people = lanxi.building.services.people
    given = await outcomes(
        *(people.grant(by, account, role, lanxi.office.id) for role in pair for _ in range(3))
    )
    async with lanxi.building.database.read() as connection:
        held = {grant.role for _, grant in await Identity(connection).grants(account)}
    assert len(held & set(pair)) == 1, given
    assert "roles_conflict" in given


@pytest.mark.anyio
@pytest.mark.system
async def test_one_viewers_votes_through_two_processes_are_counted_as_they_stand(
    tmp_path: Path, postgresql_server: str, redis_url: str
) -> None:
    database = database_with_schema(postgresql_server, f"t{token_hex(6)}")
    async with (
        home(tmp_path / "a", database, redis_url) as one,
        home(tmp_path / "b", database, redis_url, beside=one) as other,
    ):
        await one.go_live()
        round_id = next(r.id for r in (await one.view()).rounds if r.audience == "public")
        await open_round(one.house, one.person("host"), round_id)

        async def voting(house: Any, choices: str) -> None:
            for n in range(12):
                await asyncio.gather(
                    *(
                        cast_vote(house, f"v{i}", token_hex(8), round_id, choice)
                        for i, choice in enumerate((choices.split() * 2)[n % 3 :][:3])
                    )
                )

        await asyncio.gather(
            voting(one.house, "good fair poor"), voting(other.house, "poor good fair")
        )
        async with one.building.store.look(round=round_id) as unit:
            counted = await unit.rounds.get(round_id)
            stored, voters = await unit.votes.recount(round_id)
    assert counted is not None
    assert {k: n for k, n in counted.counts.items() if n} == dict(stored)
    assert counted.cast == voters == 3

"""A spare tablet takes over a seat: one tablet sits, one ballot stands, whoever asks at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from server.actions.cast_ballot import cast_ballot
from server.actions.create_round import NewRound, create_round
from server.actions.open_round import open_round
from server.actions.take_over_seat import MOST_WAITING, WAIT_MS, ask_for_seat, settle_takeover
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.identity.cards import CLAIM_MS, CardDesk
from server.identity.secrets import digest
from server.identity.sessions import SignedIn
from server.store.identity import Identity
from tests.house import Home

pytestmark = pytest.mark.anyio
MARKS = {"water": {"duty": "7", "law": "8"}}


class Hall:
    """The small hearing in `live`, its seats signed in by cards."""

    def __init__(self, home: Home, place: Any) -> None:
        self.home, self.place = home, place
        self.later = 0
        self.desk = CardDesk(home.building.database, lambda: home.house.now() + self.later)

    async def sit(self, seat: int) -> SignedIn:
        """A tablet that joined by a card."""
        by = self.home.person("office")
        card = await self.desk.issue_card(by, self.place, seat_number=seat)
        session, _ = await self.desk.join(card["code"])
        return session

    async def ask(self, seat: int, secret: str) -> int:
        """A spare tablet asks; gives the request's id."""
        home = self.home
        answer = await ask_for_seat(home.house, home.slug, seat, "AB23", digest(secret))
        return int(answer.body["id"])

    async def settle(self, id_: int, outcome: str) -> str:
        """The host's answer, or why it was refused."""
        home = self.home
        host = home.person("host")
        try:
            await settle_takeover(home.house, host, home.slug, id_, outcome)
        except Refusal as refusal:
            return refusal.code
        return outcome

    async def who(self, session: SignedIn | None) -> Actor | None:
        """Whom a session stands for now."""
        assert session is not None
        async with self.home.building.database.read() as connection:
            return await Identity(connection).session_actor(
                digest(session.secret), self.home.house.now()
            )


@pytest.fixture
async def hall(lanxi: Home) -> Hall:
    """The hearing, live, on every store."""
    await lanxi.go_live()
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        return Hall(lanxi, unit.place)


async def test_the_new_tablet_is_the_seat_and_the_old_one_is_nobody(hall: Hall) -> None:
    old = await hall.sit(2)
    before = await hall.who(old)
    asked = await hall.ask(2, "secret-of-the-spare")
    assert await hall.desk.claim("secret-of-the-spare") == ("open", None)
    assert await hall.settle(asked, "granted") == "granted"
    assert await hall.who(old) is None
    status, new = await hall.desk.claim("secret-of-the-spare")
    assert status == "granted"
    after = await hall.who(new)
    assert before is not None
    assert after is not None
    assert (after.id, after.seat, after.name) == (before.id, before.seat, before.name)
    # The answer was lost: it asks again, and still one session is the seat's.
    _, again = await hall.desk.claim("secret-of-the-spare")
    assert await hall.who(new) is None
    assert await hall.who(again) is not None
    events = [e.event for e in await hall.home.entries() if e.event.startswith("takeover")]
    assert events == ["takeover_requested", "takeover_granted"]
    with pytest.raises(Refusal) as caught:
        await hall.desk.claim("a secret that nobody was given")
    assert caught.value.code == "takeover_unknown"


@pytest.mark.parametrize("replacing", ["last", "first"])
async def test_the_seat_has_one_ballot_whichever_tablet_sends(hall: Hall, replacing: str) -> None:
    home = hall.home
    async with home.building.store.act(slug=home.slug) as unit:
        round_ = next(r for r in await unit.rounds.all() if r.audience == "panel")
    id_ = round_.id
    if replacing == "first":
        wanted = NewRound(
            "只算第一次", "panel", replacing="first", subjects=("water",), rules=round_.rules
        )
        made = await create_round(home.house, home.person("host"), home.slug, wanted)
        id_ = made.body["id"]
    old = await hall.sit(2)
    await open_round(home.house, home.person("host"), id_)
    sender = await hall.who(old)
    assert sender is not None
    asked = await hall.ask(2, "secret-of-the-spare")
    # The old tablet's ballot is on its way when the host grants: it was let in, so it counts.
    cast, granted = await asyncio.gather(
        cast_ballot(home.house, sender, id_, MARKS, (), "key-of-old"),
        hall.settle(asked, "granted"),
    )
    assert granted == "granted"
    _, new = await hall.desk.claim("secret-of-the-spare")
    by = await hall.who(new)
    assert by is not None
    # What the old tablet sent is found again under its key, by the seat's new one.
    same = await cast_ballot(home.house, by, id_, MARKS, (), "key-of-old")
    assert same.body["receipt"] == cast.body["receipt"]
    other = {"water": {"duty": "1", "law": "1"}}
    if replacing == "first":
        with pytest.raises(Refusal) as caught:
            await cast_ballot(home.house, by, id_, other, (), "key-of-new")
        assert caught.value.code == "already_cast"
    else:
        answer = await cast_ballot(home.house, by, id_, other, (), "key-of-new")
        assert answer.body["replaced"]
    async with home.building.store.look(slug=home.slug) as unit:
        found = await unit.rounds.get(id_)
    assert found is not None
    assert found.cast == 1


async def test_of_two_that_ask_one_gets_the_seat(hall: Hall) -> None:
    first, second = await hall.ask(2, "secret-of-one"), await hall.ask(2, "secret-of-two")
    told = await asyncio.gather(hall.settle(first, "granted"), hall.settle(second, "granted"))
    assert sorted(told) == ["granted", "takeover_settled"]
    won, lost = (
        ("secret-of-one", "secret-of-two")
        if told[0] == "granted"
        else ("secret-of-two", "secret-of-one")
    )
    assert (await hall.desk.claim(lost)) == ("declined", None)
    _, session = await hall.desk.claim(won)
    assert await hall.who(session) is not None
    # The next takeover ends this one: its tablet cannot come back with its old secret.
    third = await hall.ask(2, "secret-of-three")
    assert await hall.settle(third, "granted") == "granted"
    assert (await hall.desk.claim(won)) == ("past", None)
    _, newest = await hall.desk.claim("secret-of-three")
    # So does a card.
    by_card = await hall.sit(2)
    assert await hall.who(newest) is None
    assert (await hall.desk.claim("secret-of-three")) == ("past", None)
    assert await hall.who(by_card) is not None


async def test_a_granted_seat_waits_ten_minutes(hall: Hall) -> None:
    asked = await hall.ask(1, "secret-of-the-spare")
    await hall.settle(asked, "granted")
    hall.later = CLAIM_MS + 1000
    assert (await hall.desk.claim("secret-of-the-spare")) == ("past", None)


async def test_what_is_refused(hall: Hall) -> None:
    home = hall.home

    async def refused(seat: int) -> str:
        with pytest.raises(Refusal) as caught:
            await hall.ask(seat, f"secret-{seat}-refused")
        return caught.value.code

    assert await refused(99) == "seat_unknown"
    asked = [await hall.ask(3, f"secret-of-{n}") for n in range(MOST_WAITING)]
    assert await refused(3) == "takeover_full"
    assert await hall.settle(asked[0], "declined") == "declined"
    assert await hall.settle(asked[0], "granted") == "takeover_settled"
    assert (await hall.desk.claim("secret-of-0")) == ("declined", None)
    assert await hall.settle(asked[1], "perhaps") == "malformed"
    with pytest.raises(Refusal) as caught:
        await settle_takeover(home.house, home.panelist(0), home.slug, asked[1], "granted")
    assert caught.value.code == "not_allowed"


async def test_who_asked_and_went_away_keeps_nobody_from_asking(hall: Hall) -> None:
    home = hall.home
    asked = [await hall.ask(3, f"secret-of-{n}") for n in range(MOST_WAITING)]
    later = home.house.now() + WAIT_MS + 1
    house = replace(home.house, now=lambda: later)
    await ask_for_seat(house, home.slug, 3, "AB23", digest("secret-of-another"))
    assert await hall.desk.claim("secret-of-0") == ("past", None)
    assert await hall.settle(asked[0], "granted") == "takeover_settled"
    assert await hall.desk.claim("secret-of-another") == ("open", None)


async def test_waiting_for_the_answer_writes_nothing(hall: Hall) -> None:
    await hall.ask(3, "secret-of-one-who-waits")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hall.home.building.database, "write", None)
        assert await hall.desk.claim("secret-of-one-who-waits") == ("open", None)
        with pytest.raises(Refusal) as caught:
            await hall.desk.claim("secret-of-nobody")
    assert caught.value.code == "takeover_unknown"


async def test_before_check_in_nobody_takes_a_seat(lanxi: Home) -> None:
    with pytest.raises(Refusal) as caught:
        await ask_for_seat(lanxi.house, lanxi.slug, 1, "AB23", digest("secret-too-early"))
    assert caught.value.code == "not_found"

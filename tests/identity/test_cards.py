"""Join cards: a sheet printed the evening before is good in the morning, each card once."""

from __future__ import annotations

from typing import Any

import pytest

from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.identity.cards import CARD_MS, CardDesk
from tests.house import Home

pytestmark = pytest.mark.anyio
HOUR = 3_600_000


class Office:
    """The office's cards under a clock that the test sets."""

    def __init__(self, home: Home, place: Place) -> None:
        self.now, self.place, self.by = home.house.now(), place, home.person("office")
        self.desk = CardDesk(home.building.database, lambda: self.now)

    async def issue(self, seat: int) -> dict[str, Any]:
        """A new card for the seat: the tap on 发卡 or 重发."""
        return await self.desk.issue_card(self.by, self.place, seat_number=seat)

    async def refused(self, code: str) -> str:
        """Why the card does not join."""
        with pytest.raises(Refusal) as caught:
            await self.desk.join(code)
        return caught.value.code


@pytest.fixture
async def office(lanxi: Home) -> Office:
    """The small hearing's office, on every store."""
    async with lanxi.building.store.look(slug=lanxi.slug) as unit:
        return Office(lanxi, unit.place)


async def test_a_card_lives_through_a_weekend(office: Office) -> None:
    printed = [await office.issue(seat) for seat in (1, 2)]
    assert CARD_MS == 72 * HOUR
    assert all(one["expires_at"] == office.now + CARD_MS for one in printed)
    office.now += 15 * HOUR  # From the evening before to nine in the morning.
    session, card = await office.desk.join(printed[0]["code"])
    assert (session.label, card.role) == ("panel-01", "panelist")
    office.now += 57 * HOUR
    await office.desk.join(printed[1]["code"].lower())


async def test_after_its_window_a_tap_gives_a_new_card(office: Office) -> None:
    old = await office.issue(1)
    office.now += CARD_MS + 1
    assert await office.refused(old["code"]) == "card_expired"
    new = await office.issue(1)
    assert await office.refused(old["code"]) == "card_unknown"
    await office.desk.join(new["code"])
    assert await office.refused(new["code"]) == "card_used"


@pytest.mark.parametrize("code", ["card_used", "card_expired"])
def test_what_cannot_be_used_says_what_to_do(code: str) -> None:
    assert "重新发卡" in Refusal(code).message("zh")
    assert "ask the staff for a new one" in Refusal(code).message("en")

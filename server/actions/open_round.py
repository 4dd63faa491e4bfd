"""A round opens: from now on ballots are taken; who is entitled and the rules are frozen."""

from __future__ import annotations

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain import rounds as rules
from server.domain.hearing import check_under_way
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.rounds import Entitled
from server.domain.view import round_state


async def open_round(house: House, by: Actor, round_id: str, key: str | None = None) -> Answer:
    """`POST /rounds/ID/opening`. The list of the panel's seats is frozen with who is present at this
    moment: they are entitled, and a late sign-in counts from the next round."""

    async def work(unit: Unit) -> Answer:
        check_under_way(await unit.hearings.get())
        round_ = await unit.rounds.get(round_id, lock=True)
        if round_ is None:
            raise Refusal("not_found")
        if round_.audience == "panel" and round_.secrecy == "secret":
            raise Refusal("secret_later")
        entitled = [
            Entitled(seat.id, seat.group, seat.unit, seat.present)
            for seat in (await unit.people.seats() if round_.audience == "panel" else ())
        ]
        opened = rules.open_round(round_, entitled, house.now())
        await unit.rounds.save(opened)
        unit.record(
            "round_opened",
            ids={"round": opened.id},
            rules_hash=opened.rules_hash,
            entitled=sum(one.present for one in entitled),
        )
        return Answer(round_state(opened))

    asked = Asked(by, "rounds", key, {}, "rounds", "open_round")
    return await perform(house, asked, work, round=round_id)

"""A wrong round is voided with its reason; it stays, and a new one is linked to it (law 12).

The ballots of a secret round that is still open go with its seal, and nobody has read them.
"""

from __future__ import annotations

from server.actions.destroy_seal import destroy_seal_of
from server.actions.open_boxes import drop_boxes
from server.actions.perform import Answer, Asked, locked_round, perform
from server.actions.ports import House, Unit
from server.domain import rounds as rules
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.view import round_state


async def void_round(
    house: House, by: Actor, round_id: str, reason: str, key: str | None = None
) -> Answer:
    """`POST /rounds/ID/voiding {reason}`: the answer names the new round, which is `ready`."""

    async def work(unit: Unit) -> Answer:
        if not reason.strip():
            raise Refusal("malformed", place="reason")
        round_ = await locked_round(unit, round_id)
        voided = rules.void(round_, reason.strip())
        if round_.sealed and round_.status in rules.TAKES_BALLOTS:
            await drop_boxes(unit, round_)
        await unit.rounds.save(voided)
        ordinal = await unit.rounds.last_ordinal() + 1
        again = rules.held_again(round_, house.code(), ordinal)
        await unit.rounds.add(again)
        unit.record("round_voided", ids={"round": round_.id}, reason=reason.strip(), again=again.id)
        return Answer({**round_state(voided), "again": again.id})

    asked = Asked(by, "rounds", key, {"reason": reason}, "rounds", "void")
    answer = await perform(house, asked, work, round=round_id)
    house.later(destroy_seal_of(house, round_id))
    return answer

"""计票确认: each signer that the show names certifies the tally once."""

from __future__ import annotations

from server.actions.bundle_round import bundle_round
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain import rounds as rules
from server.domain.refusals import Refusal
from server.domain.roles import Actor, roles_at
from server.domain.view import round_state


async def certify_round(house: House, by: Actor, round_id: str, key: str | None = None) -> Answer:
    """`POST /rounds/ID/certification`; `certified` once all have signed."""

    async def work(unit: Unit) -> Answer:
        round_ = await unit.rounds.get(round_id, lock=True)
        if round_ is None:
            raise Refusal("not_found")
        ref = unit.place.ref
        roles = roles_at(by, ref.office, unit.place.path, ref.hearing)
        signed, role = rules.certify(round_, roles)
        await unit.rounds.save(signed)
        done = signed.status == "certified"
        unit.record(
            "round_certified" if done else "round_signed", ids={"round": round_.id}, signed_as=role
        )
        waiting = [r for r in signed.signers if r not in signed.signed]
        return Answer({**round_state(signed), "signed": list(signed.signed), "waiting": waiting})

    asked = Asked(by, "certify", key, {}, None, "certify")
    answer = await perform(house, asked, work, round=round_id)
    if answer.body["status"] == "certified":
        house.later(bundle_round(house, round_id))
    return answer

"""计票确认: each signer that the show names certifies the tally once."""

from __future__ import annotations

from typing import Any

from server.actions.bundle_round import bundle_round
from server.actions.perform import Answer, Asked, locked_round, perform
from server.actions.ports import House, Unit
from server.domain import rounds as rules
from server.domain.refusals import Refusal
from server.domain.roles import RIGHTS, Actor
from server.domain.rounds import Round
from server.domain.view import round_state

LONGEST_REASON = 300


async def certify_instead(
    house: House, by: Actor, round_id: str, missing: str, reason: str, key: str | None = None
) -> Answer:
    """`POST /rounds/ID/certification {instead, reason}`: a signer who is missing is replaced, by name,
    with the reason in the journal and on the tally sheet."""
    cleaned = house.clean(reason)
    if not cleaned:
        raise Refusal("malformed", place="reason")
    if len(cleaned) > LONGEST_REASON:
        raise Refusal("text_too_long", most=LONGEST_REASON)

    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        roles = unit.place.roles(by)
        role = next(one for one in roles if one in RIGHTS["override_signature"])
        signed = rules.certify_instead(round_, missing, role, cleaned, house.now())
        return await _signed(unit, signed, missing, instead_as=role, reason=cleaned)

    body = {"instead": missing, "reason": cleaned}
    asked = Asked(by, "override_signature", key, body, None, "certify_instead")
    return await _and_bundle(house, round_id, await perform(house, asked, work, round=round_id))


async def _signed(unit: Unit, signed: Round, role: str, **more: Any) -> Answer:
    await unit.rounds.save(signed)
    event = "round_certified" if signed.status == "certified" else "round_signed"
    unit.record(event, ids={"round": signed.id}, signed_as=role, **more)
    waiting = [r for r in signed.signers if r not in signed.signed]
    return Answer({**round_state(signed), "signed": list(signed.signed), "waiting": waiting})


async def _and_bundle(house: House, round_id: str, answer: Answer) -> Answer:
    if answer.body["status"] == "certified":
        house.later(bundle_round(house, round_id))
    return answer


async def certify_round(house: House, by: Actor, round_id: str, key: str | None = None) -> Answer:
    """`POST /rounds/ID/certification`; `certified` once all have signed."""

    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        roles = unit.place.roles(by)
        signed, role = rules.certify(round_, roles)
        return await _signed(unit, signed, role)

    asked = Asked(by, "certify", key, {}, None, "certify")
    return await _and_bundle(house, round_id, await perform(house, asked, work, round=round_id))

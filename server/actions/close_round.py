"""A round closes, at once or after a stated time; then it is tallied by the machine."""

from __future__ import annotations

from typing import Any

from server.actions.destroy_seal import destroy_seal_of
from server.actions.open_boxes import keep_texts, open_boxes
from server.actions.perform import Answer, Asked, locked_round, perform
from server.actions.ports import House, Unit
from server.actions.tally_round import tally_round
from server.domain import rounds as rules
from server.domain.comments import takes_texts
from server.domain.merkle import root_of
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE, Actor
from server.domain.rounds import Round
from server.domain.view import round_state

LONGEST_CLOSING = 600
"""Seconds for which a round may stand in `closing`."""


async def close_round(
    house: House, by: Actor, round_id: str, seconds: int = 0, key: str | None = None
) -> Answer:
    """`POST /rounds/ID/closing {in?}`. With `in`, the round is `closing` and still takes ballots
    until then; the timekeeper closes it."""
    if not 0 <= seconds <= LONGEST_CLOSING:
        raise Refusal("malformed", place="in")

    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        if seconds:
            closing = rules.begin_closing(round_, house.now(), seconds)
            await unit.rounds.save(closing)
            unit.record("round_closing", ids={"round": round_.id}, seconds=seconds)
            return Answer(round_state(closing))
        return Answer(round_state(await _close(house, unit, round_)))

    asked = Asked(by, "rounds", key, {"in": seconds}, "rounds", "close_round")
    answer = await perform(house, asked, work, round=round_id)
    if answer.body["status"] == "closed":
        house.later(_follow_up(house, round_id))
    return answer


async def finish_closing(house: House, round_id: str) -> None:
    """The closing time has come: the machine closes, and tallies beside what else is to be closed."""

    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        if round_.status != "closing" or (round_.closes_at or 0) > house.now():
            return Answer(round_state(round_))
        return Answer(round_state(await _close(house, unit, round_)))

    asked = Asked(MACHINE, "rounds", verb="finish_closing")
    answer = await perform(house, asked, work, round=round_id)
    if answer.body["status"] == "closed":
        house.later(_follow_up(house, round_id))


async def _close(house: House, unit: Unit, round_: Round) -> Round:
    """Closed, with the row locked that ballots lock: each of them is wholly before or wholly after."""
    closed = rules.close(round_, house.now())
    roots: dict[str, Any] = {}
    if closed.audience == "panel":
        kept = unit.sealed if closed.sealed else unit.rounds
        leaves = [code.encode() for code in await kept.receipts(closed.id)]
        roots["receipts_root"] = root_of(leaves).hex()
    if closed.sealed:
        await open_boxes(house, unit, closed)
    elif takes_texts(closed):
        texts = [
            (subject, text, ballot.seat)
            for ballot in await unit.rounds.ballots(closed.id)
            for subject, text in ballot.comments.items()
        ]
        await keep_texts(unit, closed, texts)
    await unit.rounds.save(closed)
    unit.record("round_closed", ids={"round": closed.id}, cast=closed.cast, **roots)
    return closed


async def _follow_up(house: House, round_id: str) -> None:
    """What the machine does of a round that has closed. What a crash leaves undone here is found again:
    the seal by who keeps seals, the tally by the timekeeper."""
    await destroy_seal_of(house, round_id)
    await tally_round(house, MACHINE, round_id)

"""Paper ballots: a seat is set to paper, two people key its form in, and it counts when they agree.

In a secret round what the first one keyed in is kept as MACs that only the round's seal makes: the two
are compared, and nobody reads a mark before the round has closed.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from server.actions.cast_ballot import Sheet, checked_rows, keep_ballot, kept_as, open_panel_round
from server.actions.open_boxes import seal_of
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain import rounds as rules
from server.domain.paper import Entry, Form, cells_of, form_of
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.rounds import Round
from server.domain.rule_file import parse_rules


async def set_paper(
    house: House, by: Actor, round_id: str, number: int, paper: bool, key: str | None = None
) -> Answer:
    """`PUT /rounds/ID/seats/N/paper {paper}`: the seat votes on paper, or on its tablet again; as long as
    it has not cast."""

    async def work(unit: Unit) -> Answer:
        round_ = await open_panel_round(unit, round_id)
        seat = next((one for one in await unit.people.seats() if one.number == number), None)
        if seat is None:
            raise Refusal("not_found")
        if rules.entitled_seat(round_, seat.id).own and round_.sealed and paper:
            raise Refusal("paper_own_unit")
        cast, _ = await unit.rounds.progress(round_id)
        if seat.id in cast:
            raise Refusal("already_cast")
        before = await unit.paper.seats(round_id)
        if (seat.id in before) != paper:
            if round_.sealed:
                await _check_forms_without_seats(unit, round_, {*before, seat.id}, paper)
            await unit.paper.set_seat(round_id, seat.id, paper, house.now())
            unit.record("paper_set", ids={"round": round_id}, seat=number, paper=paper)
        return Answer({"round": round_id, "number": number, "paper": paper})

    asked = Asked(by, "rounds", key, {"number": number, "paper": paper}, None, "set_paper")
    return await perform(house, asked, work, round=round_id)


async def _check_forms_without_seats(
    unit: Unit, round_: Round, seats: Collection[int], paper: bool
) -> None:
    """A secret round's forms bear no seat: which group a mark counts in is known only when all that vote
    on paper are of one, and a form that counts has taken the place of one of their seats."""
    if paper and parse_rules(dict(round_.rules or {})).groups:
        if len({one.group for one in round_.entitled if one.seat in seats}) > 1:
            raise Refusal("paper_one_group")
    elif not paper and any(one.counted for one in await unit.paper.entries(round_.id)):
        raise Refusal("paper_counts")


async def key_paper(
    house: House,
    by: Actor,
    round_id: str,
    form: int,
    marks: Mapping[str, Mapping[str, Any]],
    recused: Sequence[str],
    key: str | None = None,
) -> Answer:
    """`PUT /rounds/ID/paper/FORM {marks, recused?}`: what one person read on the form. The second person
    who reads the same makes it a ballot; otherwise both are told where they differ."""

    async def work(unit: Unit) -> Answer:
        round_ = await open_panel_round(unit, round_id)
        seats = await _seats_by_form(unit, round_)
        if form not in seats:
            raise Refusal("form_unknown")
        entries = await _entries(unit, round_id, form)
        if any(entry.counted for entry in entries):
            raise Refusal("form_counted")
        own = () if round_.sealed else rules.entitled_seat(round_, seats[form]).own
        rows, away = await checked_rows(unit, round_, marks, recused, own)
        cells = cells_of(rows, away)
        if round_.sealed:
            seal = seal_of(house, round_)
            cells = {at: seal.mac(f"paper {form} {at} {cell}") for at, cell in cells.items()}
        await unit.paper.put(round_id, Entry(form, by.id, by.name, house.now(), cells))
        now = form_of(form, await _entries(unit, round_id, form))
        if any(entry.cells == cells for entry in entries if entry.by != by.id):
            seat = await _seat_for(unit, round_, form, seats)
            sheet = Sheet(rows, away, f"paper-{form}-{house.code()}")
            told = await keep_ballot(house, unit, round_, seat, by.id, sheet)
            await unit.paper.count(round_id, form)
            unit.record("paper_counted", ids={"round": round_id}, form=form)
            counted = Form(form, "counted", now.names)
            return Answer({**form_state(counted), "receipt": told["receipt"]})
        return Answer(form_state(now))

    body = {"form": form, "marks": {s: dict(m) for s, m in marks.items()}, "recused": list(recused)}
    asked = Asked(by, "key_paper", key, body, None, "key_paper", kept_as=kept_as(house, round_id))
    answer = await perform(house, asked, work, round=round_id)
    await house.bell.stir(round_id)
    return answer


async def forms(unit: Unit, round_: Round) -> tuple[Form, ...]:
    """Every form of a round and where it stands."""
    entries = await unit.paper.entries(round_.id)
    return tuple(
        form_of(number, [entry for entry in entries if entry.form == number])
        for number in sorted(await _seats_by_form(unit, round_))
    )


def form_state(form: Form) -> dict[str, Any]:
    """A form as the API tells it."""
    return {
        "form": form.number,
        "status": form.status,
        "keyed_by": list(form.names),
        "differing": [{"subject": s, "dimension": d or "recused"} for s, d in form.differing],
    }


async def _entries(unit: Unit, round_id: str, form: int) -> list[Entry]:
    return [entry for entry in await unit.paper.entries(round_id) if entry.form == form]


async def _seats_by_form(unit: Unit, round_: Round) -> dict[int, int]:
    """Form → seat of a named round; of a secret one the numbers 1 to n, which belong to nobody."""
    paper = await unit.paper.seats(round_.id)
    if round_.sealed:
        return dict.fromkeys(range(1, len(paper) + 1), 0)
    return {seat.number: seat.id for seat in await unit.people.seats() if seat.id in paper}


async def _seat_for(unit: Unit, round_: Round, form: int, seats: Mapping[int, int]) -> int:
    """Whose turnout a form is. In a secret round any seat that votes on paper and has none yet, drawn by
    lot: which one says nothing, and is forgotten at the closing."""
    if not round_.sealed:
        return seats[form]
    cast, _ = await unit.rounds.progress(round_.id)
    free = [seat for seat in await unit.paper.seats(round_.id) if seat not in cast]
    return random.SystemRandom().choice(free)

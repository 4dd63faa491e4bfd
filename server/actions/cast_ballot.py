"""A panelist's sheet is taken: one ballot a seat, receipted after its commit.

In a secret round it goes into a box at once (docs/decisions/0015-sealed-rounds.md); what is kept of it
under its key is a MAC that only the round's seal can make.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.actions.open_boxes import closed_box, seal_of
from server.actions.perform import Answer, Asked, check_key, perform
from server.actions.ports import House, Unit
from server.domain import rounds as rules
from server.domain.ballots import BallotInvalid, BallotRow, rows_of
from server.domain.comments import checked_texts, takes_texts
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.rounds import Cast, CastBallot, Round
from server.domain.rule_file import parse_rules
from server.domain.sealed_sheets import pack


async def cast_ballot(
    house: House,
    by: Actor,
    round_id: str,
    marks: Mapping[str, Mapping[str, Any]],
    recused: Sequence[str],
    key: str | None,
    comments: Mapping[str, str] | None = None,
) -> Answer:
    """`PUT /rounds/ID/ballot {marks, recused?, comments?}` with a key → `{receipt, round, replaced, at}`.

    The round's row is locked as closing locks it, so each ballot is wholly before or wholly
    after the close. Subjects not named in a later ballot lose their earlier marks: a ballot is
    the whole of what the seat says in the round.
    """
    check_key(key, needed=True)
    if by.seat is None:
        raise Refusal("not_allowed")
    seat = by.seat

    async def work(unit: Unit) -> Answer:
        round_ = await open_panel_round(unit, round_id)
        own = rules.entitled_seat(round_, seat).own
        if seat in await unit.paper.seats(round_id):
            raise Refusal("votes_on_paper")
        rows, away = await checked_rows(unit, round_, marks, recused, own)
        texts = await _checked_texts(house, unit, round_, rows, comments or {}, own)
        sheet = Sheet(rows, away, key or "", texts)
        return Answer(await keep_ballot(house, unit, round_, seat, by.id, sheet))

    body: dict[str, Any] = {
        "marks": {s: dict(m) for s, m in marks.items()},
        "recused": list(recused),
    }
    if comments:
        body["comments"] = dict(comments)
    answer = await perform(
        house,
        Asked(
            by, "cast_ballot", key, body, None, "cast_ballot",
            beside=True, kept_as=kept_as(house, round_id),
        ),
        work,
        round=round_id,
    )  # fmt: skip
    await house.bell.stir(round_id)
    return answer


def kept_as(house: House, round_id: str) -> Callable[[Unit, str], Awaitable[str]]:
    """What is kept of marks under their key: of a secret round's no hash that anybody could try."""

    async def kept(unit: Unit, digest: str) -> str:
        round_ = await unit.rounds.get(round_id)
        if round_ is None or not round_.sealed:
            return digest
        if round_.status not in rules.TAKES_BALLOTS:
            return rules.same_ballot(round_)
        return rules.same_ballot(round_, seal_of(house, round_).mac(f"key {digest}"))

    return kept


@dataclass(frozen=True)
class Sheet:
    """A checked ballot, the key that it was sent under, and what was written of each subject."""

    rows: Sequence[BallotRow]
    recused: tuple[str, ...]
    key: str
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def marks(self) -> dict[str, dict[str, str]]:
        """subject → dimension → value."""
        marks: dict[str, dict[str, str]] = {}
        for row in self.rows:
            marks.setdefault(row.subject, {})[row.dimension] = row.value
        return marks


async def checked_rows(
    unit: Unit,
    round_: Round,
    marks: Mapping[str, Mapping[str, Any]],
    recused: Sequence[str],
    own: Sequence[str] = (),
) -> tuple[tuple[BallotRow, ...], tuple[str, ...]]:
    """(the rows of a ballot that the round's rules take, whom it does not rate), or `ballot_invalid`
    with the place in words. Nobody rates the subjects of his own unit, whether or not he recuses
    himself from them."""
    for subject in own:
        if any(value not in (None, "") for value in marks.get(subject, {}).values()):
            names = {s.key: s.name for s in await unit.people.subjects()}
            raise Refusal("own_unit", name=names.get(subject, subject), subject=subject)
    try:
        parsed = parse_rules(dict(round_.rules or {}))
        rows = rows_of(parsed, round_.subjects, marks, [*recused, *own])
        return rows, tuple(s for s in round_.subjects if s in recused or s in own)
    except BallotInvalid as error:
        names = {s.key: s.name for s in await unit.people.subjects()}
        raise Refusal(
            "ballot_invalid",
            problem=error.code,
            subject=error.subject,
            dimension=error.dimension,
            place=error.told(names, round_.labels),
        ) from error


async def _checked_texts(
    house: House,
    unit: Unit,
    round_: Round,
    rows: Sequence[BallotRow],
    given: Mapping[str, str],
    own: Sequence[str],
) -> dict[str, str]:
    if not given and not takes_texts(round_):
        return {}
    rated = [key for key in round_.subjects if key not in own]
    names = {s.key: s.name for s in await unit.people.subjects() if s.key in rated}
    clean = {subject: house.clean(text) for subject, text in given.items()}
    return checked_texts(round_, parse_rules(dict(round_.rules or {})), rows, clean, names)


async def open_panel_round(unit: Unit, round_id: str) -> Round:
    """A panel round that takes ballots, locked as its closing locks it; else the refusal."""
    round_ = await unit.rounds.get(round_id, lock=True)
    if round_ is None or round_.audience != "panel":
        raise Refusal("not_found")
    refusal = rules.refusal_of(round_)
    if refusal is not None:
        raise refusal
    return round_


async def keep_ballot(
    house: House, unit: Unit, round_: Round, seat: int, owner: str, sheet: Sheet
) -> dict[str, Any]:
    """The seat's ballot, named or in its box, with the round's row locked by the caller."""
    before: Cast | CastBallot | None = (
        await unit.sealed.cast(round_.id, seat)
        if round_.sealed
        else await unit.rounds.ballot(round_.id, seat)
    )
    if before is not None and round_.replacing == "first":
        raise Refusal("already_cast")
    now, receipt = house.now(), house.receipt()
    replacements = before.replacements + 1 if before else 0
    if round_.sealed:
        parsed = parse_rules(dict(round_.rules or {}))
        texts = sheet.texts if takes_texts(round_) else None
        packed = pack(parsed, round_.subjects, sheet.marks, sheet.recused, texts)
        box = closed_box(house, round_, seat, receipt, packed)
        await unit.sealed.put(round_.id, seat, owner, box, Cast(receipt, now, replacements))
    else:
        number = next(s.number for s in await unit.people.seats() if s.id == seat)
        named = CastBallot(
            number,
            sheet.marks,
            sheet.recused,
            sheet.key,
            receipt,
            now,
            replacements,
            sheet.texts,
        )
        await unit.rounds.put_ballot(round_.id, seat, named)
    return {"receipt": receipt, "round": round_.id, "replaced": before is not None, "at": now}


async def begin_draft(house: House, by: Actor, round_id: str) -> Answer:
    """`PUT /rounds/ID/draft`: the tablet says that its sheet is begun, never what stands on it."""
    seat = by.seat
    if seat is None:
        raise Refusal("not_allowed")

    async def work(unit: Unit) -> Answer:
        round_ = await unit.rounds.get(round_id)
        if round_ is None or round_.audience != "panel":
            raise Refusal("not_found")
        refusal = rules.refusal_of(round_)
        if refusal is not None:
            raise refusal
        rules.entitled_seat(round_, seat)
        await unit.rounds.begin_draft(round_id, seat, house.now())
        return Answer({"round": round_id})

    answer = await perform(
        house, Asked(by, "cast_ballot", verb="begin_draft", beside=True), work, round=round_id
    )
    await house.bell.stir(round_id)
    return answer

"""A secret round's boxes are opened at its closing, and what was in them loses its seats.

Under the lock of the round and in the transaction that closes it: opened, checked, cut apart as far as
the rules allow, shuffled, written under random ids; then the boxes go. So there is no moment at which the
database holds both a value and who gave it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from server.actions.ports import House, Seal, Unit
from server.domain import rounds as rules
from server.domain.ballots import BallotInvalid, BallotRow, rows_of
from server.domain.comments import Comment
from server.domain.cutting import cut_apart
from server.domain.refusals import Refusal
from server.domain.rounds import Round, SealBroken
from server.domain.rule_file import parse_rules
from server.domain.sealed_sheets import texts_of, unpack

_chance = secrets.SystemRandom()


def seal_of(house: House, round_: Round) -> Seal:
    """The seal of an open secret round; `seal_missing` in a process that has it not."""
    seal = house.seals.find(round_.seal) if round_.seal else None
    if seal is None:
        raise Refusal("seal_missing")
    return seal


MAC = 64
"""Bytes of the mark inside a box that only its round's seal can make."""


def closed_box(house: House, round_: Round, seat: int, receipt: str, sheet: bytes) -> bytes:
    """The sheet in its box. Anybody who reads the database could close a box; so there is a mark in it
    that says for which seat and under which receipt this server closed it."""
    mark = _mark(seal_of(house, round_), seat, receipt, sheet)
    return house.seals.box(round_.seal or "", sheet + mark)


def _mark(seal: Seal, seat: int, receipt: str, sheet: bytes) -> bytes:
    return seal.mac(f"box {seat} {receipt} {sheet.decode()}").encode()


def _opened(seal: Seal, seat: int, receipt: str, box: bytes) -> bytes:
    content = seal.open(box)
    sheet, mark = content[:-MAC], content[-MAC:]
    if mark != _mark(seal, seat, receipt, sheet):
        raise SealBroken
    return sheet


async def open_boxes(house: House, unit: Unit, round_: Round) -> None:
    """The ballots of a secret round that is being closed. Raises `seal_missing`, and `seal_differs` when
    a box is not the one that this server closed for its seat, or is missing: then nothing is closed."""
    seal = seal_of(house, round_)
    parsed = parse_rules(dict(round_.rules or {}))
    groups = {one.seat: one.group for one in round_.entitled if one.present}
    boxes = await unit.sealed.boxes(round_.id)
    ballots: list[tuple[BallotRow, ...]] = []
    texts: list[tuple[str, str]] = []
    try:
        for seat, (box, receipt) in boxes.items():
            content = _opened(seal, seat, receipt, box)
            marks, recused = unpack(content)
            texts.extend(texts_of(content).items())
            group = groups[seat]
            ballots.append(rows_of(parsed, round_.subjects, marks, recused, group=group))
    except (SealBroken, BallotInvalid, ValueError, KeyError):
        raise Refusal("seal_differs") from None
    if len(boxes) != round_.cast:
        raise Refusal("seal_differs")
    rows = cut_apart(ballots, parsed.needs_together, _Names("r-").new)
    _chance.shuffle(rows)
    names = _Names("")
    await unit.sealed.put_marks(round_.id, sorted((names.new(), row) for row in rows))
    await keep_texts(unit, round_, [(subject, text, None) for subject, text in texts])
    await drop_boxes(unit, round_)


async def keep_texts(
    unit: Unit, round_: Round, texts: Sequence[tuple[str, str, int | None]]
) -> None:
    """(subject, text, seat) of a round that is being closed, to be reviewed. Each lies under a random
    name of its own: what one panelist wrote of two subjects is not kept together."""
    names = _Names("")
    found = [Comment(names.new(), *one, status="waiting") for one in texts]
    await unit.comments.put(round_.id, sorted(found, key=lambda one: one.id))


async def drop_boxes(unit: Unit, round_: Round) -> None:
    """Nothing is left of who said what, on a tablet or on paper; turnout and first answers stay."""
    await unit.paper.drop(round_.id)
    await unit.sealed.drop(round_.id, rules.same_ballot(round_))


class _Names:
    """Random names, none of them twice."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._given: set[str] = set()

    def new(self) -> str:
        """One more."""
        name = f"{self._prefix}{secrets.token_hex(8)}"
        if name in self._given:
            return self.new()
        self._given.add(name)
        return name

"""A closed round is tallied by the machine, by two paths that share nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from server.actions.perform import Answer, Asked, allowed, locked_round, perform
from server.actions.ports import House, Unit
from server.domain import rounds as rules
from server.domain.ballot_file import ballot_lines, write_ballots
from server.domain.ballots import BallotRow, rows_of
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.rounds import CastBallot, Round
from server.domain.rule_file import parse_rules
from server.domain.second_path import difference
from server.domain.tally import TallyRefused, tally
from server.domain.view import round_state

LINES_AT_ONCE = 1_000
"""So many lines of a file are written before others go on: some ten milliseconds."""


async def tally_round(house: House, by: Actor, round_id: str) -> Answer:
    """`closed → tallied`. A round that somebody tallied meanwhile is left as it is; one whose rules
    refuse the tally stays `closed`, with the reason, until it is voided."""
    asked = Asked(by, "rounds", verb="tally")
    counted = await _votes_counted(house, asked, round_id)

    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        if round_.status != "closed":
            return Answer(round_state(round_))
        try:
            result = counted or await result_of(unit, round_)
        except TallyRefused as refused:
            await _keep_reason(unit, round_, refused)
            return Answer(round_state(round_))
        tallied = replace(rules.step(round_, "tally"), result=result)
        await unit.rounds.save(tallied)
        unit.record(
            "round_tallied",
            ids={"round": round_.id},
            ballots_hash=tallied.result["ballots_hash"] if tallied.result else None,
        )
        return Answer(round_state(tallied))

    return await perform(house, asked, work, round=round_id)


async def _votes_counted(house: House, asked: Asked, round_id: str) -> dict[str, Any] | None:
    """A public round's result, worked out before the act begins: no other act waits for a million
    votes. They cannot change once the round is closed."""
    async with house.store.look(round=round_id) as unit:
        allowed(unit.place, asked.by, asked.right)
        round_ = await unit.rounds.get(round_id)
        if round_ is None or round_.status != "closed" or round_.audience != "public":
            return None
        return await result_of(unit, round_)


async def _keep_reason(unit: Unit, round_: Round, refused: TallyRefused) -> None:
    """Why there is no tally, with the names that people know instead of the keys."""
    named = {s.key: s.name for s in await unit.people.subjects()}
    named |= {key: name for key, name, _ in await unit.people.groups()}
    detail = {k: named.get(v, v) if isinstance(v, str) else v for k, v in refused.detail.items()}
    said = TallyRefused(refused.code, **detail)
    reason = {"code": said.code, "zh": said.message("zh"), "en": said.message("en")}
    if round_.tally_refused == reason:
        return  # The timekeeper and who closed it both tried.
    await unit.rounds.save(replace(round_, tally_refused=reason))
    unit.record("tally_refused", ids={"round": round_.id}, code=said.code)


async def result_of(unit: Unit, round_: Round) -> dict[str, Any]:
    """The result worked out from the stored ballots alone."""
    if round_.audience == "public":
        return public_result(
            round_, await ballots_csv(unit, round_), *await unit.votes.recount(round_.id)
        )
    rows = await rows_counted(unit, round_)
    text = write_ballots(rows)
    return dict(tally(parse_rules(dict(round_.rules or {})), rows, text.encode()))


async def ballots_csv(unit: Unit, round_: Round) -> str:
    """The round's ballots as BALLOTS.csv: what anybody recomputes the result from."""
    if round_.audience == "public":
        return await _votes_csv(unit, round_)
    return write_ballots(await rows_counted(unit, round_))


async def _votes_csv(unit: Unit, round_: Round) -> str:
    """A public round's file. It may have a million rows: the process's other work goes on between them."""
    subject = round_.subjects[0] if len(round_.subjects) == 1 else "hearing"
    votes = await unit.votes.counted(round_.id)
    lines = ballot_lines(
        BallotRow(subject, pseudonym(round_.id, viewer), "", "choice", choice)
        for viewer, choice in votes
    )
    parts: list[str] = []
    while part := "".join(islice(lines, LINES_AT_ONCE)):
        parts.append(part)
        await asyncio.sleep(0)
    return "".join(parts)


async def rows_counted(unit: Unit, round_: Round) -> list[BallotRow]:
    """What a panel round's tally reads: of a secret round the marks without a name, as they are kept."""
    if round_.sealed:
        return _by_subject(round_, await unit.sealed.marks(round_.id))
    ballots = await unit.rounds.ballots(round_.id)
    return panel_rows(round_, ballots, await _seat_groups(unit, round_))


def pseudonym(round_id: str, viewer: str) -> str:
    """A viewer in an exported file: the same within a round, not linkable between rounds."""
    return hashlib.sha256(f"{round_id}:{viewer}".encode()).hexdigest()[:20]


def panel_rows(
    round_: Round, ballots: tuple[CastBallot, ...], groups: Mapping[int, str]
) -> list[BallotRow]:
    """Rows in the office's order of subjects, then by the raters' names but for the seat: in the order
    of the seats, or of the receipts, a row's number would name its rater to whoever has a trace."""
    parsed = parse_rules(dict(round_.rules or {}))
    rows: list[BallotRow] = []
    for ballot in sorted(ballots, key=lambda one: _mark_of(round_, one)):
        rows.extend(
            rows_of(
                parsed,
                round_.subjects,
                ballot.marks,
                ballot.recused,
                rater=f"seat-{ballot.seat:03d}-{_mark_of(round_, ballot)}",
                group=groups.get(ballot.seat, ""),
            )
        )
    return _by_subject(round_, rows)


def _mark_of(round_: Round, ballot: CastBallot) -> str:
    """What makes a named rater's name impossible to guess: the hash of all rows is known to everybody,
    and so are the rows without the names."""
    return hashlib.sha256(f"{round_.id}:{ballot.key}".encode()).hexdigest()[:20]


def _by_subject(round_: Round, rows: Iterable[BallotRow]) -> list[BallotRow]:
    order = {subject: i for i, subject in enumerate(round_.subjects)}
    return sorted(rows, key=lambda row: order[row.subject])


async def _seat_groups(unit: Unit, round_: Round) -> dict[int, str]:
    """Seat number → group as frozen at opening."""
    frozen = {one.seat: one.group for one in round_.entitled}
    return {s.number: frozen[s.id] for s in await unit.people.seats() if s.id in frozen}


def public_result(
    round_: Round, csv: str, counts: Mapping[str, int], voters: int
) -> dict[str, Any]:
    """A public round's result: counts by choice in the round's order. It weighs nothing."""
    return {
        "choices": [
            {"key": key, "label": label, "count": counts.get(key, 0)}
            for key, label in round_.choices
        ],
        "cast": voters,
        "valid": True,
        "ballots_hash": hashlib.sha256(csv.encode()).hexdigest(),
        "rules_hash": None,
    }


async def check_paths(unit: Unit, round_: Round) -> None:
    """Two paths to the result must agree before it is published (`paths_differ`)."""
    result = round_.result or {}
    if round_.audience == "public":
        counts, voters = await unit.votes.recount(round_.id)
        running = {key: round_.counts.get(key, 0) for key, _ in round_.choices}
        stored = {key: counts.get(key, 0) for key, _ in round_.choices}
        told = {one["key"]: one["count"] for one in result.get("choices", ())}
        if not running == stored == told or voters != round_.cast:
            raise Refusal("paths_differ", place=f"{running} / {stored} / {round_.cast}")
        return
    kept = unit.sealed if round_.sealed else unit.rounds
    stored_ballots = len(await kept.receipts(round_.id))
    if stored_ballots != round_.cast:
        raise Refusal("paths_differ", place=f"{round_.cast} / {stored_ballots}")
    if round_.sealed:
        await _check_histogram(unit, round_)
    if await result_of(unit, round_) != result:
        raise Refusal("paths_differ", place="result")


async def _check_histogram(unit: Unit, round_: Round) -> None:
    """The marks worked out from what SQL counts, by code that shares nothing with the tally."""
    rows = [
        (row.subject, row.dimension, row.group, row.value)
        for row in await rows_counted(unit, round_)
    ]
    histogram = await unit.sealed.histogram(round_.id)
    sheets = await unit.sealed.sheets(round_.id)
    found = difference(round_.rules or {}, histogram, sheets, rows, round_.result or {})
    if found is not None:
        raise Refusal("paths_differ", place=found)

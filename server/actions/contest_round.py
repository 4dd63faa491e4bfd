"""复核: a published result is contested, with grounds and files, and upheld or corrected."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from server.actions.perform import Answer, Asked, locked_round, perform
from server.actions.ports import House, Unit
from server.actions.tally_round import check_paths
from server.domain import contests as rules
from server.domain.contests import Contest
from server.domain.marks_shown import reading
from server.domain.refusals import Refusal
from server.domain.roles import RIGHTS, Actor
from server.domain.rounds import Round, may_see_result, void
from server.domain.view import round_state

REJECTED = frozenset({"closed", "tallied", "certified"})
"""States of a repeat whose result is voided when the contested one is upheld."""


async def contest_round(
    house: House, by: Actor, round_id: str, grounds: str, key: str | None = None
) -> Answer:
    """`POST /rounds/ID/contest {grounds}` → 201 with the contest. Whoever contests must be allowed to
    see the result."""
    cleaned = house.clean(grounds)
    if len(cleaned) < rules.LEAST_GROUNDS:
        raise Refusal("text_too_short", least=rules.LEAST_GROUNDS)
    if len(cleaned) > rules.LONGEST_GROUNDS:
        raise Refusal("text_too_long", most=rules.LONGEST_GROUNDS)

    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        roles = unit.place.roles(by)
        if round_.result is None or not may_see_result(round_, roles):
            raise Refusal("not_published")
        if round_.status == "contested":
            raise Refusal("contest_open")
        contested = rules.contest(round_, house.now())
        role = next(role for role in roles if role in RIGHTS["contest"])
        await unit.rounds.save(contested)
        id_ = await unit.contests.add(round_id, house.now(), by.id, by.name, role, cleaned)
        unit.record(_event(contested, "result_contested"), ids={"round": round_id}, contest=id_)
        found = next(one for one in await unit.contests.of(round_id) if one.id == id_)
        return Answer(contest_state(found), 201)

    asked = Asked(by, "contest", key, {"grounds": cleaned}, None, "contest")
    return await perform(house, asked, work, round=round_id)


async def add_contest_file(
    house: House, by: Actor, round_id: str, name: str, content: bytes, key: str | None = None
) -> Answer:
    """`POST /rounds/ID/contest/files?name=` with the bytes: one more file of the open contest, by whom
    it was handed in."""
    given = PurePath(PurePath(house.clean(name)).name)
    plain = given.stem[: 120 - len(given.suffix)] + given.suffix
    if PurePath(plain).suffix.lower() not in rules.FILE_KINDS:
        raise Refusal("file_kind")
    if len(content) > rules.LARGEST_FILE:
        raise Refusal("file_large")

    async def work(unit: Unit) -> Answer:
        one = await _open_contest(unit, round_id)
        if one.by != by.id:
            raise Refusal("not_allowed")
        if len(one.files) >= rules.MOST_FILES:
            raise Refusal("files_many")
        number = len(one.files) + 1
        await unit.contests.add_file(one.id, number, plain, content)
        unit.record("contest_noted", ids={"round": round_id}, contest=one.id, file=number)
        found = next(o for o in await unit.contests.of(round_id) if o.id == one.id)
        return Answer(contest_state(found), 201)

    said = {"name": plain, "sha256": hashlib.sha256(content).hexdigest()}
    asked = Asked(by, "contest", key, said, None, "add_contest_file")
    return await perform(house, asked, work, round=round_id)


async def decide_contest(
    house: House,
    by: Actor,
    round_id: str,
    outcome: str,
    reason: str,
    correction: str | None = None,
    key: str | None = None,
) -> Answer:
    """`POST /rounds/ID/contest/decision {outcome, reason, round?}`: `upheld`, or `corrected` by the
    certified round that was held to replace this one."""
    cleaned = house.clean(reason)
    if not cleaned:
        raise Refusal("malformed", place="reason")
    if len(cleaned) > rules.LONGEST_REASON:
        raise Refusal("text_too_long", most=rules.LONGEST_REASON)
    if outcome not in rules.OUTCOMES:
        raise Refusal("malformed", place="outcome")
    if (outcome == "corrected") != (correction is not None):
        raise Refusal("correction_unnamed" if correction is None else "correction_not_upheld")

    async def work(unit: Unit) -> Answer:
        round_ = await locked_round(unit, round_id)
        role = next((role for role in unit.place.roles(by) if role in round_.publishers), None)
        if role is None:
            raise Refusal("not_a_publisher")
        one = await _open_contest(unit, round_id)
        rules.check_decider(one, by.id)
        now = house.now()
        held = rules.waiting(round_, await unit.rounds.all())
        if correction is None:
            done = rules.uphold(round_)
            event = "result_upheld"
            for other in held:
                await _reject(unit, other.id)
        else:
            new = await locked_round(unit, correction)
            if all(one.id != new.id for one in held):
                raise Refusal("correction_unfit")
            named = {s.key: s.name for s in await unit.people.subjects()}
            was, becomes = figures(round_, named), figures(new, named)
            done, published = rules.correct(round_, new, cleaned, role, now, was, becomes)
            await check_paths(unit, new)
            published = replace(published, contest_until=round_.contest_until)
            await unit.rounds.save(published)
            event = "result_corrected"
        await unit.rounds.save(done)
        await unit.contests.decide(one.id, outcome, now, by.id, role, cleaned, correction)
        ids = {"round": round_id}
        unit.record(_event(done, event), ids=ids, contest=one.id, outcome=outcome, by=correction)
        return Answer(round_state(done))

    body = {"outcome": outcome, "reason": cleaned, "round": correction}
    return await perform(
        house, Asked(by, "publish", key, body, None, "decide"), work, round=round_id
    )


async def _reject(unit: Unit, id_: str) -> None:
    """The result of a repeat is not to stand beside the one that was upheld. Its page says no more than
    that: not everybody who sees it may know of the contest."""
    repeat = await locked_round(unit, id_)
    if repeat.status in REJECTED:
        language = (await unit.hearings.settings())["show"].get("language", "zh")
        reason = "Its result is not used" if language == "en" else "结果不采用"
        await unit.rounds.save(void(repeat, reason))
        unit.record("round_voided", ids={"round": id_}, reason=reason)


def _event(round_: Round, event: str) -> str:
    """Nobody is told of what was not published for them."""
    return event if round_.published_for("public") else "contest_noted"


async def _open_contest(unit: Unit, round_id: str) -> Contest:
    one = next((one for one in await unit.contests.of(round_id) if one.status == "open"), None)
    if one is None:
        raise Refusal("not_found")
    return one


def figures(round_: Round, named: dict[str, str]) -> list[dict[str, str]]:
    """A result in brief, with the names that people know: what both results of a correction show."""
    result = round_.result or {}
    told = [
        {"name": one["label"], "figure": str(one["count"])} for one in result.get("choices", ())
    ]
    read = reading(round_.rules)
    for one in result.get("subjects", ()):
        grade = one.get("grade")
        parts = [
            read.total(one.get("total") or "—"),
            *([round_.labels.get(grade, grade)] if grade else []),
        ]
        told.append(
            {"name": named.get(one["subject"], one["subject"]), "figure": " · ".join(parts)}
        )
    return told


def contest_state(one: Contest) -> dict[str, Any]:
    """A contest as the API tells it."""
    return {
        "id": one.id,
        "round": one.round,
        "status": one.status,
        "at": one.at,
        "role": one.role,
        "name": one.name,
        "grounds": one.grounds,
        "files": [{"number": f.number, "name": f.name, "size": f.size} for f in one.files],
        "decided_at": one.decided_at,
        "decided_as": one.decided_as or None,
        "reason": one.reason or None,
        "correction": one.correction,
    }

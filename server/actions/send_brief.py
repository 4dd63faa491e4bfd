"""What an official's office reads before the questions are asked: previewed, sent, taken back; and what it
proposes to reply to what will not be asked on air. All of it is done in the real line, also while a rehearsal
is shown: an office reads in earnest, and what it wrote stays when the rehearsal ends."""

from __future__ import annotations

from typing import Any

from server.actions.moderate_question import check_subject
from server.actions.perform import Answer, Asked, allowed, perform
from server.actions.ports import House, Unit
from server.domain.brief import WORDS_LONGEST, Brief, Sent, line_state
from server.domain.questions import NEXT
from server.domain.refusals import Refusal
from server.domain.roles import Actor, has_right

SWITCH = "shortlist_in_advance"


async def in_advance(unit: Unit) -> bool:
    """Whether this hearing lets offices read the shortlist in advance."""
    return bool((await unit.hearings.settings())["show"].get(SWITCH, False))


async def switch_brief(
    house: House, by: Actor, slug: str, on: bool, key: str | None = None
) -> Answer:
    """`PUT /hearings/SLUG/brief {in_advance}`. Off: nobody reads what was sent, until it is on again."""

    async def work(unit: Unit) -> Answer:
        await unit.runs.hold_line()
        show = (await unit.hearings.settings())["show"]
        if bool(show.get(SWITCH, False)) != on:
            await unit.hearings.set_show(**{SWITCH: on})
            unit.record("brief_switched", on=on)
        return Answer({"in_advance": on})

    asked = Asked(by, "brief", key, {"in_advance": on}, None, "switch_brief")
    return await perform(house, asked, work, slug=slug, line=True)


async def preview(unit: Unit, subject: str) -> dict[str, Any]:
    """What would be sent, what keeps it back, and what was sent."""
    await check_subject(unit, subject)
    return preview_state(
        await in_advance(unit), await unit.briefs.now(subject), await unit.briefs.sent(subject)
    )


def preview_state(on: bool, now: Brief, sent: Sent | None) -> dict[str, Any]:
    """The same, as the API tells it."""
    return {
        "in_advance": on,
        "hash": now.hash,
        "lines": [line_state(one) for one in now.lines],
        "kept_back": [{"id": one.id, "code": one.code, "why": one.why} for one in now.held],
        "sent": None if sent is None else {"hash": sent.hash, **sent_state(sent)},
    }


def sent_state(sent: Sent) -> dict[str, Any]:
    """What an office reads."""
    return {
        "at": sent.at,
        "lines": [{**line_state(one), "reply": sent.replies.get(one.number)} for one in sent.lines],
    }


async def send_brief(
    house: House, by: Actor, slug: str, subject: str, hash_: str, key: str | None = None
) -> Answer:
    """`POST …/brief/SUBJECT {hash}`: exactly what was previewed, or 409 with what it is now."""

    async def work(unit: Unit) -> Answer:
        await unit.runs.hold_line()
        await check_subject(unit, subject)
        if not await in_advance(unit):
            raise Refusal("brief_off")
        now = await unit.briefs.now(subject)
        if now.hash != hash_:
            raise Refusal("version_stale", current=await preview(unit, subject))
        for why in ("not_neutral", "tells_source"):
            codes = [one.code for one in now.held if one.why == why]
            if codes:
                raise Refusal(why, codes="、".join(codes))
        if not now.lines:
            raise Refusal("brief_empty")
        await unit.briefs.send(subject, now, house.now())
        unit.record("brief_sent", subject=subject, hash=now.hash, questions=list(now.ids))
        return Answer(await preview(unit, subject), 201)

    asked = Asked(by, "brief", key, {"subject": subject, "hash": hash_}, None, "send_brief")
    return await perform(house, asked, work, slug=slug, line=True)


async def take_brief_back(
    house: House, by: Actor, slug: str, subject: str, key: str | None = None
) -> Answer:
    """`DELETE …/brief/SUBJECT`: nothing is read there any more; again changes nothing."""

    async def work(unit: Unit) -> Answer:
        await unit.runs.hold_line()
        await check_subject(unit, subject)
        if await unit.briefs.take_back(subject, house.now()):
            unit.record("brief_taken_back", subject=subject)
        return Answer(await preview(unit, subject))

    asked = Asked(by, "brief", key, {"subject": subject}, None, "take_brief_back")
    return await perform(house, asked, work, slug=slug, line=True)


async def read_brief(unit: Unit, by: Actor) -> tuple[str, Sent | None]:
    """(the subject whose office asks, what it may read). `not_found` for one that came by no official's
    card."""
    allowed(unit.place, by, "read_brief")
    subject = None if by.subject is None else await unit.people.subject_key(by.subject)
    if subject is None:
        raise Refusal("not_found")
    return subject, await unit.briefs.sent(subject) if await in_advance(unit) else None


async def drafts(unit: Unit, by: Actor) -> dict[int, str]:
    """Question → the reply that its office proposes, of those that wait for a moderator. None during a
    rehearsal: what is shown then are copies, and offices write to the real questions."""
    if unit.place.kind == "rehearsal" or not has_right(unit.place.roles(by), "brief"):
        return {}
    proposed = await unit.briefs.proposed()
    there = await unit.questions.by_ids(tuple(proposed))
    return {id_: proposed[id_] for id_, one in there.items() if one.status in NEXT["reply"]}


async def propose_reply(
    house: House, by: Actor, slug: str, number: int, text: str, key: str | None = None
) -> Answer:
    """`PUT …/brief/replies/NUMBER {text}`: it goes to nobody but the moderators, who reply in writing with it
    or with other words. The last words hold."""
    cleaned = house.mask(house.clean(text)).text

    async def work(unit: Unit) -> Answer:
        await unit.runs.hold_line()
        if len(cleaned) < 2:
            raise Refusal("text_too_short", least=2)
        if len(cleaned) > WORDS_LONGEST:
            raise Refusal("text_too_long", most=WORDS_LONGEST)
        subject, sent = await read_brief(unit, by)
        question = sent and sent.question(number)
        if sent is None or question is None:
            raise Refusal("not_found")
        if sent.replies.get(number) != cleaned:
            await unit.briefs.propose(sent.id, number, cleaned, house.now())
            unit.record("reply_proposed", subject=subject, question=question)
        return Answer({"number": number, "reply": cleaned})

    asked = Asked(by, "read_brief", key, {"number": number, "text": text}, None, "propose_reply")
    return await perform(house, asked, work, slug=slug, line=True)

"""A hearing is made from a show: its people, agenda, rounds and seed questions, in one commit."""

from __future__ import annotations

from typing import Any

from server.actions.create_round import NewRound, checked_round
from server.actions.perform import Answer
from server.actions.ports import House, Unit
from server.domain import orders
from server.domain.hearing import Item, Step
from server.domain.refusals import Refusal
from server.domain.roles import Actor, has_right, roles_at
from server.domain.show import BEIJING, REVIEWS, Show, ShowQuestion
from server.domain.view import SubjectView


async def create_hearing(
    house: House, by: Actor, office: int, path: str, show: Show, *, slug: str | None = None
) -> Answer:
    """`POST /offices/ID/hearings`: a hearing in `draft` → 201 `{slug, title, status}`.

    Raises `slug_taken`, `rules_invalid`; nothing is kept when it raises.
    """
    roles = roles_at(by, office, path)
    if not roles:
        raise Refusal("not_found")
    if not has_right(roles, "manage_hearings"):
        raise Refusal("not_allowed")
    now = house.now()
    async with house.store.new_hearing(
        office_id=office,
        slug=slug or show.slug,
        title=show.title,
        note=show.note or "",
        stream_url=show.stream_url,
        signers=list(show.signers),
        publishers=list(show.publishers),
        publication=show.publication,
        show={
            "language": show.language,
            "rehearsal_allowed": show.rehearsal_allowed,
            "contest_days": show.contest_days,
            "reviews": {one: one in show.reviews for one in REVIEWS},
            "shortlist_in_advance": show.shortlist_in_advance,
        },
        epoch=house.code(),
        at=now,
    ) as unit:
        await _people(unit, show)
        await unit.hearings.add_items(
            [
                Item(
                    item.key,
                    item.title,
                    item.subject,
                    tuple(Step(s.key, s.seconds, s.script or "") for s in item.steps),
                )
                for item in show.items
            ]
        )
        await _rounds(house, unit, show)
        queued = [
            question
            for question in [await _question(house, unit, seed) for seed in show.questions]
            if question is not None
        ]
        await unit.floor.save_queue(1 if queued else 0, queued, {})
        unit.record("hearing_changed", status="draft", questions=len(show.questions), by_show=True)
        await unit.write_down(actor=by.id, role="office", at=now)
    return Answer({"slug": slug or show.slug, "title": show.title, "status": "draft"}, 201)


async def _people(unit: Unit, show: Show) -> None:
    for ordinal, subject in enumerate(show.subjects):
        await unit.people.add_subject(
            ordinal,
            SubjectView(subject.key, subject.name, subject.post, subject.unit, subject.aliases),
        )
    for ordinal, group in enumerate(show.groups):
        await unit.people.add_group(ordinal, group.key, group.name, group.weight)
    for seat in show.seats:
        await unit.people.add_seat(seat.number, seat.name, seat.group, seat.unit or "")


async def _rounds(house: House, unit: Unit, show: Show) -> None:
    for one in show.rounds:
        new = NewRound(
            title=one.title,
            audience=one.audience,
            secrecy=one.secrecy,
            replacing=one.replacing,
            subjects=one.subjects,
            rules=show.rules_of(one),
            choices=tuple((c.key, c.label) for c in one.choices),
            labels={label.key: label.label for label in one.labels},
            show_live=one.show_live,
            unsent=one.unsent,
            comments=one.comments,
            reason_below=one.reason_below,
            item=one.item,
        )
        made = await checked_round(unit, new, house.code(), show.signers, show.publishers)
        await unit.rounds.add(made)


async def _question(house: House, unit: Unit, seed: ShowQuestion) -> int | None:
    """Puts a seed question through masking; gives its id when it is queued."""
    person = (seed.requester_name or "", seed.requester_phone or "")
    masked = house.mask(house.clean(seed.text), *person)
    title = house.mask(house.clean(seed.title or ""), *person)
    fields: dict[str, Any] = {"district": seed.district} if seed.district else {}
    now = house.now()
    approved = seed.status in {"approved", "shortlisted", "queued"}
    question = await unit.questions.add(
        code=house.code(),
        status=seed.status,
        text=masked.text,
        title=title.text,
        source=seed.source,
        source_key=seed.source_key,
        external_id=seed.external_id,
        subject=seed.subject,
        likes=seed.likes,
        fields=fields,
        district=orders.district(fields),
        created_at=_moment(seed) or now,
        approved_at=now if approved else None,
    )
    sealed = dict(masked.sealed)
    if title.sealed:
        sealed["title"] = title.sealed["text"]
    for name in ("requester_name", "requester_phone"):
        value = getattr(seed, name)
        if value:
            sealed[name] = value
    if sealed:
        await unit.questions.seal(question.id, house.seal(sealed))
    return question.id if seed.status == "queued" else None


def _moment(seed: ShowQuestion) -> int | None:
    """When the question was asked."""
    if seed.asked_at is None:
        return None
    return int(seed.asked_at.replace(tzinfo=BEIJING).timestamp() * 1000)

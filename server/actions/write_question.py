"""A question is written anew out of orders that ask alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from server.actions.merge_questions import merge_into
from server.actions.moderate_question import check_subject, seen
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.questions import STAGE_LONGEST, Question
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.view import desk_question

MOST_ORDERS = 500
"""Orders that one question may be written from at once."""


async def write_question(
    house: House,
    by: Actor,
    slug: str,
    text: str,
    orders: Sequence[int],
    *,
    subject: str | None = None,
    typical: int | None = None,
    key: str | None = None,
) -> Answer:
    """`POST /hearings/SLUG/desk/questions {text, from, subject?, typical?}`: an approved question in the
    desk's own words. The orders are merged into it, so that it counts the people behind them, links to
    each, and every one can be taken out again; `typical` is the one to look at first."""

    async def work(unit: Unit) -> Answer:
        written = house.mask(house.clean(text))
        if len(written.text) < 2:
            raise Refusal("text_too_short", least=2)
        if len(written.text) > STAGE_LONGEST:
            raise Refusal("text_too_long_for_stage", most=STAGE_LONGEST)
        if not orders:
            raise Refusal("malformed", place="from")
        if subject:
            await check_subject(unit, subject)
        found = [await seen(unit, by, id_) for id_ in sorted(set(orders))]
        if typical is not None and typical not in orders:
            raise Refusal("malformed", place="typical")
        first = next((one for one in found if one.id == typical), found[-1])
        now = house.now()
        question = await unit.questions.add(
            code=house.code(),
            status="approved",
            text=written.text,
            source="desk",
            subject=subject or _most(found),
            district=_only(found),
            fields={"typical": first.code, "writer": by.id},
            askers=0,
            created_at=now,
            approved_at=now,
            approved_by=by.id,
        )
        if written.sealed:
            await unit.questions.seal(question.id, house.seal(written.sealed))
        for one in found:
            await merge_into(house, unit, by, one.id, question.id, alone=False)
        written_down = await unit.questions.get(question.id)
        assert written_down is not None
        unit.record(
            "question_approved",
            touched=[written_down],
            ids={"id": question.id, "code": question.code},
            act="write",
            orders=len(found),
        )
        return Answer(desk_question(written_down), 201)

    body = {"text": text, "from": list(orders), "subject": subject, "typical": typical}
    return await perform(house, Asked(by, "moderate", key, body, None, "write"), work, slug=slug)


def _most(found: Sequence[Question]) -> str | None:
    """Whose matter most of the orders are."""
    named = Counter(one.subject or one.proposed for one in found)
    return named.most_common(1)[0][0]


def _only(found: Sequence[Question]) -> str:
    """The district of all of them, or none."""
    districts = {one.district for one in found}
    return districts.pop() if len(districts) == 1 else ""

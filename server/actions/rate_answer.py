"""The author of a question says whether the answer settled it."""

from __future__ import annotations

import hmac

from server.actions.appeal_question import secret_hash
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.actions.way import way_of
from server.domain.reactions import RATINGS
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE

ANSWERED = frozenset({"answered", "replied_in_writing", "converted", "closed"})


async def rate_answer(house: House, code: str, secret: str, rating: str) -> Answer:
    """`PUT /questions/CODE/rating {secret, rating}`: `solved`, `partly` or `evaded`; the last one
    holds. A question that was merged is answered with the one that it is part of."""
    if rating not in RATINGS:
        raise Refusal("malformed", place="rating")

    async def work(unit: Unit) -> Answer:
        question = await unit.questions.by_code(code, lock=True)
        if question is None or unit.place.status == "draft":
            raise Refusal("not_found")
        kept = await unit.questions.secret_hash(question.id)
        if not hmac.compare_digest(secret_hash(secret), kept):
            raise Refusal("secret_wrong")
        if (await way_of(unit, question.id))[-1].status not in ANSWERED:
            raise Refusal("rating_early")
        if question.rating != rating:
            await unit.questions.set_rating(question.id, rating)
            unit.record("question_rated", ids={"id": question.id, "code": code}, rating=rating)
        return Answer({"code": code, "rating": rating})

    # The author is nobody the house knows: the secret is what lets him act.
    asked = Asked(MACHINE, "moderate", verb="rate", beside=True)
    return await perform(house, asked, work, code=code)

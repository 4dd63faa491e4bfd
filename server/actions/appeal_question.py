"""The author of a rejected question appeals once; a moderator decides anew."""

from __future__ import annotations

import hashlib
import hmac

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.refusals import Refusal
from server.domain.roles import MACHINE

LONGEST = 500


async def appeal_question(house: House, code: str, secret: str, text: str) -> Answer:
    """`POST /questions/CODE/appeal {secret, text}`. The question stays rejected until a moderator
    takes the rejection back or upholds it; the desk counts the appeal until then."""
    cleaned = house.mask(house.clean(text)).text
    if len(cleaned) < 2:
        raise Refusal("text_too_short", least=2)
    if len(cleaned) > LONGEST:
        raise Refusal("text_too_long", most=LONGEST)

    async def work(unit: Unit) -> Answer:
        question = await unit.questions.by_code(code, lock=True)
        if question is None or unit.place.status == "draft":
            raise Refusal("not_found")
        if not hmac.compare_digest(
            secret_hash(secret), await unit.questions.secret_hash(question.id)
        ):
            raise Refusal("secret_wrong")
        if question.status != "rejected":
            raise Refusal("appeal_illegal", now=question.status)
        if not await unit.questions.set_appeal(question.id, cleaned):
            raise Refusal("appeal_used")
        unit.record("question_moderated", ids={"id": question.id, "code": code}, act="appeal")
        return Answer({"code": code, "status": question.status, "appealed": True}, 201)

    # The author is nobody the house knows: the secret is what lets him act.
    return await perform(
        house, Asked(MACHINE, "moderate", verb="appeal", beside=True), work, code=code
    )


def secret_hash(secret: str) -> str:
    """What is stored of a question's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()

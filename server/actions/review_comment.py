"""A text that a panelist wrote is released or withheld, before anybody else reads it."""

from __future__ import annotations

from server.actions.perform import Answer, Asked, allowed, perform
from server.actions.ports import House, Unit
from server.domain.comments import OUTCOMES, Comment
from server.domain.refusals import Refusal
from server.domain.roles import Actor


async def review_comment(
    house: House, by: Actor, round_id: str, id_: str, outcome: str, key: str | None = None
) -> Answer:
    """`PUT /rounds/ID/comments/COMMENT {outcome: released or withheld}`; it may be changed later."""
    if outcome not in OUTCOMES:
        raise Refusal("malformed", place="outcome")

    async def work(unit: Unit) -> Answer:
        if not await unit.comments.decide(round_id, id_, outcome, by.id, house.now()):
            raise Refusal("not_found")
        unit.record("comment_reviewed", ids={"round": round_id}, comment=id_, outcome=outcome)
        return Answer({"id": id_, "status": outcome})

    body = {"comment": id_, "outcome": outcome}
    asked = Asked(by, "review_comments", key, body, None, "review_comment")
    return await perform(house, asked, work, round=round_id)


async def comments_to_review(unit: Unit, by: Actor, round_id: str) -> tuple[Comment, ...]:
    """Every text of a round that has closed, for who reviews them; `comments_sealed` before."""
    allowed(unit.place, by, "review_comments")
    round_ = await unit.rounds.get(round_id)
    if round_ is None or round_.audience != "panel":
        raise Refusal("not_found")
    if not round_.after_closing:
        raise Refusal("comments_sealed")
    return await unit.comments.all(round_id)

"""The public asks a question: from a page, a socket or a plain form, without signing in."""

from __future__ import annotations

from server.actions.perform import carried_out, check_key
from server.actions.ports import House
from server.domain.journal import canonical
from server.domain.public_acts import Ask
from server.domain.refusals import Refusal
from server.domain.work import owed

SHORTEST, LONGEST = 2, 500


def question_of(
    house: House,
    viewer: str,
    key: str | None,
    slug: str,
    text: str,
    subject: str | None,
    contact: str | None = None,
    epoch: str | None = None,
    work: str | None = None,
) -> Ask:
    """A question, cleaned, checked and masked, ready for the ballot box. The caller has checked the
    rate and knows the viewer. Without the work that it owes it goes there unmasked and without its text:
    only there it is known whether it is a repeat, which owes nothing."""
    check_key(key, needed=True)
    cleaned = house.clean(text)
    if len(cleaned) < SHORTEST:
        raise Refusal("text_too_short", least=SHORTEST)
    if len(cleaned) > LONGEST:
        raise Refusal("text_too_long", most=LONGEST)
    owes = owed(house.ask_work, viewer, key or "", work, house.now())
    masked = house.mask("" if owes else cleaned)
    sealed = dict(masked.sealed)
    if contact and not owes:
        sealed["contact"] = contact[:200]
    return Ask(
        viewer=viewer,
        key=key or "",
        slug=slug,
        text=masked.text,
        subject=subject or None,
        code=house.code(),
        secret=house.author_secret(viewer, f"{slug}:{key}"),
        digest=house.mark(canonical([text, subject, contact]).decode()),
        sealed=house.seal(sealed) if sealed else None,
        at=house.now(),
        epoch=epoch,
        owed=owes,
    )


ask_question = carried_out(question_of)

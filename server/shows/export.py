"""A hearing as a show file: what was prepared, to start another from. Masked texts only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from server.domain.desk import Filters
from server.domain.questions import Question
from server.domain.refusals import Refusal
from server.domain.show import (
    BEIJING,
    CONTEST_DAYS,
    REVIEWS,
    Show,
    ShowChoice,
    ShowGroup,
    ShowItem,
    ShowLabel,
    ShowQuestion,
    ShowRound,
    ShowSeat,
    ShowStep,
    ShowSubject,
)
from server.shows.problems import ShowFileError
from server.shows.read import QUESTIONS, TITLE
from server.shows.write import write_show
from server.store.unit import Unit

_SOURCE = {"panel": "live", "desk": "hotline"}
"""What a show file calls sources that it does not know."""
_STATUS = {
    "received": "received",
    "screened": "received",
    "approved": "approved",
    "shortlisted": "shortlisted",
    "queued": "queued",
    "on_stage": "queued",
}
"""A question's state → what it is when the show begins again; others are not exported."""


async def show_file_of(unit: Unit) -> str:
    """The YAML of the hearing in its present run; reading it gives a show that can be started.

    Refused with `show_unwritable` where a file cannot hold it: more questions than it may have, or
    a round made in the hearing whose keys the format does not know.
    """
    settings = await unit.hearings.settings()
    view = await unit.view(0)
    show = Show(
        title=view.hearing.title,
        slug=view.hearing.slug,
        office=view.office_name,
        language=settings["show"].get("language", "zh"),
        stream_url=view.stream_url,
        note=view.note or None,
        rehearsal_allowed=settings["show"].get("rehearsal_allowed", True),
        signers=tuple(settings["signers"]),
        publishers=tuple(settings["publishers"]),
        publication=settings["publication"],
        contest_days=settings["show"].get("contest_days", CONTEST_DAYS),
        reviews=tuple(one for one in REVIEWS if settings["show"].get("reviews", {}).get(one)),
        shortlist_in_advance=settings["show"].get("shortlist_in_advance", False),
        subjects=tuple(
            ShowSubject(s.key, s.name, s.post, s.unit, s.aliases) for s in view.subjects
        ),
        items=tuple(
            ShowItem(
                i.id,
                i.title,
                i.subject,
                tuple(ShowStep(s.key, s.seconds, s.script or None) for s in i.steps),  # type: ignore[arg-type]
            )
            for i in view.items
        ),
        groups=tuple(ShowGroup(k, n, w) for k, n, w in view.groups),
        seats=tuple(ShowSeat(s.number, s.name, s.group, s.unit or None) for s in view.seats),
        rounds=tuple(
            _round(n, r) for n, r in enumerate((r for r in view.rounds if r.replaces is None), 1)
        ),
        questions=await _questions(unit, view.queue.ids),
    )
    try:
        return write_show(show)
    except ShowFileError as error:
        where = f"{error.key}: " if error.key else ""
        raise Refusal("show_unwritable", place=(where + error.zh, where + error.en)) from error


async def _questions(unit: Unit, queue: Sequence[int]) -> tuple[ShowQuestion, ...]:
    """The oldest first, and what is queued at the end in its order: a show's questions queue in
    the order of the file. What was asked off the cuff and not typed yet has nothing to say."""
    place = {id_: n for n, id_ in enumerate(queue)}
    kept = await unit.desk.page(Filters(status=tuple(_STATUS), size=QUESTIONS + 1))

    def order(question: Question) -> tuple[bool, int]:
        if _STATUS[question.status] == "queued":
            return True, place.get(question.id, -1)
        return False, question.id

    return tuple(_question(one) for one in sorted(kept, key=order) if one.text)


def _round(number: int, round_: Any) -> ShowRound:
    return ShowRound(
        key=f"round-{number}",
        title=round_.title.strip(),
        audience=round_.audience,
        secrecy=round_.secrecy,
        replacing=round_.replacing,
        unsent=round_.unsent,
        comments=round_.comments,
        reason_below=round_.reason_below,
        subjects=round_.subjects,
        item=round_.item,
        choices=tuple(ShowChoice(k, v.strip()) for k, v in round_.choices),
        rules=round_.rules_before,
        labels=tuple(ShowLabel(k, v.strip()) for k, v in round_.labels.items()),
        show_live=round_.show_live,
    )


def _question(question: Question) -> ShowQuestion:
    return ShowQuestion(
        source=_SOURCE.get(question.source, question.source),  # type: ignore[arg-type]
        source_key=question.source_key or _SOURCE.get(question.source, question.source),
        external_id=question.external_id or question.code,
        title=" ".join(question.title.split())[:TITLE].strip() or None,
        text=question.text,
        subject=question.subject,
        asked_at=datetime.fromtimestamp(question.created_at // 1000, BEIJING).replace(tzinfo=None),
        likes=question.likes,
        status=_STATUS[question.status],  # type: ignore[arg-type]
    )

"""What a hearing offers by Open311 GeoReport v2: its subjects as services, its questions as requests. Pure.

Rule 1. Whoever has no key reads what stands on the public list, and nothing else.
Rule 2. A sender reads all that it handed in itself; a text only while it is public, or while it is still
its own: what a moderator made of it is told once it is approved.
Rule 3. Where it is and who asked are told to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from server.domain.questions import PUBLIC, REJECTION_REASONS, STATES, TOLD, Question, listed
from server.domain.refusals import Refusal
from server.domain.view import SubjectView
from server.domain.words import QUESTION

GENERAL: Final = "GENERAL"
"""The service of a question to nobody in particular; no subject's key has capitals."""
_GENERAL: Final = ("综合提问", "Any question to this hearing")
CLOSED: Final = frozenset(
    {"rejected", "merged", "answered", "replied_in_writing", "converted", "closed"}
)
"""States that are `closed` there; in all others something is still to come."""
BEIJING: Final = timezone(timedelta(hours=8))
PAGE: Final = 50
PAGE_MOST: Final = 1_000
"""Requests on a page: usual, and at most."""
CODES_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests are asked for; None = whatever. Times are milliseconds since 1970, both ends are
    within. `source` is the key of the source that handed them in, None = what is public (rule 1).
    `services` are keys of subjects, None among them = questions to nobody in particular."""

    source: str | None = None
    codes: tuple[str, ...] | None = None
    services: tuple[str | None, ...] | None = None
    statuses: tuple[str, ...] | None = None
    since: int | None = None
    until: int | None = None
    page: int = 1
    size: int = PAGE


def services(subjects: Iterable[SubjectView], group: str, lang: str) -> list[dict[str, Any]]:
    """The hearing's services: one for each subject, and a general one."""
    side = 1 if lang == "en" else 0
    found = [(one.key, one.unit or one.name, _about(one, lang)) for one in subjects]
    found.append((GENERAL, _GENERAL[side], _GENERAL[side]))
    return [
        {
            "service_code": code,
            "service_name": name,
            "description": about,
            "metadata": False,
            "type": "realtime",
            "keywords": "",
            "group": group,
        }
        for code, name, about in found
    ]


def _about(one: SubjectView, lang: str) -> str:
    asked = " ".join(part for part in (one.unit, one.post, one.name) if part)
    return f"Questions to {asked}" if lang == "en" else f"向{asked}提问"


def subject_of(code: str, subjects: Iterable[SubjectView]) -> str | None:
    """The subject that a service stands for, None for the general one. Raises
    `open311_service_unknown`."""
    if code == GENERAL:
        return None
    if all(one.key != code for one in subjects):
        raise Refusal("open311_service_unknown", service=code)
    return code


def request(question: Question, subjects: Mapping[str, SubjectView], own: bool, lang: str) -> Any:
    """A question as a service request; `own`: to the sender that handed it in (rule 2)."""
    side = 1 if lang == "en" else 0
    subject = subjects.get(question.subject or "")
    told = listed(question) or (own and not question.rewritten)
    changed = max(question.created_at, question.approved_at or 0, question.answered_at or 0)
    return {
        "service_request_id": question.code,
        "status": "closed" if question.status in CLOSED else "open",
        "status_notes": fate(question, lang),
        "service_name": (subject.unit or subject.name) if subject else _GENERAL[side],
        "service_code": subject.key if subject else GENERAL,
        "description": question.text if told else None,
        "agency_responsible": (subject.unit or None) if subject else None,
        "service_notice": None,
        "requested_datetime": written(question.created_at),
        "updated_datetime": written(changed),
        "expected_datetime": None,
        "address": None,
        "address_id": None,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }


def fate(question: Question, lang: str) -> str:
    """What became of it, as its page by code says; what the desk plans stays the desk's."""
    side = 1 if lang == "en" else 0
    said = QUESTION[TOLD[question.status]][side]
    more = ""
    if question.status in {"rejected", "closed"} and question.reason:
        more = REJECTION_REASONS.get(question.reason, (question.reason,) * 2)[side]
    elif question.status == "merged" and question.merged_into:
        more = question.merged_into
    elif question.reply:
        more = question.reply
    colon = ": " if lang == "en" else "："
    return f"{said}{colon}{more}" if more else said


def written(at: int) -> str:
    """A moment as the specification writes it."""
    return datetime.fromtimestamp(at // 1000, BEIJING).isoformat()


# ── What is asked for ──


def wanted(asked: Mapping[str, str], subjects: Sequence[SubjectView], source: str | None) -> Wanted:
    """Which requests a query asks for. Raises `open311_wrong` with the parameter, and
    `open311_service_unknown`."""
    codes = _list(asked, "service_request_id")
    services_ = _list(asked, "service_code")
    return Wanted(
        source,
        codes,
        None if services_ is None else tuple(subject_of(one, subjects) for one in services_),
        _statuses(asked, source),
        _moment(asked, "start_date"),
        _moment(asked, "end_date"),
        _number(asked, "page", 1, 100_000),
        _number(asked, "page_size", PAGE, PAGE_MOST),
    )


def _list(asked: Mapping[str, str], name: str) -> tuple[str, ...] | None:
    if not asked.get(name):
        return None
    found = tuple(one.strip() for one in asked[name].split(",") if one.strip())
    if len(found) > CODES_MOST:
        raise Refusal("open311_wrong", place=name)
    return found


def _statuses(asked: Mapping[str, str], source: str | None) -> tuple[str, ...] | None:
    chosen = _list(asked, "status")
    if chosen is None:
        return None
    if not set(chosen) <= {"open", "closed"}:
        raise Refusal("open311_wrong", place="status")
    among = STATES if source is not None else [one for one in STATES if one in PUBLIC]
    return tuple(one for one in among if ("closed" if one in CLOSED else "open") in chosen)


_SPACED_OFFSET: Final = re.compile(r"(?<=:\d\d) (?=\d\d:?\d\d$)")


def _moment(asked: Mapping[str, str], name: str) -> int | None:
    """A moment without an offset is Beijing's. In a query the `+` of `+08:00` reads as a space."""
    text = _SPACED_OFFSET.sub("+", asked.get(name, "").strip())
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        at = moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)
        return int(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Refusal("open311_wrong", place=name) from None


def _number(asked: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = asked.get(name, "").strip()
    if not text:
        return usual
    if not (text.isascii() and text.isdigit()) or len(text) > 6 or int(text) < 1:
        raise Refusal("open311_wrong", place=name)
    return min(int(text), most)

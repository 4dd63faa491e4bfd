"""The fate of a question under its code: nobody's text, nobody's name."""

from __future__ import annotations

from dataclasses import dataclass

from server.domain.questions import REJECTION_REASONS, TOLD, Question
from server.domain.reactions import REACTIONS
from web.layout.texts import Texts

DONE = frozenset({"answered", "replied_in_writing", "converted"})


@dataclass(frozen=True)
class Fate:
    """What became of it. `outcome` is what came of an appeal, `note` why. `tone` colours the status chip; `said` is a sentence after an appeal
    (or why it was refused), `said_bad` tells which; `secret` and `text` are what a refused appeal
    had in its fields. Of a merged one, `merged_into` is the code of what it went into at last and
    `followed` what became of that."""

    code: str
    slug: str
    hearing: str
    rehearsal: bool
    status: str
    status_key: str
    tone: str
    asked_at: str
    reason: str
    merged_into: str
    followed: str
    answered_at: str
    reply: str
    can_appeal: bool
    appealed: bool
    outcome: str
    note: str
    can_rate: bool
    rating: str
    ratings: tuple[tuple[str, str], ...]
    said: str
    said_bad: bool
    secret: str
    text: str


def _ratings(lang: str) -> tuple[tuple[str, str], ...]:
    """What an author may say of the answer: (key, word)."""
    side = 1 if lang == "en" else 0
    return tuple((key, words[side]) for key, words in REACTIONS["answer"].choices)


def fate(
    question: Question,
    slug: str,
    hearing: str,
    lang: str,
    end: Question | None = None,
    *,
    author_known: bool = True,
    rehearsal: bool = False,
    said: str = "",
    said_bad: bool = False,
    secret: str = "",
    text: str = "",
) -> Fate:
    """The page of one question; what the desk still plans is told as approved. `end` is what a merged one
    went into at last. Only an author who was given a secret (`author_known`) can appeal and rate."""
    texts = Texts(lang)
    key = TOLD[question.status]
    word = texts.fates()[key]
    tone = "ok" if key in DONE else {"rejected": "bad", "on_stage": "accent"}.get(key, "")
    reasons = REJECTION_REASONS.get(question.reason or "", (question.reason or "",) * 2)
    answered = question.answered_at
    return Fate(
        code=question.code,
        slug=slug,
        hearing=hearing,
        rehearsal=rehearsal,
        status=word,
        status_key=key,
        tone=tone,
        asked_at=f"{texts.day(question.created_at)} {texts.clock(question.created_at)}",
        reason=(reasons[1] if lang == "en" else reasons[0])
        if key in {"rejected", "closed"}
        else "",
        merged_into=(end.code if end else question.merged_into or "") if key == "merged" else "",
        followed=texts.fates()[end.status] if key == "merged" and end else "",
        answered_at=f"{texts.day(answered)} {texts.clock(answered)}" if answered else "",
        reply=question.reply or "",
        can_appeal=author_known and key == "rejected" and not question.appealed,
        appealed=question.appealed,
        outcome=question.appeal_outcome or "",
        note=question.appeal_note or "",
        can_rate=author_known and (key in DONE or (key == "closed" and answered is not None)),
        rating=dict(_ratings(lang)).get(question.rating or "", ""),
        ratings=_ratings(lang),
        said=said,
        said_bad=said_bad,
        secret=secret,
        text=text,
    )

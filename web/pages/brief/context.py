"""What an official's office reads in advance: the same lines for the office and for the desk's preview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.domain.brief import WORDS_LONGEST, Brief, HeldBack, Line, Sent
from server.domain.view import SubjectView
from web.layout.language import say
from web.layout.texts import Texts


@dataclass(frozen=True)
class Lines:
    """Exactly what is read, in the desk's preview and at the office."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Held:
    """A question that keeps the brief back, and why, for the desk alone."""

    id: int
    code: str
    why: str


@dataclass(frozen=True)
class Proposed:
    """What the office proposes to reply to a line. `open`: the question is not answered yet."""

    id: int
    number: int
    wording: str
    text: str
    open: bool


@dataclass(frozen=True)
class Preview:
    """The desk's page. `same`: what would be sent now is what was sent; `others` are the other subjects.
    `rehearsal`: the desk shows copies of these questions, so nothing here leads to them or replies to them."""

    slug: str
    hearing: str
    rehearsal: bool
    subject: SubjectView
    others: tuple[SubjectView, ...]
    in_advance: bool
    hash: str
    now: Lines
    held: tuple[Held, ...]
    sent_at: str
    same: bool
    sent: Lines
    proposed: tuple[Proposed, ...]


def preview(
    slug: str,
    hearing: str,
    subjects: Sequence[SubjectView],
    subject: SubjectView,
    in_advance: bool,
    now: Brief,
    sent: Sent | None,
    states: Mapping[int, str],
    lang: str,
    *,
    rehearsal: bool = False,
) -> Preview:
    """`states`: question id → its state, of those that were sent."""
    texts = Texts(lang)
    return Preview(
        slug=slug,
        hearing=hearing,
        rehearsal=rehearsal,
        subject=subject,
        others=tuple(subjects),
        in_advance=in_advance,
        hash=now.hash,
        now=Lines(now.lines),
        held=tuple(Held(one.id, one.code, _why(one, lang)) for one in now.held),
        sent_at=f"{texts.day(sent.at)} {texts.clock(sent.at)}" if sent else "",
        same=sent is not None and sent.hash == now.hash,
        sent=Lines(sent.lines if sent else ()),
        proposed=tuple(
            Proposed(
                id_,
                line.number,
                line.wording,
                sent.replies[line.number],
                states.get(id_) in REPLIABLE and not rehearsal,
            )
            for line, id_ in zip(sent.lines, sent.ids, strict=True)
            if line.number in sent.replies
        )
        if sent
        else (),
    )


REPLIABLE = frozenset({"approved", "shortlisted", "queued", "withdrawn"})
"""States from which a question is answered in writing."""


def _why(one: HeldBack, lang: str) -> str:
    if one.why == "not_neutral":
        return say(lang, "还是群众原话，请先改写成中性表述")
    return say(lang, "带有人名、区县以下的地点、号码、日期时间或原件里的原话，请改掉")


@dataclass(frozen=True)
class Reply:
    """A line with the field for what the office proposes to reply."""

    number: int
    wording: str
    text: str


@dataclass(frozen=True)
class Reading:
    """The office's page."""

    slug: str
    hearing: str
    rehearsal: bool
    unit: str
    sent_at: str
    lines: Lines
    replies: tuple[Reply, ...]
    longest: int


def reading(
    slug: str,
    hearing: str,
    subject: SubjectView,
    sent: Sent | None,
    lang: str,
    *,
    rehearsal: bool = False,
) -> Reading:
    """What was sent, as it was then."""
    texts = Texts(lang)
    lines = sent.lines if sent else ()
    return Reading(
        slug=slug,
        hearing=hearing,
        rehearsal=rehearsal,
        unit=subject.unit,
        sent_at=f"{texts.day(sent.at)} {texts.clock(sent.at)}" if sent else "",
        lines=Lines(lines),
        replies=tuple(
            Reply(one.number, one.wording, (sent.replies if sent else {}).get(one.number, ""))
            for one in lines
        ),
        longest=WORDS_LONGEST,
    )

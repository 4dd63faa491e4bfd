"""What the page of a hearing's rounds shows and offers to one person. Pure.

What a reader may see, sign and publish is said by `server/domain/rounds.py`, as the API says it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from server.domain.comments import takes_texts
from server.domain.contests import MOST_FILES, Contest, ContestFile, waiting
from server.domain.exact import percent
from server.domain.outliers import Outlier
from server.domain.roles import has_right
from server.domain.rounds import (
    AUDIENCES,
    NEXT,
    TAKES_BALLOTS,
    Round,
    awaited,
    may_publish,
    may_see_ballots,
    may_see_result,
    may_sign,
)
from server.domain.view import HearingView
from web.layout.language import say
from web.layout.texts import Texts
from web.pages import results
from web.pages.office.context import may_manage


@dataclass(frozen=True)
class Signer:
    """A role that the show names as signer."""

    word: str
    signed: bool
    instead: str = ""


@dataclass(frozen=True)
class Audience:
    """One audience of a publication."""

    key: str
    word: str
    done: bool


@dataclass(frozen=True)
class ContestCard:
    """One contest; `adds_files` and `decides`: what the reader may do with it now."""

    id: int
    status: str
    tone: str
    who: str
    at: int
    grounds: str
    files: tuple[ContestFile, ...]
    decided: str
    reason: str
    adds_files: bool
    decides: bool


@dataclass(frozen=True)
class RoundCard:
    """One round. `present` is None where the turnout is not for this reader, or nobody is listed.
    `round` bears figures only when the reader may `see` the result.
    `awaits`: others will change it soon, so that the page looks again by itself. `missing` are the signers, key and word, in whose place the reader may sign. `replacements` are the certified rounds that were held to replace it, by id and title.
    `sign` and `publish`: what the reader may do now; `signing` and `publishing`: somebody has
    still to do so.
    """

    round: results.RoundView
    status: str
    tone: str
    reason: str
    turnout: bool
    present: int | None
    sees: bool
    rules: tuple[str, ...]
    rules_hash: str
    ballots_hash: str
    signers: tuple[Signer, ...]
    awaited: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    signing: bool
    sign: bool
    audiences: tuple[Audience, ...]
    publishers: tuple[str, ...]
    publishing: bool
    publish: bool
    files: tuple[str, ...]
    documents: tuple[str, ...]
    recount: bool
    awaits: bool
    paper: bool
    comments: bool
    empty_groups: tuple[str, ...]
    notices: tuple[str, ...]
    contests: tuple[ContestCard, ...]
    may_contest: bool
    contest_until: int | None
    replacements: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RoundsPage:
    """All rounds of a hearing in the show's order; `manage` when its own page opens, too; `minutes`
    when the reader may take the minutes away."""

    slug: str
    title: str
    office: str
    rehearsal: bool
    manage: bool
    minutes: bool
    now: int
    lines: tuple[RoundCard, ...]


def rounds_page(
    view: HearingView,
    roles: Sequence[str],
    lang: str,
    contests: Sequence[Contest] = (),
    reader: str = "",
    now: int = 0,
    noticed: Mapping[str, Sequence[Outlier]] = MappingProxyType({}),
) -> RoundsPage:
    """The page as a person with these roles sees it; `reader` is that person's id, `now` the time,
    `noticed` what a supervisor should look at, by round."""
    return RoundsPage(
        slug=view.hearing.slug,
        title=view.hearing.title,
        office=view.office_name,
        rehearsal=view.rehearsal,
        manage=may_manage(roles),
        minutes=has_right(roles, "see_journal"),
        now=now,
        lines=tuple(
            _card(
                view,
                one,
                roles,
                lang,
                [c for c in contests if c.round == one.id],
                reader,
                now,
                noticed.get(one.id, ()),
            )
            for one in view.rounds
        ),
    )


def _contest(
    one: Contest, round_: Round, roles: Sequence[str], lang: str, reader: str
) -> ContestCard:
    texts = Texts(lang)
    waits = one.status == "open"
    return ContestCard(
        id=one.id,
        status=texts.round("contested" if waits else one.status),
        tone={"open": "warn dot", "upheld": "ok"}.get(one.status, "bad"),
        who=f"{texts.role(one.role)} {one.name}",
        at=one.at,
        grounds=one.grounds,
        files=one.files,
        decided=texts.role(one.decided_as) if one.decided_as else "",
        reason=one.reason,
        adds_files=waits and one.by == reader and len(one.files) < MOST_FILES,
        decides=waits and one.by != reader and bool(set(roles) & set(round_.publishers)),
    )


def _card(
    view: HearingView,
    one: Round,
    roles: Sequence[str],
    lang: str,
    contests: Sequence[Contest],
    reader: str,
    now: int,
    noticed: Sequence[Outlier],
) -> RoundCard:
    texts = Texts(lang)
    result = one.result if one.result is not None and may_see_result(one, roles) else None
    sees, ballots = result is not None, may_see_ballots(one, roles)
    begun = one.status != "ready"
    turnout = begun and (one.audience == "public" or has_right(roles, "see_turnout"))
    found = (
        ("rules.json", one.rules is not None),
        ("ballots.csv", ballots),
        ("result.json", sees),
    )
    return RoundCard(
        round=results.round_view(view, one, lang, "public", seen=sees),
        status=texts.round(one.status),
        tone=_TONES.get(one.status, ""),
        reason=one.void_reason or (one.tally_refused or {}).get(lang, ""),
        turnout=turnout,
        present=sum(e.present for e in one.entitled) if turnout and one.entitled else None,
        sees=sees,
        rules=results.rules_said(view, one, lang),
        rules_hash=one.rules_hash or "",
        ballots_hash=str((result or {}).get("ballots_hash") or ""),
        signers=tuple(
            Signer(texts.role(r), r in one.signed, _instead(one, r, texts)) for r in one.signers
        ),
        missing=tuple((r, texts.role(r)) for r in awaited(one))
        if one.status == "tallied" and has_right(roles, "override_signature")
        else (),
        awaited=tuple(texts.role(r) for r in awaited(one)),
        signing=one.status == "tallied",
        sign=may_sign(one, roles),
        audiences=tuple(
            Audience(key, texts.word(f"to_{key}"), key in one.published_to) for key in AUDIENCES
        ),
        publishers=tuple(texts.role(r) for r in one.publishers),
        publishing=one.status in NEXT["publish"] and not one.published_for("public"),
        publish=may_publish(one, roles),
        files=tuple(name for name, shown in found if shown),
        documents=(
            *(_RESULT_DOCUMENTS if sees else ()),
            *(("forms.pdf",) if _may_have_forms(one, roles) else ()),
        ),
        recount=ballots and one.rules is not None,
        awaits=one.status in {*TAKES_BALLOTS, "closed", "tallied", "certified", "contested"},
        comments=takes_texts(one) and has_right(roles, "review_comments") and one.after_closing,
        paper=one.audience == "panel"
        and one.status in TAKES_BALLOTS
        and (has_right(roles, "rounds") or has_right(roles, "key_paper")),
        empty_groups=tuple(_empty_groups(view, one, result, lang)) if result else (),
        notices=tuple(_notice(view, note, lang) for note in noticed),
        contests=tuple(_contest(case, one, roles, lang, reader) for case in contests if sees),
        may_contest=(
            sees
            and has_right(roles, "contest")
            and one.status in NEXT["contest"]
            and one.contest_until is not None
            and now <= one.contest_until
        ),
        contest_until=one.contest_until,
        replacements=tuple(
            (other.id, other.title)
            for other in waiting(one, view.rounds)
            if other.status in {"certified", "published"}
        ),
    )


def _instead(one: Round, role: str, texts: Texts) -> str:
    """Who signed in a missing signer's place, and why."""
    told = one.overrides.get(role)
    return f"{texts.role(told['as'])}：{told['reason']}" if told else ""


def _empty_groups(view: HearingView, one: Round, result: Mapping[str, Any], lang: str) -> list[str]:
    """Groups of weight from which nobody's mark counts, and what the rules make of that."""
    rules = one.rules or {}
    names = {key: name for key, name, _ in view.groups}
    zero = rules.get("empty_group") == "zero"
    how = say(lang, "按零分计") if zero else say(lang, "其权重由其余各组分担")
    marks = [subject.get("groups") or {} for subject in result.get("subjects", ())]
    return [
        say(lang, "“%(name)s”没有有效票：%(how)s。", name=names.get(g["key"], g["key"]), how=how)
        for g in rules.get("groups") or ()
        if Fraction(str(g.get("weight", "1"))) and not any(m.get(g["key"]) for m in marks)
    ]


def _notice(view: HearingView, note: Outlier, lang: str) -> str:
    """A sentence that points and accuses nobody."""
    share = percent(*note.share.as_integer_ratio())
    others = "" if note.others is None else percent(*note.others.as_integer_ratio())
    if note.kind == "ceiling":
        subject = view.subject(note.who)
        name = subject.name if subject else note.who
        return say(lang, "“%(name)s”的每一个打分都不低于满分的 %(share)s", name=name, share=share)
    if note.kind == "group":
        groups = {key: name for key, name, _ in view.groups}
        name = groups.get(note.who, note.who)
        return say(
            lang,
            "组“%(name)s”的平均分为满分的 %(share)s，其余各组的中位为 %(others)s",
            name=name,
            share=share,
            others=others,
        )
    seat = note.who.split("-")[1].lstrip("0") if note.who.startswith("seat-") else note.who
    return say(
        lang,
        "%(name)s 号席位的平均分为满分的 %(share)s，其余成员的中位为 %(others)s",
        name=seat,
        share=share,
        others=others,
    )


_RESULT_DOCUMENTS = ("result.pdf", "result.docx", "result.xlsx", "tally-sheet.pdf")


def _may_have_forms(one: Round, roles: Sequence[str]) -> bool:
    """Blank forms are for who would key them in, while they can still be filled in."""
    needed = one.status == "ready" or one.status in TAKES_BALLOTS
    return needed and one.rules is not None and has_right(roles, "see_ballots")


_TONES: Mapping[str, str] = {
    "open": "ok dot",
    "closing": "warn dot",
    "tallied": "accent",
    "certified": "accent",
    "published": "ok",
    "contested": "warn dot",
    "upheld": "ok",
    "corrected": "bad",
    "voided": "bad",
}

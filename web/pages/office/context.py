"""What the office's pages of hearings show: the frame of every page, the list, one hearing, its cards.

Pure builders: `server/identity/office_book.py` has cut everything to what the person reaches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from server.domain.hearing import Place
from server.domain.questions import STATES
from server.domain.roles import Actor, has_right
from server.domain.sources import USUAL
from server.domain.view import SOURCE_NAMES, HearingView, SeatView, SubjectView
from server.identity.office_book import Reached, SeatCard
from web.layout.language import say
from web.layout.texts import Texts, side

PAGES: Mapping[str, tuple[str, str]] = {
    "desk": ("审核台", "Desk"),
    "host": ("主持台", "Host console"),
    "card": ("手卡", "Card"),
    "stage": ("大屏", "Stage"),
    "overlay": ("字幕条", "Overlay"),
    "podium": ("返送屏", "Podium"),
}
"""A hearing's staff pages with their words, as far as an account or a device opens them."""
DEVICES: Mapping[str, tuple[str, str]] = {
    "screen": ("大屏、字幕条、返送屏", "Stage, overlay, podium"),
    "card": ("主持人手卡", "On-air host's card"),
    "duty": ("审核台：转交的紧急提问", "Moderators' desk: what is escalated"),
    "subject": ("述法人返送屏", "Subject's podium screen"),
}
"""Roles of devices that join by a card, with what the card opens."""
# ── the frame of every page ──


@dataclass(frozen=True)
class Tab:
    """One of the office's pages."""

    word: str
    path: str
    current: bool


@dataclass(frozen=True)
class Frame:
    """Who is here (a session without an account goes by its role), as which session, and where he
    may go. `path` is the page's own address."""

    name: str
    seat: str
    path: str
    tabs: tuple[Tab, ...]
    account: bool


def frame(by: Actor, seat: str, reached: Sequence[Reached], path: str, lang: str) -> Frame:
    """The tabs that the person's roles open."""

    def any_may(right: str) -> bool:
        return any(one.may(right) for one in reached)

    wanted = [("/office", say(lang, "场次"), True)]
    wanted.append(("/office/new", say(lang, "新建场次"), any_may("manage_hearings")))
    wanted.append(("/office/people", say(lang, "人员与机构"), any_may("manage_people")))
    wanted.append(("/office/tokens", say(lang, "接口令牌"), bool(reached)))
    tabs = tuple(Tab(word, to, to == path) for to, word, shown in wanted if shown)
    account = by.id.startswith("account:")
    name = by.name if account or not by.grants else Texts(lang).role(by.grants[0].role)
    return Frame(name, seat, path, tabs, account)


@dataclass(frozen=True)
class Choice:
    """An option of a select."""

    value: str
    word: str


# ── hearings ──


@dataclass(frozen=True)
class Link:
    """A page of a hearing that the session opens."""

    word: str
    path: str


@dataclass(frozen=True)
class Row:
    """A hearing in the list; `manage` when it has a page of its own here."""

    slug: str
    title: str
    office: str
    word: str
    tone: str
    rehearsal: bool
    manage: bool
    links: tuple[Link, ...]


MANAGING = ("page:office", "manage_cards", "import", "run_show")
"""Rights of which one is enough for a hearing's own page here."""


OPENS_ROUNDS = "open_rounds"
"""The right that opens the page of a hearing's rounds: whoever signs, publishes, supervises or may
contest a result has it."""


def may_manage(roles: Iterable[str]) -> bool:
    """Whether a hearing's own page opens with these roles at its place."""
    held = tuple(roles)
    return any(has_right(held, right) for right in MANAGING)


def links(place: Place, roles: Sequence[str], lang: str) -> tuple[Link, ...]:
    """The pages of the hearing that these roles open; a draft has no public page yet."""
    shown = []
    if place.status != "draft":
        shown.append(Link(say(lang, "直播页"), f"/h/{place.slug}"))
    for page, words in PAGES.items():
        if has_right(roles, f"page:{page}"):
            shown.append(Link(side(words, lang), f"/h/{place.slug}/{page}"))
    if has_right(roles, OPENS_ROUNDS):
        shown.append(Link(say(lang, "轮次与结果"), f"/office/hearings/{place.slug}/rounds"))
    return tuple(shown)


def takes_on(by: Actor, reached: Sequence[Reached]) -> str:
    """The grant (as JSON) by which the system administrator of an office without staff becomes its
    staff as well; "" where there is nothing to take on."""
    mine = [one for one in reached if "system_admin" in one.roles]
    if not mine or not by.id.startswith("account:"):
        return ""
    if any(one.may("manage_hearings") for one in reached):
        return ""
    account = int(by.id.removeprefix("account:"))
    return json.dumps({"account": account, "role": "office", "office": mine[0].node.id})


def hearing_rows(found: Iterable[tuple[Place, str, tuple[str, ...]]], lang: str) -> tuple[Row, ...]:
    """The list, newest first."""
    return tuple(
        Row(
            place.slug,
            place.title,
            office,
            Texts(lang).word(place.status),
            tone(place.status),
            place.kind == "rehearsal",
            may_manage(roles),
            links(place, roles, lang),
        )
        for place, office, roles in found
    )


def tone(status: str) -> str:
    """The colour of a hearing's status."""
    return {"live": "bad dot", "paused": "warn", "check_in": "accent", "ready": "ok"}.get(
        status, ""
    )


# ── one hearing ──


@dataclass(frozen=True)
class Act:
    """A button that sends an act of the run of show."""

    word: str
    act: str
    body: str
    held: bool
    primary: bool = False


@dataclass(frozen=True)
class AgendaRow:
    """One item of the agenda."""

    title: str
    name: str
    steps: str
    minutes: str
    word: str


@dataclass(frozen=True)
class SeatRow:
    """One panel seat. `joined` when a tablet took the card: a new card would sign it out."""

    number: int
    name: str
    group: str
    unit: str
    present: bool
    card: str
    tone: str
    joined: bool


@dataclass(frozen=True)
class HearingPage:
    """A hearing as its office prepares it."""

    slug: str
    title: str
    office: str
    word: str
    tone: str
    status: str
    rehearsal: bool
    links: tuple[Link, ...]
    acts: tuple[Act, ...]
    can_run: bool
    can_cards: bool
    can_import: bool
    can_source: bool
    can_topics: bool
    can_export: bool
    units: tuple[SubjectView, ...]
    agenda: tuple[AgendaRow, ...]
    groups: tuple[tuple[str, str], ...]
    seats: tuple[SeatRow, ...]
    present: int
    checking: bool
    waiting: int
    devices: tuple[tuple[str, str, str], ...]
    states: tuple[tuple[str, int], ...]
    sources: tuple[tuple[str, int], ...]
    questions: int
    offered: tuple[tuple[str, str], ...]
    second: bool
    verification: bool


def hearing_page(
    place: Place,
    view: HearingView,
    roles: Sequence[str],
    cards: Mapping[int, SeatCard],
    counts: tuple[Mapping[str, int], Mapping[str, int]],
    rehearsal_allowed: bool,
    lang: str,
    reviews: Mapping[str, bool] = MappingProxyType({}),
) -> HearingPage:
    """`counts` = questions of the real line by state and by source; `reviews` what the stage asks for."""
    texts = Texts(lang)
    can_run, can_cards = has_right(roles, "run_show"), has_right(roles, "manage_cards")
    seats = tuple(_seat(one, cards.get(one.id), lang) for one in view.seats)
    agenda = tuple(
        AgendaRow(
            item.title,
            view.speaker(item),
            " → ".join(texts.step(step.key) for step in item.steps),
            texts.minutes(sum(step.seconds for step in item.steps)),
            texts.item(item.status),
        )
        for item in view.items
    )
    states, sources = counts
    return HearingPage(
        slug=place.slug,
        title=place.title,
        office=view.office_name,
        word=texts.word(place.status),
        tone=tone(place.status),
        status=place.status,
        rehearsal=view.rehearsal,
        links=links(place, roles, lang),
        acts=_acts(view, rehearsal_allowed, lang) if can_run else (),
        can_run=can_run,
        can_cards=can_cards,
        can_import=has_right(roles, "import"),
        can_source=has_right(roles, "manage_sources"),
        can_topics=has_right(roles, "manage_topics"),
        can_export=has_right(roles, "manage_hearings"),
        units=view.subjects,
        agenda=agenda,
        groups=tuple((name, weight) for _, name, weight in view.groups),
        seats=seats,
        present=sum(one.present for one in seats),
        checking=view.hearing.status in {"check_in", "live", "paused"},
        waiting=sum(not one.joined for one in seats),
        devices=tuple((key, texts.role(key), side(d, lang)) for key, d in DEVICES.items()),
        states=tuple((texts.question(key), states[key]) for key in STATES if states.get(key)),
        sources=tuple(
            (side(SOURCE_NAMES.get(key, (key, key)), lang), n) for key, n in sources.items() if n
        ),
        questions=sum(states.values()),
        offered=tuple((key, side((zh, en), lang)) for key, (zh, en) in USUAL.items()),
        second=reviews.get("second", False),
        verification=reviews.get("verification", False),
    )


def _seat(seat: SeatView, card: SeatCard | None, lang: str) -> SeatRow:
    words = {
        "unused": (say(lang, "已发卡"), ""),
        "used": (say(lang, "已入场"), "accent"),
        "expired": (say(lang, "卡已过期"), "warn"),
    }
    none = (say(lang, "未发卡"), "" if seat.present else "warn")
    word, colour = words[card.state] if card else none
    joined = seat.present or (card is not None and card.state == "used")
    return SeatRow(
        seat.number, seat.name, seat.group_name, seat.unit, seat.present, word, colour, joined
    )


def _acts(view: HearingView, rehearsal_allowed: bool, lang: str) -> tuple[Act, ...]:
    """What may be pressed now, as `domain/hearing.py` allows it."""
    hearing = view.hearing
    api = f"/api/v1/hearings/{hearing.slug}"

    def to(status: str, word: str, primary: bool = False) -> Act:
        body = json.dumps({"version": hearing.version, "status": status})
        return Act(word, f"PUT {api}/status", body, False, primary)

    def run(kind: str, word: str, primary: bool = False) -> Act:
        return Act(word, f"POST {api}/runs", json.dumps({"kind": kind}), True, primary)

    if hearing.run_kind == "rehearsal":
        again = (run("rehearsal", say(lang, "再演练一次")),) if rehearsal_allowed else ()
        return (*again, run("real", say(lang, "开始正式场次"), True))
    if hearing.status == "draft":
        return (to("ready", say(lang, "准备就绪"), True),)
    if hearing.status == "ready":
        first = (run("rehearsal", say(lang, "开始演练")),) if rehearsal_allowed else ()
        return (
            to("draft", say(lang, "退回草稿")),
            *first,
            run("real", say(lang, "开始正式场次"), True),
        )
    return ()


@dataclass(frozen=True)
class IssuedCard:
    """A join card as it is shown once: on a screen or on paper. `halves` are its code's, for people who
    type it in; `qr` is an SVG as a data address, empty on a slip for a shared tablet."""

    halves: tuple[str, str]
    who: str
    name: str
    detail: str
    url: str
    qr: str
    until: str


@dataclass(frozen=True)
class Cards:
    """The sheet of cards."""

    slug: str
    title: str
    office: str
    rehearsal: bool
    kiosk: bool
    cards: tuple[IssuedCard, ...]

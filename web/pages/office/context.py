"""What the office's pages show: hearings, one hearing, people, tokens, a new hearing, an import.

Pure builders: `server/identity/office_book.py` has cut everything to what the person reaches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from moderation.intake.hotline_file import HotlineFile, RowRefusal
from server.actions.import_questions import Counted
from server.domain.hearing import Place
from server.domain.questions import STATES
from server.domain.roles import ROLES, Actor, has_right
from server.domain.show import Show
from server.domain.view import SOURCE_NAMES, HearingView, SeatView
from server.identity.office_book import Person, Reached, SeatCard, Token, grantable
from server.identity.passwords import LEAST
from server.shows.problems import ShowFileError
from web.layout.language import say
from web.layout.texts import Texts
from web.pages.setup.context import LEVELS

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
    "subject": ("述法人返送屏", "Subject's podium screen"),
}
"""Roles of devices that join by a card, with what the card opens."""
SOURCES: tuple[tuple[str, str, str], ...] = (
    ("hotline-12345", "12345热线", "12345 hotline"),
    ("secretary-mailbox", "书记信箱", "Party secretary's mailbox"),
    ("mayor-mailbox", "市长信箱", "Mayor's mailbox"),
)
"""Keys of sources that are offered, with their words; another key may be typed."""
MEANINGS: Mapping[str, tuple[str, str]] = {
    "external_id": ("工单编号", "Sender's number"),
    "channel": ("来源渠道", "Channel"),
    "request_type": ("诉求类型", "Type"),
    "title": ("标题", "Title"),
    "content": ("诉求内容", "Content"),
    "requester_name": ("诉求人（封存）", "Name (sealed)"),
    "requester_phone": ("电话（封存）", "Phone (sealed)"),
    "district": ("区县", "District"),
    "subdistrict": ("街道乡镇", "Subdistrict"),
    "community": ("村、社区", "Community"),
    "location": ("地点", "Place"),
    "category_path": ("事项分类", "Category"),
    "category_major": ("事项大类", "Category, major"),
    "category_minor": ("事项小类", "Category, minor"),
    "tags": ("标签", "Tags"),
    "agency": ("承办单位", "Agency"),
    "office": ("办理科室", "Section"),
    "role": ("工单性质", "Role"),
    "accepted_at": ("受理时间", "Accepted"),
    "dispatched_at": ("派发时间", "Dispatched"),
    "due_at": ("办结时限", "Due"),
    "closed_at": ("办结时间", "Closed"),
    "status": ("工单状态", "Status"),
    "result": ("办理结果", "Result"),
    "reply": ("回复内容", "Reply"),
    "public_reply": ("公开答复", "Public reply"),
    "resolved": ("是否解决", "Resolved"),
    "satisfaction": ("是否满意", "Satisfaction"),
    "urgency": ("紧急程度", "Urgency"),
    "warning": ("预警状态", "Warning"),
    "enterprise": ("企业名称", "Enterprise"),
    "dispatcher": ("派单员", "Dispatcher"),
    "attachments": ("附件", "Attachments"),
    "public_consent": ("是否公开", "Consent to publish"),
    "likes": ("同问数", "Likes"),
}
"""Canonical names of a hotline file's columns with their words."""
REFUSED_SHOWN = 200


def side(pair: tuple[str, str], lang: str) -> str:
    """The word of one language."""
    return pair[1] if lang == "en" else pair[0]


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
    held = [side(ROLES[grant.role], lang) for grant in by.grants[:1] if grant.role in ROLES]
    return Frame(by.name if account or not held else held[0], seat, path, tabs, account)


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
    return tuple(shown)


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
class Unit:
    """A subject and the unit that stands behind him."""

    name: str
    post: str
    unit: str


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
    units: tuple[Unit, ...]
    agenda: tuple[AgendaRow, ...]
    groups: tuple[tuple[str, str], ...]
    seats: tuple[SeatRow, ...]
    present: int
    waiting: int
    devices: tuple[tuple[str, str, str], ...]
    states: tuple[tuple[str, int], ...]
    sources: tuple[tuple[str, int], ...]
    questions: int
    offered: tuple[tuple[str, str], ...]


def hearing_page(
    place: Place,
    view: HearingView,
    roles: Sequence[str],
    cards: Mapping[int, SeatCard],
    counts: tuple[Mapping[str, int], Mapping[str, int]],
    rehearsal_allowed: bool,
    lang: str,
) -> HearingPage:
    """`counts` = questions of the real line by state and by source."""
    texts = Texts(lang)
    can_run, can_cards = has_right(roles, "run_show"), has_right(roles, "manage_cards")
    seats = tuple(_seat(one, cards.get(one.id), lang) for one in view.seats)
    subjects = {s.key: s for s in view.subjects}
    agenda = tuple(
        AgendaRow(
            item.title,
            item.deputy or (subjects[item.subject].name if item.subject in subjects else ""),
            " → ".join(texts.step(step.key) for step in item.steps),
            texts.minutes(sum(step.seconds for step in item.steps)),
            texts.word("item_done" if item.status == "done" else item.status),
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
        units=tuple(Unit(s.name, s.post, s.unit) for s in view.subjects),
        agenda=agenda,
        groups=tuple((name, weight) for _, name, weight in view.groups),
        seats=seats,
        present=sum(one.present for one in seats),
        waiting=sum(not one.joined for one in seats),
        devices=tuple((key, side(ROLES[key], lang), side(d, lang)) for key, d in DEVICES.items()),
        states=tuple((texts.question(key), states[key]) for key in STATES if states.get(key)),
        sources=tuple(
            (side(SOURCE_NAMES.get(key, (key, key)), lang), n) for key, n in sources.items() if n
        ),
        questions=sum(states.values()),
        offered=tuple((key, en if lang == "en" else zh) for key, zh, en in SOURCES),
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
    """A join card as it is shown once: on a screen or on paper. `qr` is an SVG as a data address."""

    code: str
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
    cards: tuple[IssuedCard, ...]


# ── import ──


@dataclass(frozen=True)
class Column:
    """A column of the file and what it was taken for ("" = unknown, kept as it is)."""

    header: str
    meaning: str
    sealed: bool


@dataclass(frozen=True)
class RefusedRow:
    """A row that stays out."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True)
class Preview:
    """What a file would do (`done` False) or did (`done` True)."""

    slug: str
    title: str
    upload: str
    file: str
    source: str
    about: str
    columns: tuple[Column, ...]
    rows: int
    new: int
    updated: int
    unchanged: int
    refused: int
    refusals: tuple[RefusedRow, ...]
    more: int
    done: bool


def preview(
    place: Place,
    upload: str,
    name: str,
    source: str,
    read: HotlineFile,
    counted: Counted,
    lang: str,
) -> Preview:
    """`upload` is the kept file's id; "" once it was taken in."""
    refusals = read.refusals
    about = " · ".join(p for p in (read.kind.upper(), read.encoding.upper(), read.sheet) if p)
    return Preview(
        slug=place.slug,
        title=place.title,
        upload=upload,
        file=name,
        source=source,
        about=about,
        columns=tuple(
            Column(
                header,
                side(MEANINGS.get(meaning, (meaning, meaning)), lang) if meaning else "",
                meaning in {"requester_name", "requester_phone"},
            )
            for header, meaning in ((h, read.mapping.get(h)) for h in read.columns)
        ),
        rows=read.rows,
        new=counted.new,
        updated=counted.updated,
        unchanged=counted.unchanged + len(read.repeats),
        refused=len(refusals),
        refusals=tuple(_refused(one, lang) for one in refusals[:REFUSED_SHOWN]),
        more=max(0, len(refusals) - REFUSED_SHOWN),
        done=not upload,
    )


def _refused(one: RowRefusal, lang: str) -> RefusedRow:
    return RefusedRow(one.row, one.column or "", one.en if lang == "en" else one.zh)


# ── people, offices, tokens ──


@dataclass(frozen=True)
class HeldRole:
    """A role on a person's card. `where` is its office, subtree or hearing."""

    id: int
    word: str
    where: str
    revocable: bool


@dataclass(frozen=True)
class PersonRow:
    """An account."""

    id: int
    name: str
    login: str
    me: bool
    roles: tuple[HeldRole, ...]


@dataclass(frozen=True)
class OfficeRow:
    """An office of the tree with its people; `depth` indents it."""

    id: int
    name: str
    level: str
    depth: int
    manages: bool
    people: tuple[PersonRow, ...]


@dataclass(frozen=True)
class Choice:
    """An option of a select."""

    value: str
    word: str


@dataclass(frozen=True)
class People:
    """Offices with their accounts, and what may be given."""

    offices: tuple[OfficeRow, ...]
    roles: tuple[Choice, ...]
    places: tuple[Choice, ...]
    homes: tuple[Choice, ...]
    parents: tuple[Choice, ...]
    levels: tuple[Choice, ...]
    least: int = LEAST


def people_page(
    by: Actor,
    reached: Sequence[Reached],
    people: Sequence[Person],
    hearings: Iterable[tuple[Place, str, tuple[str, ...]]],
    lang: str,
) -> People:
    """The tree of the reached offices, each with its accounts."""
    top = min((one.node.path.count("/") for one in reached), default=0)
    levels = {key: en if lang == "en" else zh for key, zh, en in LEVELS}
    managed = [one for one in reached if one.may("manage_people")]
    places = []
    for one in managed:
        node = one.node
        places.append(_place(node.name, {"office": node.id}))
        places.append(
            _place(
                say(lang, "%(name)s及下级", name=node.name), {"office": node.id, "subtree": True}
            )
        )
    offices = {one.node.id for one in managed}
    for place, office, _ in hearings:
        if place.ref.office in offices:
            where = {"office": place.ref.office, "hearing": place.slug}
            places.append(_place(f"{office} · {place.title}", where))
    return People(
        offices=tuple(
            OfficeRow(
                one.node.id,
                one.node.name,
                levels.get(one.node.level, one.node.level),
                one.node.path.count("/") - top,
                one.may("manage_people"),
                tuple(_person(by, p, lang) for p in people if p.office.id == one.node.id),
            )
            for one in reached
        ),
        roles=tuple(Choice(r, side(ROLES[r], lang)) for r in ROLES if r in grantable(managed)),
        places=tuple(places),
        homes=tuple(Choice(str(one.node.id), one.node.name) for one in managed),
        parents=tuple(
            Choice(str(one.node.id), one.node.name) for one in reached if one.may("manage_offices")
        ),
        levels=tuple(Choice(key, word) for key, word in levels.items()),
    )


def _place(word: str, where: Mapping[str, object]) -> Choice:
    return Choice(json.dumps(where), word)


def _person(by: Actor, person: Person, lang: str) -> PersonRow:
    roles = tuple(
        HeldRole(
            one.id,
            side(ROLES.get(one.role, (one.role, one.role)), lang),
            one.hearing
            or (say(lang, "%(name)s及下级", name=one.office) if one.subtree else one.office),
            one.revocable,
        )
        for one in person.grants
    )
    return PersonRow(person.id, person.name, person.login, by.id == f"account:{person.id}", roles)


@dataclass(frozen=True)
class TokenRow:
    """An API token."""

    id: int
    name: str
    office: str
    role: str
    made: str
    revoked: bool
    mine: bool


@dataclass(frozen=True)
class Tokens:
    """The tokens; `offices` is empty for a session that no account stands behind."""

    tokens: tuple[TokenRow, ...]
    offices: tuple[Choice, ...]


def tokens_page(
    by: Actor, reached: Sequence[Reached], tokens: Iterable[Token], lang: str
) -> Tokens:
    """Own tokens, and those of managed offices."""
    texts = Texts(lang)
    account = by.id.startswith("account:")
    return Tokens(
        tuple(
            TokenRow(
                one.id,
                one.name,
                one.office,
                side(ROLES[one.role], lang) if one.role in ROLES else "",
                texts.day(one.created_at),
                one.revoked,
                one.mine,
            )
            for one in tokens
        ),
        tuple(Choice(str(o.node.id), o.node.name) for o in reached) if account else (),
    )


# ── a new hearing ──


@dataclass(frozen=True)
class ShowProblemRow:
    """One thing wrong with a show file."""

    line: int
    key: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """What a good show file holds."""

    title: str
    slug: str
    numbers: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class NewHearing:
    """The page. `text` is what was typed or chosen, kept whatever came of it."""

    offices: tuple[Choice, ...]
    office: str = ""
    slug: str = ""
    text: str = ""
    said: str = ""
    problems: tuple[ShowProblemRow, ...] = field(default=())
    more: int = 0
    summary: Summary | None = None


def show_problems(error: ShowFileError, lang: str) -> tuple[ShowProblemRow, ...]:
    """By line and key."""
    return tuple(
        ShowProblemRow(p.line, p.key, p.en if lang == "en" else p.zh) for p in error.problems
    )


def summary(show: Show, slug: str, lang: str) -> Summary:
    """The counts of a show that would be made."""
    words = (
        (say(lang, "述法人"), len(show.subjects)),
        (say(lang, "议程"), len(show.items)),
        (say(lang, "席位"), len(show.seats)),
        (say(lang, "轮次"), len(show.rounds)),
        (say(lang, "提问"), len(show.questions)),
    )
    return Summary(show.title, slug or show.slug, words)

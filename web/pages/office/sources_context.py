"""What the page of a hearing's sources shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from moderation.intake.mail import LETTER_REFUSALS
from moderation.intake.refusals import FILE_REFUSALS
from server.domain.hearing import Place
from server.domain.refusals import CATALOGUE
from server.domain.sources import (
    CONNECTORS,
    KEYED,
    POLLED,
    SETTINGS,
    USUAL,
    IntakeSource,
    Setting,
    SourceKey,
)
from server.domain.view import SOURCE_NAMES
from web.layout.language import say
from web.layout.texts import Texts, side
from web.pages.office.context import Choice

COUNTS: tuple[tuple[str, str, str], ...] = (
    ("new", "新增", "New"),
    ("updated", "更新", "Updated"),
    ("unchanged", "未变", "Unchanged"),
    ("refused", "未收", "Refused"),
    ("quarantined", "隔离", "Quarantined"),
)


HeldBack: TypeAlias = tuple[int, Sequence[tuple[str, str, int]]]
"""How many messages were kept apart, and (name, reason, when) of the newest."""
_NOTHING: HeldBack = (0, ())
_NONE: Mapping[str, HeldBack] = {}


@dataclass(frozen=True)
class Field:
    """One thing that a connector is told, as its form asks for it."""

    name: str
    kind: str
    word: str
    value: str
    needed: bool
    choices: tuple[Choice, ...]
    least: int
    most: int


@dataclass(frozen=True)
class KeyRow:
    """A key of a source: when it was made and when it ends, in words."""

    id: str
    made: str
    until: str


@dataclass(frozen=True)
class Apart:
    """Messages that are kept apart: how many, and (name, why, when) of the newest. Nothing of what they
    say."""

    count: int = 0
    newest: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class SourceRow:
    """One source with its last run and its forms."""

    key: str
    name: str
    connector: str
    word: str
    channel: str
    address: str
    paused: bool
    error: str
    error_at: str
    last: str
    counts: tuple[tuple[str, int], ...]
    totals: tuple[tuple[str, int], ...]
    polled: bool
    keyed: bool
    keys: tuple[KeyRow, ...]
    fields: tuple[Field, ...]
    version: int
    apart: Apart


@dataclass(frozen=True)
class Kind:
    """A connector that a new source may have."""

    connector: str
    word: str
    about: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Sources:
    """The page. `offered` are usual keys with their names."""

    slug: str
    title: str
    sources: tuple[SourceRow, ...]
    kinds: tuple[Kind, ...]
    channels: tuple[Choice, ...]
    offered: tuple[tuple[str, str], ...]


def sources_page(
    place: Place,
    found: Iterable[tuple[IntakeSource, Sequence[SourceKey]]],
    now: int,
    lang: str,
    apart: Mapping[str, HeldBack] = _NONE,
) -> Sources:
    """Every source in the order of its making, and a form for each kind of new one; `apart` is what
    was kept apart, by the source's key."""
    return Sources(
        slug=place.slug,
        title=place.title,
        sources=tuple(
            _row(one, keys, now, lang, apart.get(one.key, _NOTHING)) for one, keys in found
        ),
        kinds=tuple(
            Kind(connector, side(word, lang), _about(connector, lang), _fields(connector, {}, lang))
            for connector, word in CONNECTORS.items()
            if connector != "file"
        ),
        channels=tuple(
            Choice(key, side(SOURCE_NAMES[key], lang)) for key in ("hotline", "mailbox")
        ),
        offered=tuple((key, side(words, lang)) for key, words in USUAL.items()),
    )


def _row(
    one: IntakeSource, keys: Sequence[SourceKey], now: int, lang: str, apart: HeldBack
) -> SourceRow:
    texts = Texts(lang)

    def told(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
        return tuple((side((zh, en), lang), counts[key]) for key, zh, en in COUNTS if key in counts)

    def at(when: int) -> str:
        return f"{texts.day(when)} {texts.clock(when)}" if when else ""

    return SourceRow(
        key=one.key,
        name=one.name,
        connector=one.connector,
        word=side(CONNECTORS[one.connector], lang),
        channel=side(SOURCE_NAMES[one.channel], lang),
        address=one.address,
        paused=one.paused,
        error=_error(one, lang),
        error_at=at(one.error_at),
        last=at(one.last_at),
        counts=told(dict(one.counts)),
        totals=told(dict(one.totals)),
        polled=one.connector in POLLED,
        keyed=one.connector in KEYED,
        keys=tuple(KeyRow(key.id, at(key.made_at), at(key.until)) for key in keys if key.good(now)),
        fields=_fields(one.connector, dict(one.settings), lang),
        version=one.version,
        apart=Apart(
            apart[0],
            tuple(
                (name, side(LETTER_REFUSALS[why], lang), at(when)) for name, why, when in apart[1]
            ),
        ),
    )


def _error(one: IntakeSource, lang: str) -> str:
    """Why the source could not be read; of an answer that is none, where it breaks off."""
    about = one.state.get("about", {})
    where = FILE_REFUSALS.get(str(about.get("why", "")))
    if one.error == "open311_answer" and where is not None:
        return side(where, lang).format(**about)
    row = CATALOGUE.get(one.error)
    return side((row.zh, row.en), lang) if row else one.error


def _fields(connector: str, told: dict[str, object], lang: str) -> tuple[Field, ...]:
    return tuple(_field(one, told, lang) for one in SETTINGS[connector])


def _field(one: Setting, told: dict[str, object], lang: str) -> Field:
    value = told.get(one.name, one.default)
    choices: tuple[Choice, ...]
    if one.kind == "flag":
        choices = (Choice("false", say(lang, "否")), Choice("true", say(lang, "是")))
        shown = "true" if value else "false"
    else:
        choices = tuple(Choice(key, _CHOICES.get(key, key)) for key in one.choices)
        shown = "" if value is None or one.kind == "secret" else str(value)
    return Field(
        name=one.name,
        kind=one.kind,
        word=side((one.zh, one.en), lang),
        value=shown,
        # What is sealed is not told back: left empty in a change, it stays as it is.
        needed=one.default is None and not (told and one.kind == "secret"),
        choices=choices,
        least=one.least,
        most=one.most,
    )


_CHOICES = {"tls": "TLS", "starttls": "STARTTLS", "none": "—", "json": "JSON", "xml": "XML"}


def _about(connector: str, lang: str) -> str:
    return {
        "push": say(lang, "对方系统把工单签名后推送到本系统。"),
        "imap": say(lang, "定时从邮箱收取来信，每封信成为一条提问。"),
        "open311_pull": say(lang, "定时从城市的 Open311 接口取回服务请求。"),
        "open311_offer": say(lang, "城市系统按 Open311 提交请求，并查询办理状态。"),
    }[connector]

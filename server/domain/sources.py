"""Where questions come from: a hearing's sources, what each connector needs to be told, its keys. Pure.

A source has a `connector` (how its items come in) and a `channel` (what people know it by): a hotline
may send a file, push by itself or be asked through Open311, and is a hotline each time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

from server.domain.refusals import Refusal

Connector: TypeAlias = Literal["file", "push", "imap", "open311_pull", "open311_offer"]
CONNECTORS: Final[Mapping[str, tuple[str, str]]] = {
    "file": ("文件导入", "Files"),
    "push": ("系统推送", "Signed push"),
    "imap": ("邮箱收取", "Mailbox (IMAP)"),
    "open311_pull": ("Open311 拉取", "Open311, pulled"),
    "open311_offer": ("Open311 提供", "Open311, offered"),
}
POLLED: Final = frozenset({"imap", "open311_pull"})
"""Connectors that the worker asks again and again."""
KEYED: Final = frozenset({"push", "open311_offer"})
"""Connectors whose senders show a key that is made here."""

Channel: TypeAlias = Literal["hotline", "mailbox"]
CHANNELS: Final[tuple[str, ...]] = get_args(Channel)

USUAL: Final[Mapping[str, tuple[str, str]]] = {
    "hotline-12345": ("12345热线", "12345 hotline"),
    "secretary-mailbox": ("书记信箱", "Party secretary's mailbox"),
    "mayor-mailbox": ("市长信箱", "Mayor's mailbox"),
}
"""Keys that are offered, with their names."""
KEY_FORM: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
NAME_LONGEST: Final = 60
MOST_SOURCES: Final = 50
"""Sources of one hearing."""
OVERLAP_MS: Final = 24 * 3_600_000
"""How long the key before the newest is still good: the sender has a day to change over."""
MOST_KEYS: Final = 2

Kind: TypeAlias = Literal["text", "host", "url", "email", "number", "flag", "choice", "secret"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a connector is told. `default` None = it must be given; `least` and `most` bound
    a number. A `secret` is sealed and never shown again."""

    name: str
    kind: Kind
    zh: str
    en: str
    default: object = None
    choices: tuple[str, ...] = ()
    least: int = 1
    most: int = 65_535


_EVERY: Final = Setting(
    "every_s", "number", "收取间隔（秒）", "Every (seconds)", 60, (), 10, 86_400
)
_TLS: Final = ("tls", "starttls", "none")

SETTINGS: Final[Mapping[str, tuple[Setting, ...]]] = {
    "file": (),
    "push": (),
    "imap": (
        Setting("host", "host", "收信服务器（IMAP）", "IMAP server"),
        Setting("port", "number", "端口", "Port", 993),
        Setting("tls", "choice", "加密", "Encryption", "tls", _TLS),
        Setting("user", "text", "账号", "User"),
        Setting("password", "secret", "密码或授权码", "Password"),
        Setting("folder", "text", "文件夹", "Folder", "INBOX"),
        _EVERY,
        Setting("acknowledge", "flag", "自动回复查询码", "Answer with the query code", False),
        Setting("smtp_host", "host", "发信服务器（SMTP）", "SMTP server", ""),
        Setting("smtp_port", "number", "发信端口", "SMTP port", 465),
        Setting("smtp_tls", "choice", "发信加密", "SMTP encryption", "tls", _TLS),
        Setting("from", "email", "发件地址", "Sender", ""),
    ),
    "open311_pull": (
        Setting("url", "url", "接口地址", "Endpoint"),
        Setting("jurisdiction", "text", "辖区标识", "Jurisdiction", ""),
        Setting("format", "choice", "格式", "Format", "json", ("json", "xml")),
        Setting("api_key", "secret", "接口密钥", "API key", ""),
        _EVERY,
    ),
    "open311_offer": (),
}


@dataclass(frozen=True)
class IntakeSource:
    """One source of a hearing. `address` is what an outside system calls it by, alone in the whole
    installation; `mapping` says what a file's columns mean; `state` is where its connector stood;
    `counts` are those of the last run, `totals` of all; `error` is a code of the catalogue, empty
    after a run without one. Times are milliseconds since 1970, 0 = never."""

    id: int
    key: str
    name: str
    connector: str
    channel: str
    address: str
    paused: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    mapping: Mapping[str, str | None] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    next_at: int = 0
    last_at: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    error_at: int = 0


@dataclass(frozen=True, slots=True)
class SourceKey:
    """A key that a sender signs or calls with; `until` 0 = until it is replaced."""

    id: str
    secret: str = field(repr=False)
    made_at: int
    until: int = 0

    def good(self, now: int) -> bool:
        """Whether it still counts."""
        return not self.until or now < self.until


def with_key(keys: Sequence[SourceKey], new: SourceKey, now: int) -> tuple[SourceKey, ...]:
    """The keys once `new` is the newest: the one before stays good for `OVERLAP_MS`, older ones end."""
    still = [one for one in keys if one.good(now)][-(MOST_KEYS - 1) :]
    ending = [
        SourceKey(one.id, one.secret, one.made_at, one.until or now + OVERLAP_MS) for one in still
    ]
    return (*ending, new)


def keys_of(secrets: Mapping[str, Any]) -> tuple[SourceKey, ...]:
    """The keys among a source's opened secrets."""
    return tuple(SourceKey(**one) for one in secrets.get("keys", ()))


def kept_keys(keys: Iterable[SourceKey]) -> list[dict[str, Any]]:
    """The keys as they are sealed."""
    return [
        {"id": one.id, "secret": one.secret, "made_at": one.made_at, "until": one.until}
        for one in keys
    ]


def check_source(key: str, name: str, connector: str, channel: str) -> None:
    """`source_unknown` for a key that is none, `malformed` for anything else that is wrong."""
    if not KEY_FORM.fullmatch(key):
        raise Refusal("source_unknown")
    if connector not in CONNECTORS:
        raise Refusal("malformed", place="connector")
    if channel not in CHANNELS:
        raise Refusal("malformed", place="channel")
    check_name(name)


def check_name(name: str) -> None:
    """A source's name has 1 to `NAME_LONGEST` characters."""
    if not name:
        raise Refusal("malformed", place="name")
    if len(name) > NAME_LONGEST:
        raise Refusal("text_too_long", most=NAME_LONGEST, place="name")


_MEANING: Final = re.compile(r"[a-z_]{1,40}")
MOST_COLUMNS: Final = 500


def checked_mapping(
    mapping: Mapping[str, str | None], clean: Callable[[str], str]
) -> dict[str, str | None]:
    """What columns mean, by header: the canonical name of the normal form, or None."""
    if len(mapping) > MOST_COLUMNS:
        raise Refusal("malformed", place="mapping")
    for meaning in mapping.values():
        if meaning is not None and not _MEANING.fullmatch(meaning):
            raise Refusal("malformed", place="mapping")
    return {clean(header): meaning for header, meaning in mapping.items()}


_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?|::1")
_URL: Final = re.compile(r"https?://[A-Za-z0-9\[\]._~:/?#@!$&'()*+,;=%-]{1,500}")
_EMAIL: Final = re.compile(r"[^\s@<>\"]{1,64}@[A-Za-z0-9.-]{1,253}")


def settled(
    connector: str, given: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """What a connector was told, checked and completed: (settings, secrets that were given).

    With `before` only what is given changes. `setting_wrong` names the first that is wrong.
    """
    table = {one.name: one for one in SETTINGS[connector]}
    for name in given:
        if name not in table:
            raise Refusal("unknown_field", field=name[:80])
    settings: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for one in table.values():
        if one.kind == "secret":
            if given.get(one.name):
                secrets[one.name] = str(_value(one, given[one.name]))
            elif one.default is None and before is None:
                raise _wrong(one)
            continue
        if one.name in given:
            settings[one.name] = _value(one, given[one.name])
        elif before is not None and one.name in before:
            settings[one.name] = before[one.name]
        elif one.default is None:
            raise _wrong(one)
        else:
            settings[one.name] = one.default
    if settings.get("acknowledge") and not (settings["smtp_host"] and settings["from"]):
        raise _wrong(table["smtp_host"])
    return settings, secrets


_SECRET: Final = frozenset(
    one.name for table in SETTINGS.values() for one in table if one.kind == "secret"
)


def unsecret(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a connector was told, with its secrets' names alone: no hash is kept of what is secret, that
    anybody could try passwords against."""
    return {name: None if name in _SECRET else value for name, value in told.items()}


def _value(one: Setting, value: Any) -> object:
    if one.kind == "flag":
        if not isinstance(value, bool):
            raise _wrong(one)
        return value
    if one.kind == "number":
        if not isinstance(value, int) or isinstance(value, bool):
            raise _wrong(one)
        if not one.least <= value <= one.most:
            raise _wrong(one)
        return value
    if not isinstance(value, str) or len(value) > 500 or not value.isprintable():
        raise _wrong(one)
    text = value if one.kind == "secret" else value.strip()
    if not text and one.default is not None:
        return one.default
    form = {"host": _HOST, "url": _URL, "email": _EMAIL}.get(one.kind)
    fits = form.fullmatch(text) if form else (text in one.choices if one.choices else text)
    if not fits:
        raise _wrong(one)
    return text


def _wrong(one: Setting) -> Refusal:
    return Refusal("setting_wrong", setting=(one.zh, one.en), place=one.name)


def source_state(one: IntakeSource, keys: Sequence[SourceKey] = ()) -> dict[str, Any]:
    """A source as the API tells it; never a secret."""
    return {
        "key": one.key,
        "name": one.name,
        "connector": one.connector,
        "channel": one.channel,
        "address": one.address,
        "paused": one.paused,
        "settings": dict(one.settings),
        "mapping": dict(one.mapping),
        "version": one.version,
        "last_at": one.last_at or None,
        "counts": dict(one.counts),
        "totals": dict(one.totals),
        "error": one.error or None,
        "error_at": one.error_at or None,
        "keys": [
            {"id": key.id, "made_at": key.made_at, "until": key.until or None} for key in keys
        ],
    }

"""Signing in with an account."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit


@dataclass(frozen=True)
class SignedIn:
    """A person whom this browser is signed in as."""

    label: str
    name: str
    target: str


@dataclass(frozen=True)
class Login:
    """The page. `said` is why the last try did not work; `login` is kept, the password is not."""

    login: str
    next: str
    said: str
    known: tuple[SignedIn, ...]


def local_path(wanted: str) -> str:
    """`wanted` if it is an address on this site, else "". Browsers drop control characters and
    take a backslash for a slash, so nothing with either is followed."""
    if not wanted.startswith("/") or wanted.startswith("//"):
        return ""
    if "\\" in wanted or any(ord(letter) <= 0x20 for letter in wanted):
        return ""
    return wanted


def landing(wanted: str, label: str, lang: str) -> str:
    """Where a person who signed in goes: the wanted page as that person, or the office."""
    parts = urlsplit(local_path(wanted) or "/office")
    query = {**dict(parse_qsl(parts.query)), "seat": label}
    query.setdefault("lang", lang)
    return f"{parts.path}?{urlencode(query)}"

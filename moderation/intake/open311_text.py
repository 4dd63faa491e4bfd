"""Documents of Open311 GeoReport v2, JSON and XML, read into one shape and written from it. Pure.

What is said is a text, a list, an object by name, or ``None`` where it is empty: the two formats then
say the same. Numbers stay the texts that they were written as, so that no number of a request loses a
digit.
"""

from __future__ import annotations

import html
import json
import pyexpat
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn, TypeAlias

from moderation.intake.refusals import refused

Told: TypeAlias = "str | list[Told] | dict[str, Told] | None"

BYTES_MOST: Final = 8 * 1024 * 1024
DEPTH_MOST: Final = 16
PARTS_MOST: Final = 200_000
"""Elements of an XML document; a thousand requests have 20,000. JSON may have twice as many marks, of
which texts hold some."""

ONE_OF: Final[Mapping[str, str]] = {
    "services": "service",
    "service_requests": "request",
    "errors": "error",
    "attributes": "attribute",
    "values": "value",
    "endpoints": "endpoint",
    "formats": "format",
}
"""Names of lists in XML → the name of each thing in them. JSON has the bare list."""


def read_document(body: bytes, form: str) -> Told:
    """What a document says; ``form`` is ``json`` or ``xml``.

    Raises :class:`FileRefused`: ``open311_too_large``, ``open311_not_json`` and
    ``open311_leading_zero`` with line and column, ``open311_not_xml`` with line and column,
    ``open311_doctype``, ``open311_too_deep`` (or too many things), ``open311_encoding``.
    """
    if len(body) > BYTES_MOST:
        raise refused("open311_too_large", limit=BYTES_MOST // 1024 // 1024)
    return _read_json(body) if form == "json" else _read_xml(body)


# ── JSON ──


def _read_json(body: bytes) -> Told:
    if sum(map(body.count, (b"[", b"{", b","))) > 2 * PARTS_MOST:
        raise refused("open311_too_deep", limit=DEPTH_MOST)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused("open311_encoding", byte=error.start + 1) from None
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        zero = _leading_zero(text, error.pos)
        if zero is not None:
            line, column = _place(text, zero)
            raise refused("open311_leading_zero", line=line, column=column) from None
        raise refused("open311_not_json", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise refused("open311_too_deep", limit=DEPTH_MOST) from None
    return _plain(found, 0)


def _no_number(word: str) -> NoReturn:
    """``NaN`` and ``Infinity`` are no JSON, whatever Python says."""
    raise json.JSONDecodeError(word, word, 0)


def _leading_zero(text: str, at: int) -> int | None:
    """Where the number begins that is broken off at ``at`` because it begins with 0: the specification's
    own examples write ``"service_code":001``."""
    if at < len(text) and text[at].isdigit() and at > 0 and text[at - 1] == "0":
        return at - 2 if text[at - 2 : at - 1] == "-" else at - 1
    return None


def _place(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _plain(value: Any, depth: int) -> Told:
    if depth > DEPTH_MOST:
        raise refused("open311_too_deep", limit=DEPTH_MOST)
    if isinstance(value, dict):
        return {name: _plain(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one, depth + 1) for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return (str(value).strip() or None) if value is not None else None


def written_json(told: Any) -> bytes:
    """The document as JSON."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


# ── XML ──

_CHINESE: Final = re.compile(
    rb"\A\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"'](gb2312|gbk|gb18030)[\"']", re.I
)


def _read_xml(body: bytes) -> Told:
    encoding = None
    if _CHINESE.match(body):
        # The parser knows no encoding of more than one byte but Unicode's.
        try:
            body, encoding = body.decode("gb18030").encode(), "utf-8"
        except UnicodeDecodeError as error:
            raise refused("open311_encoding", byte=error.start + 1) from None
    tree = _Tree()
    parser = pyexpat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    # Without a DTD there are no entities but the five of XML itself: nothing grows, nothing is fetched.
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.EntityDeclHandler = _no_doctype
    parser.ExternalEntityRefHandler = _no_doctype
    try:
        parser.Parse(body, True)
    except pyexpat.ExpatError as error:
        raise refused("open311_not_xml", line=error.lineno, column=error.offset + 1) from None
    except (LookupError, ValueError):  # an encoding that nobody here knows
        raise refused("open311_encoding", byte=1) from None
    return tree.root


def _no_doctype(*_: object) -> NoReturn:
    raise refused("open311_doctype")


class _Tree:
    """What the parser tells, as it is told. A level is (name, things in it, text)."""

    def __init__(self) -> None:
        self.root: Told = None
        self._open: list[tuple[str, list[tuple[str, Told]], list[str]]] = []
        self._parts = 0

    def start(self, name: str, _: object) -> None:
        self._parts += 1
        if len(self._open) >= DEPTH_MOST or self._parts > PARTS_MOST:
            raise refused("open311_too_deep", limit=DEPTH_MOST)
        # A prefix says whose name it is; none of them is anybody else's.
        self._open.append((name.rpartition(":")[2], [], []))

    def text(self, text: str) -> None:
        self._open[-1][2].append(text)

    def end(self, _: str) -> None:
        name, inside, texts = self._open.pop()
        told: Told
        if name in ONE_OF:
            told = [one for _, one in inside]
        elif inside:
            told = dict(inside)
        else:
            told = "".join(texts).strip() or None
        if self._open:
            self._open[-1][1].append((name, told))
        else:
            self.root = told


_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def written_xml(root: str, told: Any) -> bytes:
    """The document as XML under this root."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', _element(root, told)]
    return "\n".join(lines).encode()


def _element(name: str, told: Any) -> str:
    if told is None or told == "":
        return f"<{name}/>"
    if isinstance(told, Mapping):
        inside = "".join(_element(key, one) for key, one in told.items())
    elif isinstance(told, Sequence) and not isinstance(told, str):
        inside = "".join(_element(ONE_OF.get(name, "value"), one) for one in told)
    else:
        text = str(told).lower() if isinstance(told, bool) else str(told)
        inside = html.escape(_NO_XML.sub("", text), quote=False)
    return f"<{name}>{inside}</{name}>"

"""A letter's HTML as the text that its reader saw. Pure.

Nothing is fetched and nothing runs: scripts, styles and comments are left out, every other tag is a
line break or nothing. Each look for an end goes forward only, so that no page takes longer than its
length.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

_TAG: Final = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,15})")
_SPACES: Final = re.compile(r"[ \t\r\n\f]+")
_LINES: Final = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tr",
        "ul",
    ]
)
_CELLS: Final = frozenset({"td", "th"})
_UNSEEN: Final = frozenset(
    [
        "head",
        "iframe",
        "math",
        "noscript",
        "object",
        "script",
        "select",
        "style",
        "svg",
        "template",
        "textarea",
        "title",
    ]
)
_QUOTED_MOST: Final = 8
"""How many ``>`` inside quotation marks an attribute may hold."""
_TAG_MOST: Final = 4_000
"""Beyond this nobody looks for quotation marks that are open."""


def text_of_html(html: str) -> str:
    """The words of a page, its blocks on lines of their own, character references resolved."""
    pieces: list[str] = []
    ends: dict[str, int] = {}
    at = 0
    while True:
        start = html.find("<", at)
        if start < 0:
            pieces.append(_words(html[at:]))
            break
        pieces.append(_words(html[at:start]))
        if html.startswith("<!--", start):
            end = html.find("-->", start + 4)
            if end < 0:
                break
            at = end + 3
            continue
        tag = _TAG.match(html, start + 1)
        if tag is None and html[start + 1 : start + 2] not in {"!", "?"}:
            pieces.append("<")
            at = start + 1
            continue
        end = _end_of_tag(html, start)
        if end < 0:  # A tag that nothing ends swallows the rest, as it does in a browser.
            break
        at = end + 1
        name = tag[1].lower() if tag else ""
        if name in _LINES:
            pieces.append("\n")
        elif name in _CELLS and not html.startswith("/", start + 1):
            pieces.append(" ")
        elif name in _UNSEEN and not html.startswith("/", start + 1) and html[end - 1] != "/":
            at = _after(html, name, at, ends)
    lines = "".join(pieces).split("\n")
    return "\n".join(line.strip() for line in lines)


def _words(text: str) -> str:
    return unescape(_SPACES.sub(" ", text)) if text else ""


def _end_of_tag(html: str, start: int) -> int:
    end, looked = html.find(">", start), 0
    while 0 <= end < start + _TAG_MOST and looked < _QUOTED_MOST and _is_open(html[start:end]):
        further = html.find(">", end + 1)
        if further < 0:
            break
        end, looked = further, looked + 1
    return end


def _is_open(tag: str) -> bool:
    """Whether the tag so far ends inside a quotation: `alt="a > b"`."""
    return "=" in tag and tag.count('"') % 2 == 1


def _after(html: str, name: str, at: int, ends: dict[str, int]) -> int:
    """Where the page goes on after an element that is not shown. A missing end is looked for once."""
    if ends.get(name) == -1:
        return at if name in {"head", "title", "object", "select"} else len(html)
    found = re.compile(rf"</{name}[ \t\r\n/]*>", re.IGNORECASE).search(html, at)
    if found is None:
        ends[name] = -1
        return at if name in {"head", "title", "object", "select"} else len(html)
    return found.end()

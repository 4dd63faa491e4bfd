"""Bytes of letters to text, whatever their label says. Pure.

Chinese mail programs say GB2312 and write GBK, GB18030 or UTF-8; others say nothing at all. A label is
believed only as far as the bytes bear it out, and nothing here ever fails.
"""

from __future__ import annotations

import re
from typing import Final

_GB: Final = "gb18030"
_BIG5: Final = "big5hkscs"
_KNOWN: Final = {
    **dict.fromkeys(
        [
            "gb2312",
            "gb_2312-80",
            "gb2312-80",
            "gbk",
            "x-gbk",
            "cp936",
            "ms936",
            "windows-936",
            "euc-cn",
            "gb18030",
            "gb18030-2000",
            "chinese",
            "csgb2312",
            "gb",
        ],
        _GB,
    ),
    **dict.fromkeys(["big5", "big5-hkscs", "big5hkscs", "x-x-big5", "cp950", "csbig5"], _BIG5),
    **dict.fromkeys(["utf-8", "utf8", "unicode-1-1-utf-8", "utf-8-sig", "utf8mb4"], "utf-8"),
    **{
        one: one
        for one in [
            "hz-gb-2312",
            "utf-7",
            "utf-16",
            "utf-16le",
            "utf-16be",
            "utf-32",
            "iso-2022-jp",
            "shift_jis",
            "euc-jp",
            "euc-kr",
            "koi8-r",
            "koi8-u",
            "windows-1250",
            "windows-1251",
            "windows-1252",
            "windows-1253",
            "windows-1254",
            "iso-8859-1",
            "iso-8859-2",
            "iso-8859-5",
            "iso-8859-7",
            "iso-8859-9",
            "iso-8859-15",
            "macroman",
        ]
    },
}
"""Labels that are believed at all. Python knows others that are no charset of letters (`punycode`,
`unicode_escape`), some of them slow."""
_WEST: Final = frozenset({"iso-8859-1", "windows-1252", "iso-8859-15"})
_HIGH: Final = re.compile(rb"[\x80-\xff]")
_CUT_CHARACTER: Final = 3
"""Bytes that a text cut off inside a character may end with."""


def label_of(name: str) -> str:
    """The codec of a charset's name, "" where the name says nothing that is known."""
    return _KNOWN.get(name.strip().strip("\"'").lower().replace("_", "-"), "") or _KNOWN.get(
        name.strip().strip("\"'").lower(), ""
    )


def decoded(data: bytes, label: str = "") -> str:
    """The text. `label` is what its sender calls the charset. What cannot be read becomes U+FFFD."""
    codec = label_of(label)
    if codec in {"utf-7", "hz-gb-2312", "iso-2022-jp"}:  # these write everything in seven bits
        return data.decode(codec, "replace") if not _HIGH.search(data) else _detected(data)
    if codec.startswith(("utf-16", "utf-32")):
        return data.decode(codec, "replace")
    if not _HIGH.search(data):
        return data.decode("ascii")
    if codec == "utf-8":
        return _as_utf8(data)
    if codec == _GB:
        return data.decode("utf-8", "replace") if _is_chinese_utf8(data) else _strictly(data, _GB)
    if codec == _BIG5:
        return data.decode("utf-8", "replace") if _is_chinese_utf8(data) else _strictly(data, _BIG5)
    if not codec or codec in _WEST:
        # A western label on a text with many high bytes is a mail program's default, not a language.
        few = len(_HIGH.findall(data)) * 3 < len(data)
        return data.decode(codec, "replace") if codec and few else _detected(data)
    return _strictly(data, codec)


def _detected(data: bytes) -> str:
    for codec in ("utf-8", _GB, _BIG5):
        found = _strict(data, codec)
        if found is not None:
            return found
    return _as_utf8(data)


def _as_utf8(data: bytes) -> str:
    found = _strict(data, "utf-8")
    if found is not None:
        return found
    loose = data.decode("utf-8", "replace")
    # A few broken bytes in a UTF-8 text are still UTF-8; GBK called UTF-8 breaks nearly everywhere.
    if loose.count("\ufffd") * 20 > len(_HIGH.findall(data)):
        return data.decode(_GB, "replace")
    return loose


def _strictly(data: bytes, codec: str) -> str:
    found = _strict(data, codec)
    if found is None and (utf8 := _strict(data, "utf-8")) is not None:
        return utf8
    return data.decode(codec, "replace") if found is None else found


def _strict(data: bytes, codec: str) -> str | None:
    """The text if the bytes are of this charset, but for a last character that was cut off."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        if error.start < len(data) - _CUT_CHARACTER:
            return None
        try:
            return data[: error.start].decode(codec) + "\ufffd"
        except UnicodeDecodeError:
            return None
    except (UnicodeError, LookupError):
        return None


def _is_chinese_utf8(data: bytes) -> bool:
    """Whether bytes that are called GBK are UTF-8 with East Asian characters: three bytes each. Two
    characters of GBK are four bytes, and next to never fit that."""
    found = _strict(data, "utf-8")
    return found is not None and all(one < "\x80" or one >= "\u2000" for one in found)

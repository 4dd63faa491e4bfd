"""The district in what a source tells of a place, and what it tells below it. Pure."""

from __future__ import annotations

import re

_HAN = "[\u3400-\u9fff]"
_DISTRICT = re.compile(
    rf"(?:{_HAN}{{2,8}}?(?:自治区|特别行政区|省))?(?:{_HAN}{{1,6}}?市|{_HAN}{{2,12}}?自治州|{_HAN}{{2,6}}?(?:地区|盟))?"
    rf"({_HAN}{{2,12}}?自治[县旗]|{_HAN}{{1,6}}?[区县旗市])"
)
"""What it lies in, which is no part of its name, and the district itself."""
_LARGER = ("自治区", "特别行政区", "地区")
_BELOW = ("社区", "小区", "园区", "校区", "片区", "街区", "厂区", "院区", "景区", "矿区", "营区")
_ENGLISH = re.compile(r"[A-Z][A-Za-z' -]{1,30} (?:District|County|City)")


def district_of(told: str) -> str:
    """The district that a source names, without anything below it; empty where it names none."""
    return split(told)[0]


def split(told: str) -> tuple[str, str]:
    """(the district that a source names, what it tells below it); all of it is below where none is named."""
    text = "".join(told.split())
    found = _DISTRICT.match(text)
    if found and not found[1].endswith((*_LARGER, *_BELOW)):
        return found[1], text[found.end() :]
    english = _ENGLISH.match(told.strip())
    if english:
        return english[0], told.strip()[english.end() :].strip()
    return "", text

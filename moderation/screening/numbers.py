"""Numbers that lead to a person: e-mail, resident id, bank card, telephone, plate. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from moderation.screening.spans import Finder, Kind, whole

_EMAIL: Final = re.compile(
    r"[A-Za-z0-9._%+-]{1,64} ?@ ?"
    r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,5}\.[A-Za-z]{2,24}"
)
_RESIDENT_ID: Final = re.compile(
    r"(?<![0-9])[1-9](?:[ -]?[0-9]){16}[ -]?[0-9Xx](?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z-])[1-9][0-9]{14}(?![0-9A-Za-z])"
)
# A cue reaches over a few words, never over a sentence's end or another mask.
_ID_CUE: Final = re.compile(r"(?<!\[)(?:身份证|证件|公民身份)[^0-9。;\n\0\]]{0,10}$")
_BANK_CARD: Final = re.compile(r"(?<![0-9A-Za-z-])[1-9](?:[ -]?[0-9]){14,18}(?![0-9A-Za-z])")
_BANK_CUE: Final = re.compile(
    r"(?<!\[)(?<!\[银行)(?:银行|卡号|账号|帐号|账户|帐户|户头)[^0-9。;\n\0\]]{0,12}$"
)

_GAP: Final = re.compile("[ -]")
_ORDER_CUE: Final = re.compile("(?:单号|编号|订单|合同号|案号|证号)[:为是]{0,2} ?$")
_DATED: Final = re.compile("[0-9]{6}-[0-9]{5}$")
"""191120-12319 after a word that says order: a day and a number of that day."""
_OTHER_NUMBER: Final = re.compile("编号|单号|合同|案号|证号|文号|工号")
"""What stands between a word that says telephone and a number that is none."""

# Capitals before a number make it an order's (FZ16100800318), unless they say what it is.
_NUMBER_START: Final = r"(?:(?<![0-9A-Z])|(?<=TEL)|(?<=PHONE)|(?<=MOBILE)|(?<=QQ)|(?<=[WV]X))"
_MOBILE: Final = re.compile(
    rf"{_NUMBER_START}(?:(?:\((?:\+ ?|00)?86\)|(?:\+ ?|00)?86|0)[ -]{{0,3}})?"
    r"(?P<number>1(?:[ -]{0,3}[0-9]){10})"
    r"(?![0-9])(?!(?:\.[0-9]+)?[万亿]?元)"
)
_MOBILE_GROUPS: Final = re.compile(
    "11|3 4 4|4 3 4|3 3 5|3 5 3|5 6|6 5|4 4 3|5 3 3|3 8|7 4|1 10|3 2 2 2 2|3 4 2 2|3 2 2 4|"
    "1 1 1 1 1 1 1 1 1 1 1"
)
"""How many digits stand together where people put spaces or dashes into a number."""

_LOCAL: Final = r"[2-9](?:[0-9]{7}|[0-9]{6}|[0-9]{3}[ -][0-9]{4}|[0-9]{2}[ -][0-9]{4})(?![0-9])"
_EXTENSION: Final = r"(?: ?(?:-|转|分机|[Ee]xt\.?) ?[0-9]{1,6}(?![0-9]))?"
_ANOTHER: Final = rf"(?: ?[、/,;或和] ?{_LOCAL}{_EXTENSION})*"
_AREA: Final = "(?:10|2[0-9]|[3-9][0-9]{2})"
_LANDLINE: Final = re.compile(
    rf"{_NUMBER_START}(?:\(0{_AREA}\)|0{_AREA}|(?:\((?:\+|00)86\)|(?:\+|00)86)[ -]{{0,3}}0?{_AREA})"
    rf"[ -]{{0,3}}{_LOCAL}{_EXTENSION}{_ANOTHER}"
)
_LANDLINE_BY_CUE: Final = re.compile(
    r"(?:电话(?![费卡亭线诈])|座机|(?<!\[)固话|致电|传真|拨打|tel(?:ephone)?|phone|联系方式)"
    r"[^0-9A-Za-z。,;!?\n\0\]]{0,8}"
    rf"(?P<number>{_LOCAL}{_EXTENSION}{_ANOTHER})(?![A-Za-z年月]|\.[0-9]|[万亿]?元|次|户|人)",
    re.IGNORECASE,
)

_PLATE: Final = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼] ?[A-Z] ?[· .-]? ?"
    r"(?P<serial>[DFABCEGHJK][A-Z0-9][0-9]{4}|[0-9]{5}[DFABCEGHJK]|"
    r"[A-Z0-9]{4}(?:[A-Z0-9]|[挂学警港澳领试超]))(?![A-Z0-9])",
    re.IGNORECASE,
)


# ── Telling the real from the look-alike ─────────────────────────────────────────────────────

_CUE_REACH: Final = 20
_NOT_DIGITS: Final = re.compile("[^0-9Xx]")
_PROVINCES: Final = frozenset(
    map(str, (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55)))
) | frozenset(map(str, (*range(61, 66), 71, 81, 82, 83, 91)))
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_OLDEST_SHORT_ID: Final = 26
"""15-digit ids write the year with two digits and ended in 1999: a smaller one would belong to
somebody born before 1926, far more likely it is an order number made of district and date."""


def _follows(cue: re.Pattern[str], flat: str, start: int) -> bool:
    """Whether the cue word stands shortly before ``start``."""
    return cue.search(flat[max(0, start - _CUE_REACH) : start]) is not None


def _is_resident_id(number: str, cued: bool) -> bool:
    """Province and date of birth hold, and the check digit (ISO 7064 MOD 11-2) of a long one.

    After a word that says identity card the rest is believed: a mistyped id is personal too.
    """
    if len(number) == 15:
        sure = int(number[6:8]) >= _OLDEST_SHORT_ID and _is_date("19" + number[6:12])
    else:
        total = sum(int(each) * weight for each, weight in zip(number, _ID_WEIGHTS, strict=False))
        sure = number[17] == "10X98765432"[total % 11] and _is_date(number[6:14])
        sure = sure and number[6:8] in ("18", "19", "20")
    return cued or (sure and number[:2] in _PROVINCES)


def _is_bank_card(number: str, cued: bool) -> bool:
    """The check digit (Luhn) holds, and a word says card or the number is a UnionPay one."""
    if not cued and not (number.startswith("62") and len(number) in (16, 19)):
        return False
    digits = [int(digit) for digit in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def _is_mobile(found: str) -> bool:
    """The second digit is 3–9, and spaces or dashes stand where people put them."""
    groups = re.split("[ -]+", found)
    lengths = " ".join(str(len(group)) for group in groups)
    return "".join(groups)[1] in "3456789" and bool(_MOBILE_GROUPS.fullmatch(lengths))


def _is_compact_date(number: str) -> bool:
    return len(number) == 8 and number[:2] in ("19", "20") and _is_date(number)


def _is_date(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return True


def _find_emails(flat: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _EMAIL.finditer(flat)) if "@" in flat else iter(())


def _find_resident_ids(flat: str) -> Iterator[tuple[int, int]]:
    for found in _RESIDENT_ID.finditer(flat):
        cued = _follows(_ID_CUE, flat, found.start())
        if _is_resident_id(_NOT_DIGITS.sub("", found[0]).upper(), cued):
            yield found.span()


def _find_bank_cards(flat: str) -> Iterator[tuple[int, int]]:
    at = 0
    while found := _BANK_CARD.search(flat, at):
        cued = _follows(_BANK_CUE, flat, found.start())
        if _is_bank_card(_NOT_DIGITS.sub("", found[0]), cued):
            at = found.end()
            yield found.span()
        else:  # perhaps another number stands before the card's, with no more than a space between
            gap = _GAP.search(flat, found.start(), found.end())
            at = gap.end() if gap else found.end()


def _find_mobiles(flat: str) -> Iterator[tuple[int, int]]:
    for found in _MOBILE.finditer(flat):
        dated = _DATED.match(found["number"]) and _follows(_ORDER_CUE, flat, found.start())
        if _is_mobile(found["number"]) and not dated:
            yield found.span()


def _find_landlines_by_cue(flat: str) -> Iterator[tuple[int, int]]:
    for found in _LANDLINE_BY_CUE.finditer(flat):
        gap = flat[found.start() : found.start("number")]
        if not _is_compact_date(found["number"]) and not _OTHER_NUMBER.search(gap):
            yield found.span("number")


def _find_plates(flat: str) -> Iterator[tuple[int, int]]:
    for found in _PLATE.finditer(flat):
        if sum(char.isdigit() for char in found["serial"]) >= 2:
            yield found.span()


NUMBERS: Final[tuple[tuple[Kind, Finder], ...]] = (
    ("email", _find_emails),
    ("resident_id", _find_resident_ids),
    ("bank_card", _find_bank_cards),
    ("mobile", _find_mobiles),
    ("landline", whole(_LANDLINE)),
    ("landline", _find_landlines_by_cue),
    ("plate", _find_plates),
)
"""The surest first: ten digits inside a checked identity number are no telephone."""

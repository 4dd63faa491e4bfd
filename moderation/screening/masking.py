"""Personal data in texts: found, replaced by a visible mask, the original handed back. Pure.

Law 17: nobody outside the intake desk reads a caller's name, number or door. :func:`mask` works
on one text, :func:`mask_item` on a whole item; what they take out comes back as a value, to be
sealed by whoever stores it. Nothing here logs, and no error carries a text.

The choice at every doubt: a mask too many costs a moderator one logged unmasking, a mask too few
may cost a caller dearly. So a bare number shaped like a mobile *is* one; only shapes that cannot
be one (letters before it, a digit too many, no check digit) are let through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Final, Literal, TypeAlias

from moderation.intake.columns import header_key
from moderation.intake.normal_form import IncomingItem

Kind: TypeAlias = Literal[
    "email", "resident_id", "bank_card", "mobile", "landline", "plate", "requester"
]

MASKS: Final[Mapping[Kind, str]] = {
    "email": "[邮箱]",
    "resident_id": "[身份证号]",
    "bank_card": "[银行卡号]",
    "mobile": "[手机号]",
    "landline": "[固话]",
    "plate": "[车牌]",
    "requester": "[诉求人]",
}
"""What stands in the text instead. No mask looks like anything that is masked."""


@dataclass(frozen=True, slots=True)
class Span:
    """One place: ``text[start:end]`` of the text *before* masking was ``original``."""

    kind: Kind
    start: int
    end: int
    original: str


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked text and what was taken out of it, in order, never overlapping."""

    text: str
    spans: tuple[Span, ...]


def mask(text: str) -> Masked:
    """Replace mobiles, landlines, resident ids, bank cards, e-mails and plates by their masks.

    The same text always gives the same answer, and masking twice changes nothing more.
    """
    return _mask(text, _NOBODY)


def unmask(masked: Masked) -> str:
    """Put the originals back. Masking loses nothing."""
    text = masked.text
    for span in masked.spans:  # what stands left of a span is the original text already
        text = text[: span.start] + span.original + text[span.start + len(MASKS[span.kind]) :]
    return text


def _mask(text: str, requester: _Requester) -> Masked:
    if not _SUSPECT.search(text) and not requester.is_named_in(text):
        return Masked(text, ())
    flat = text.translate(_FLAT)
    spans: list[Span] = []
    looked_at = ""
    while flat != looked_at:  # a find may bare its neighbour: two ids written without a gap
        looked_at = flat
        for kind, find in (("requester", requester.find), *_FINDERS):
            for start, end in tuple(find(flat)):
                spans.append(Span(kind, start, end, text[start:end]))
                flat = f"{flat[:start]}{_TAKEN * (end - start)}{flat[end:]}"
    spans.sort(key=lambda span: span.start)
    pieces: list[str] = []
    done = 0
    for span in spans:
        pieces += (text[done : span.start], MASKS[span.kind])
        done = span.end
    return Masked("".join((*pieces, text[done:])), tuple(spans))


# ── Finding ──────────────────────────────────────────────────────────────────────────────────
# Texts are searched in a flat copy of the same length (full-width digits and letters narrow,
# every dash a hyphen, every middle dot one), so that places found there are places in the text.

_FLAT: Final[Mapping[int, str]] = {
    **{wide: chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(map(ord, "‐‑‒–—―−─－ー~～"), "-"),
    **dict.fromkeys(map(ord, "•‧∙⋅・"), "·"),
    **dict.fromkeys(map(ord, "\u3000\u00a0\u2002\u2003\u2009\t"), " "),
}
_TAKEN: Final = "\0"
"""Written over each find, so that no later one can overlap it or be put off by its letters."""

_SUSPECT: Final = re.compile("[0-9０-９@＠]")
"""Every kind needs one of these: most cells have none and are done with one look."""

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

# Capitals before a number make it an order's (FZ16100800318), unless they say what it is.
_NUMBER_START: Final = r"(?:(?<![0-9A-Z])|(?<=TEL)|(?<=PHONE)|(?<=MOBILE)|(?<=QQ)|(?<=[WV]X))"
_MOBILE: Final = re.compile(
    rf"{_NUMBER_START}(?:\((?:\+ ?|00)?86\)|(?:\+ ?|00)?86|0)?[ -]{{0,3}}"
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


Finder: TypeAlias = Callable[[str], Iterator[tuple[int, int]]]
"""Flat text → the places of one kind, from left to right, not overlapping."""


def _whole(pattern: re.Pattern[str]) -> Finder:
    """Every match is a find."""
    return lambda flat: (found.span() for found in pattern.finditer(flat))


def _find_emails(flat: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _EMAIL.finditer(flat)) if "@" in flat else iter(())


def _find_resident_ids(flat: str) -> Iterator[tuple[int, int]]:
    for found in _RESIDENT_ID.finditer(flat):
        cued = _follows(_ID_CUE, flat, found.start())
        if _is_resident_id(_NOT_DIGITS.sub("", found[0]).upper(), cued):
            yield found.span()


def _find_bank_cards(flat: str) -> Iterator[tuple[int, int]]:
    for found in _BANK_CARD.finditer(flat):
        cued = _follows(_BANK_CUE, flat, found.start())
        if _is_bank_card(_NOT_DIGITS.sub("", found[0]), cued):
            yield found.span()


def _find_mobiles(flat: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in _MOBILE.finditer(flat) if _is_mobile(found["number"]))


def _find_landlines_by_cue(flat: str) -> Iterator[tuple[int, int]]:
    for found in _LANDLINE_BY_CUE.finditer(flat):
        if not _is_compact_date(found["number"]):
            yield found.span("number")


def _find_plates(flat: str) -> Iterator[tuple[int, int]]:
    for found in _PLATE.finditer(flat):
        if sum(char.isdigit() for char in found["serial"]) >= 2:
            yield found.span()


_FINDERS: Final[tuple[tuple[Kind, Finder], ...]] = (
    ("email", _find_emails),
    ("resident_id", _find_resident_ids),
    ("bank_card", _find_bank_cards),
    ("mobile", _find_mobiles),
    ("landline", _whole(_LANDLINE)),
    ("landline", _find_landlines_by_cue),
    ("plate", _find_plates),
)
"""The surest first: ten digits inside a checked identity number are no telephone."""


# ── The requester ────────────────────────────────────────────────────────────────────────────

_NOT_A_NAME: Final = re.compile(
    "(?:匿名|保密|未知|不详|不公开|未公开|实名|无名)?(?:用户|网友|市民|群众|游客|居民|业主|村民|职工|员工|家长|"
    "学生|个人|单位|公司|企业|先生|女士|本人|诉求人|来电人)?"
)


@dataclass(frozen=True, slots=True)
class _Requester:
    """Who wrote: a name in small letters (``""`` = none to look for) and bare numbers."""

    name: str = ""
    numbers: tuple[str, ...] = ()

    @classmethod
    def of(cls, item: IncomingItem) -> _Requester:
        name = item.requester_name.translate(_FLAT).lower()
        parts = re.split("[^0-9 ()+-]+", item.requester_phone.translate(_FLAT))
        numbers = (re.sub("[^0-9]", "", part) for part in parts)
        return cls(
            name if len(name) >= 2 and not _NOT_A_NAME.fullmatch(name) else "",
            tuple(number for number in numbers if 6 <= len(number) <= 20),
        )

    def is_named_in(self, text: str) -> bool:
        return bool(self.name) and self.name in text.translate(_FLAT).lower()

    def find(self, flat: str) -> Iterator[tuple[int, int]]:
        """Where name or numbers stand. A pattern is made only for what is surely there."""
        digits = re.sub("[^0-9]", "", flat) if self.numbers else ""
        spread = ("[ ()-]{0,3}".join(number) for number in self.numbers if number in digits)
        wanted = [rf"(?<![0-9]){number}(?![0-9])" for number in spread]
        if self.is_named_in(flat):
            wanted.append(rf"(?<![0-9A-Za-z]){re.escape(self.name)}(?![0-9A-Za-z])")
        if wanted:
            yield from _whole(re.compile("|".join(wanted), re.IGNORECASE))(flat)


_NOBODY: Final = _Requester()


# ── Items ────────────────────────────────────────────────────────────────────────────────────

_SEALED_WHOLE: Final = ("requester_name", "requester_phone", "location")
"""Taken out altogether. The place complained of is as a rule the caller's own door; district,
subdistrict and community stay, which is what a moderator needs."""

_LISTS: Final = ("category_path", "tags")
_TEXTS: Final = tuple(
    each.name
    for each in fields(IncomingItem)
    if each.type == "str" and each.name not in ("external_id", *_SEALED_WHOLE)
)

_PERSONAL_HEADER: Final = re.compile(
    "姓名|联系人|诉求人|来电人|投诉人|举报人|反映人|写信人|来信人|留言人|当事人|申请人|身份证|证件|"
    "电话|手机|联系方式|传真|邮箱|电子邮件|微信|qq|银行卡|账号|帐号|车牌|住址|地址|户籍|门牌|"
    "e-?mail|phone|mobile|address|wechat|id_?card|requester|caller"
)


def mask_item(item: IncomingItem) -> tuple[IncomingItem, dict[str, str]]:
    """The item as anyone outside the intake desk may read it, and what has to be sealed.

    Every text is masked, the requester's own name and number too wherever they occur; name,
    number, place and each unknown column whose header speaks of a person, a contact or an
    address are taken out whole. The sender's number stays: it is the key.

    ``sealed`` holds the *whole* original of each field changed or taken out, by field name or
    ``extra.HEADER``; :func:`unmask_item` puts it back. It is empty when nothing was found.
    """
    requester = _Requester.of(item)
    sealed: dict[str, str] = {}
    changes: dict[str, object] = {}
    for name in _SEALED_WHOLE:
        if original := getattr(item, name):
            sealed[name], changes[name] = original, ""
    for name in _TEXTS:
        original = getattr(item, name)
        masked = _mask(original, requester).text
        if masked != original:
            sealed[name], changes[name] = original, masked
    for name in _LISTS:  # their parts hold no line break
        original = "\n".join(getattr(item, name))
        masked = _mask(original, requester).text
        if masked != original:
            sealed[name], changes[name] = original, tuple(masked.split("\n"))
    changes["extra"] = extra = {}
    for header, original in item.extra.items():
        personal = _PERSONAL_HEADER.search(header_key(header))
        masked = "" if personal else _mask(original, requester).text
        if masked != original:
            sealed[f"extra.{header}"] = original
        if masked:
            extra[header] = masked
    return replace(item, **changes), sealed  # type: ignore[arg-type]


def unmask_item(item: IncomingItem, sealed: Mapping[str, str]) -> IncomingItem:
    """The item as it came in. For the desk's logged unmasking, and to prove nothing was lost."""
    changes: dict[str, object] = {}
    extra = dict(item.extra)
    for name, original in sealed.items():
        if name.startswith("extra."):
            extra[name.removeprefix("extra.")] = original
        else:
            changes[name] = tuple(original.split("\n")) if name in _LISTS else original
    return replace(item, extra=extra, **changes)  # type: ignore[arg-type]

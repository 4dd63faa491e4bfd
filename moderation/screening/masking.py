"""Personal data in texts: found, replaced by a visible mask, the original handed back. Pure.

Law 17: nobody outside the intake desk reads a caller's name, number or door. :func:`mask` works
on one text, :func:`mask_item` on a whole item; what they take out comes back as a value, to be
sealed by whoever stores it. Nothing here logs, and no error carries a text.

The choice at every doubt: a mask too many costs a moderator one logged unmasking, a mask too few
may cost a caller dearly. So a bare number shaped like a mobile *is* one; only shapes that cannot
be one (letters before it, a digit too many, no check digit) are let through.

What is looked for lies beside this file: `numbers`, `accounts`, `doors`, `names`, `requester`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from moderation.intake.columns import header_key
from moderation.intake.normal_form import IncomingItem
from moderation.screening.accounts import ACCOUNTS
from moderation.screening.doors import DOORS
from moderation.screening.names import find_names
from moderation.screening.numbers import NUMBERS
from moderation.screening.requester import NOBODY, Requester
from moderation.screening.spans import FLAT, MASKS, TAKEN, Finder, Kind, Span
from server.domain.incoming import MaskedNames

__all__ = [
    "MASKS",
    "Kind",
    "Masked",
    "MaskingRules",
    "Span",
    "mask",
    "mask_item",
    "unmask",
    "unmask_item",
]


@dataclass(frozen=True, slots=True)
class MaskingRules:
    """What an operator may choose. Numbers and the requester are masked in any case."""

    names: bool = True
    """Names of people, with and without a title."""
    public_figures_visible: bool = True
    """Who is named by an office (局长王某某) stays: hearings are about the acts of officials."""
    doors: bool = True
    """House, building, entrance and room numbers; district, street and community stay."""

    @classmethod
    def of(cls, names: MaskedNames) -> MaskingRules:
        """What an operator has set."""
        return cls(public_figures_visible=names == "private")


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked text and what was taken out of it, in order, never overlapping."""

    text: str
    spans: tuple[Span, ...]


def mask(text: str, rules: MaskingRules = MaskingRules()) -> Masked:
    """Replace what leads to a person (the kinds of :data:`MASKS`) by its mask.

    The same text always gives the same answer, and masking twice changes nothing more.
    """
    return _mask(text, NOBODY, rules)


def unmask(masked: Masked) -> str:
    """Put the originals back. Masking loses nothing."""
    text = masked.text
    for span in masked.spans:  # what stands left of a span is the original text already
        text = text[: span.start] + span.original + text[span.start + len(MASKS[span.kind]) :]
    return text


_SUSPECT: Final = re.compile("[0-9０-９@＠零〇一二三四五六七八九十百两A-Za-zＡ-Ｚａ-ｚ]")
"""Every kind but names needs one of these: most cells have none and are done with one look."""


ROUNDS: Final = 8
"""How often names are looked for in a text whose names bare one another. Nobody writes so many without
a mark between them; without a bound such a text would take as long as its length squared."""


def _mask(text: str, requester: Requester, rules: MaskingRules) -> Masked:
    """Looks again until nothing more is found: a find may bare its neighbour, as two ids written
    without a gap do."""
    if not text:  # Most fields of most items.
        return Masked("", ())
    finders: list[tuple[Kind, Finder]] = []
    if requester.is_named_in(text) or _SUSPECT.search(text):
        finders = [("requester", requester.find), *NUMBERS, *ACCOUNTS]
        finders += DOORS if rules.doors else ()
    flat = text.translate(FLAT)
    spans: list[Span] = []
    looked_at = named = ""
    rounds = 0
    while flat != looked_at:
        looked_at = flat
        for kind, find in finders:
            for start, end in tuple(find(flat)):
                spans.append(Span(kind, start, end, text[start:end]))
                flat = _taken(flat, start, end)
        if rules.names and flat != named and rounds < ROUNDS:
            named = flat
            rounds += 1
            spans.sort(key=lambda span: span.start)
            for start, end in tuple(_names(flat, spans, rules)):
                spans.append(Span("name", start, end, text[start:end]))
                flat = _taken(flat, start, end)
    spans.sort(key=lambda span: span.start)
    return Masked(_with_masks(text, spans), tuple(spans))


def _taken(flat: str, start: int, end: int) -> str:
    return f"{flat[:start]}{TAKEN * (end - start)}{flat[end:]}"


def _with_masks(text: str, spans: Sequence[Span]) -> str:
    pieces: list[str] = []
    done = 0
    for span in spans:
        pieces += (text[done : span.start], MASKS[span.kind])
        done = span.end
    return "".join((*pieces, text[done:]))


_ANY_MASK: Final = re.compile("|".join(map(re.escape, MASKS.values())))


def _names(flat: str, spans: Sequence[Span], rules: MaskingRules) -> Iterator[tuple[int, int]]:
    """Names are told by what stands around them, so they are looked for in the text as it will
    read, masks in their places: else a second masking would see what the first did not."""
    seen = _with_masks(flat, spans)
    masks = [found.span() for found in _ANY_MASK.finditer(seen)]
    shifts = _shifts(spans)
    for start, end in find_names(seen, rules.public_figures_visible):
        if not any(a < end and start < b for a, b in masks):
            shift = next(by for at, by in shifts if start >= at)
            yield start + shift, end + shift


def _shifts(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """From the last place back: from where on in the masked text, how far it is to the flat one."""
    shifts = [(0, 0)]
    by = 0
    for span in spans:
        by += span.end - span.start - len(MASKS[span.kind])
        shifts.append((span.end - by, by))
    return shifts[::-1]


# ── Items ────────────────────────────────────────────────────────────────────────────────────

_SEALED_WHOLE: Final = ("requester_name", "requester_phone", "location")
"""Taken out altogether. The place complained of is as a rule the caller's own door; district,
subdistrict and community stay, which is what a moderator needs."""

_WRITTEN: Final = frozenset({"content", "title", "result", "reply", "public_reply", "dispatcher"})
"""Fields that people write freely. The others are chosen from lists or name agencies and places:
names and doors are not looked for there, numbers are."""

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


def mask_item(
    item: IncomingItem, rules: MaskingRules = MaskingRules()
) -> tuple[IncomingItem, dict[str, str]]:
    """The item as anyone outside the intake desk may read it, and what has to be sealed.

    Every text is masked, the requester's own name and number too wherever they occur; name,
    number, place and each unknown column whose header speaks of a person, a contact or an
    address are taken out whole. The sender's number stays: it is the key.

    ``sealed`` holds the *whole* original of each field changed or taken out, by field name or
    ``extra.HEADER``; :func:`unmask_item` puts it back. It is empty when nothing was found.
    """
    requester = Requester.of(item)
    numbers = replace(rules, names=False, doors=False)
    sealed: dict[str, str] = {}
    changes: dict[str, object] = {}
    for name in _SEALED_WHOLE:
        if original := getattr(item, name):
            sealed[name], changes[name] = original, ""
    for name in _TEXTS:
        original = getattr(item, name)
        masked = _mask(original, requester, rules if name in _WRITTEN else numbers).text
        if masked != original:
            sealed[name], changes[name] = original, masked
    for name in _LISTS:  # their parts hold no line break
        original = "\n".join(getattr(item, name))
        masked = _mask(original, requester, numbers).text
        if masked != original:
            sealed[name], changes[name] = original, tuple(masked.split("\n"))
    changes["extra"] = extra = {}
    for header, original in item.extra.items():
        personal = _PERSONAL_HEADER.search(header_key(header))
        masked = "" if personal else _mask(original, requester, rules).text
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

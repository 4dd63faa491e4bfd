"""A work order of a hotline beside the question it became: what its source knows of it. Pure.

An order is not a question: whether the source settled it, who handled it and how its caller judged
that stands beside the text, and none of it leaves the desk.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.domain.district import district_of

UNIT_NAMES, UNIT_NAME_LONGEST = 50, 60
"""How many other names a unit may have, and how long each may be."""

SOLVED: Mapping[str, tuple[str, str]] = {
    "solved": ("来源称已解决", "Solved, says the source"),
    "partly": ("来源称部分解决", "Partly solved, says the source"),
    "unsolved": ("来源称未解决", "Not solved, says the source"),
}
"""What the source says of an order; without an entry it says nothing."""

_SOLVED_WORDS: Mapping[str, str] = {
    "解决": "solved", "已解决": "solved", "是": "solved", "已办结": "solved", "基本解决": "solved",
    "部分解决": "partly", "部分": "partly",
    "未解决": "unsolved", "否": "unsolved", "没有解决": "unsolved", "不解决": "unsolved",
}  # fmt: skip
"""是否解决 as real exports write it (DOMAIN §3.2)."""

FACTS: tuple[tuple[str, str, str], ...] = (
    ("agency", "承办单位", "Handling unit"),
    ("office", "办理科室", "Its section"),
    ("role", "工单性质", "Its part"),
    ("request_type", "诉求类型", "Kind"),
    ("category_path", "事项分类", "Category"),
    ("district", "被反映区", "District"),
    ("subdistrict", "街乡镇", "Subdistrict"),
    ("status", "工单状态", "State at the source"),
    ("result", "办理结果", "Outcome"),
    ("reply", "回复内容", "Reply"),
    ("public_reply", "公开答复", "Public reply"),
    ("resolved", "是否解决", "Solved"),
    ("satisfaction", "满意度", "Satisfaction"),
    ("dispatched_at", "派发时间", "Dispatched"),
    ("due_at", "办结时限", "Due"),
    ("closed_at", "办结时间", "Closed"),
    ("urgency", "紧急程度", "Urgency"),
    ("warning", "预警状态", "Warning"),
    ("attachments", "附件", "Attachments"),
    ("public_consent", "是否公开", "May be published"),
)
"""(field of the normal form, its words), in the order in which the desk shows them."""

NAME_SHORTEST = 3
"""Characters of a unit's name that may stand inside a longer one: 市 or 局 says nothing."""


@dataclass(frozen=True)
class Unit:
    """An official by his unit: the names under which orders know it, its own first."""

    key: str
    names: tuple[str, ...]


def solved(fields: Mapping[str, Any]) -> str:
    """A key of `SOLVED`, or empty where the source says nothing that is understood."""
    return _SOLVED_WORDS.get(_plain(fields.get("resolved")), "")


_SHORT: Final = re.compile(
    r"(?:(?![路街巷道里弄号楼苑园村镇乡屯庄区])[\u3400-\u9fff]){2,4}|[A-Z][0-9]{0,2}[市区县]"
)
"""A district as many systems list it, without its ending (东城, 高新)."""


def district(fields: Mapping[str, Any]) -> str:
    """The district the order is about, or empty. Nothing smaller is ever told outside the desk."""
    told = str(fields.get("district") or "").strip()
    return district_of(told)[:40] or (told if _SHORT.fullmatch(told) else "")


def agency(fields: Mapping[str, Any]) -> str:
    """The handling unit as the source names it."""
    return str(fields.get("agency") or "").strip()[:200]


def propose(named: str, units: Iterable[Unit]) -> str | None:
    """The official whose unit an order names: a name that is the same, else the longest that stands in
    it, else the one that it is a part of. Where several units are named the first counts; where two
    officials fit equally well none is proposed: a person decides."""
    known = [(unit.key, _plain(name)) for unit in units for name in unit.names]
    for one in re.split("[、,，;；/\\n]+", named):
        said = _plain(one)
        if len(said) < NAME_SHORTEST:
            continue
        fits = {key: len(name) + 1000 for key, name in known if name == said} or _longest(
            (key, len(name)) for key, name in known if len(name) >= NAME_SHORTEST and name in said
        )
        fits = fits or _longest((key, 1) for key, name in known if said in name)
        if len(fits) == 1:
            return next(iter(fits))
        if fits:
            return None
    return None


def _longest(found: Iterable[tuple[str, int]]) -> dict[str, int]:
    best: dict[str, int] = {}
    for key, length in found:
        best[key] = max(best.get(key, 0), length)
    most = max(best.values(), default=0)
    return {key: length for key, length in best.items() if length == most}


def _plain(text: object) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", str(text or ""))).lower()


def facts(fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(field, what the source says) of everything that it says, in the order of `FACTS`, then columns
    that nobody here knows under their own headers."""
    told = [(name, _text(fields.get(name))) for name, _, _ in FACTS]
    extra = fields.get("extra")
    if isinstance(extra, Mapping):
        told += [(str(header), _text(value)) for header, value in extra.items()]
    return tuple((name, value) for name, value in told if value)


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return " › ".join(str(one) for one in value)
    text = str(value or "").strip()
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", text):
        return text[:16].replace("T", " ")  # A time of the normal form, as people read it.
    return text

"""Blank 测评表 of a round, to be filled in by hand: what stands on them. Pure.

A named round has a form for each seat, with the seat's number. A secret one has as many forms,
numbered as they come, and no seat: the number only keeps a form from being keyed in twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.domain.explained import Lang, Sentence
from server.domain.rounds import Round
from server.domain.view import HearingView
from server.reports.tables import half_characters
from server.reports.wording import side, word

ROOMY = 15
"""Lines up to which each has room for two rows of text."""
LINE = 31
"""Half characters of one row beside each other."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_WORDS: Mapping[str, Sentence] = {
    "seat": ("席位 {number}", "Seat {number}"),
    "serial": ("表号 {number}", "Form {number}"),
    "named": ("本表记名。", "This form is named."),
    "secret": (
        "本表无记名：请勿署名或作记号。表号与席位无关，只用于防止重复录入，发放前须打乱顺序。",
        "This form is secret: put no name or sign on it. Its number has nothing to do with a seat; it"
        " only keeps a form from being keyed in twice. Shuffle the forms before handing them out.",
    ),
    "tick": (
        "每行在一个方框内打“√”；需要回避的，只勾选“回避”。",
        "Tick one box in each line; if you may not judge, tick only “Recused”.",
    ),
    "write": (
        "每行写一个分值，或勾选“弃权”“不了解”；需要回避的，只勾选“回避”。",
        "Write one mark in each line, or tick “Abstain” or “Don't know”; if you may not judge, tick"
        " only “Recused”.",
    ),
    "circle": (
        "每格圈选一个字母；弃权写“弃”，不了解写“不”；需要回避的，整行只勾选“回避”。",
        "Circle one letter in each cell; write “A/S” to abstain, “D/K” for don't know; if you may not"
        " judge somebody, tick only “Recused” in that line.",
    ),
    "fill": (
        "每格写一个分值；弃权写“弃”，不了解写“不”；需要回避的，整行只勾选“回避”。",
        "Write one mark in each cell, “A/S” to abstain, “D/K” for don't know; if you may not judge"
        " somebody, tick only “Recused” in that line.",
    ),
    "own_units": (
        "不评本单位的述法人：在其一行只勾选“回避”。",
        "You do not rate the head of your own unit: tick only “Recused” in that line.",
    ),
    "mark": ("分值", "Mark"),
    "range": ("{low} 至 {high} 分", "{low} to {high}"),
    "range_step": ("{low} 至 {high} 分，每档 {step} 分", "{low} to {high} in steps of {step}"),
    "scale": ("{name}：{scale}", "{name}: {scale}"),
    "name": ("签名：", "Signature:"),
    "keyed": ("录入人（1）：", "Keyed in (1):"),
    "keyed_again": ("录入人（2）：", "Keyed in (2):"),
    "about": ("述法人：{name}", "Subject: {name}"),
}


@dataclass(frozen=True)
class Row:
    """One line of a form: a subject or a dimension."""

    label: str
    under: str


@dataclass(frozen=True)
class Form:
    """One sheet of paper. `code` is what its QR says: round and number."""

    number: str
    code: str


@dataclass(frozen=True)
class Forms:
    """All forms of a round. `columns` are boxes to tick (`boxes`) or cells to fill; `letters` gives
    for each cell of a grid what may be circled there, empty where a number is written."""

    lang: Lang
    rehearsal: bool
    office: str
    hearing: str
    title: str
    about: str
    sentences: tuple[str, ...]
    legend: tuple[str, ...]
    head: str
    columns: tuple[str, ...]
    boxes: tuple[bool, ...]
    letters: tuple[str, ...]
    rows: tuple[Row, ...]
    feet: tuple[str, ...]
    forms: tuple[Form, ...]


def forms_of(view: HearingView, round_: Round, lang: Lang) -> Forms:
    """The forms of a panel round: one for each seat that may take part, or may still."""
    rules: Mapping[str, Any] = round_.rules or {}
    dimensions = [
        (round_.labels.get(one["key"], one["key"]), one.get("scale") or rules.get("scale") or {})
        for one in rules.get("dimensions") or ()
    ]
    subjects = [s for key in round_.subjects if (s := view.subject(key)) is not None]
    crowded = len(subjects) > ROOMY
    lines = [Row(s.name, _cut(s.unit, s.name) if crowded else s.unit) for s in subjects]
    secret = round_.secrecy == "secret"
    if len(dimensions) == 1 or len(subjects) == 1:
        shape = _lines(dimensions, lines, lang)
    else:
        shape = _grid(dimensions, lines, lang)
    sentence = _say("secret" if secret else "named", lang)
    own = (_say("own_units", lang),) if view.own_units(round_) else ()
    feet = ["keyed", "keyed_again"] if secret else ["name", "keyed", "keyed_again"]
    return Forms(
        lang=lang,
        rehearsal=view.rehearsal,
        office=view.office_name,
        hearing=view.hearing.title,
        title=round_.title,
        about=_about(subjects[0].name, subjects[0].unit, lang) if len(subjects) == 1 else "",
        sentences=(sentence, *shape.sentences, *own),
        legend=shape.legend,
        head=shape.head,
        columns=shape.columns,
        boxes=shape.boxes,
        letters=shape.letters,
        rows=shape.rows,
        feet=tuple(_say(one, lang) for one in feet),
        forms=_numbered(view, round_, secret, lang),
    )


def _cut(unit: str, name: str) -> str:
    """As much of a unit as fits on one row beside the name; who it is is said by the name."""
    room = LINE - half_characters(name)
    if half_characters(unit) <= room:
        return unit
    kept = ""
    for letter in unit:
        if half_characters(kept + letter) > room - 2:
            break
        kept += letter
    return f"{kept}…" if kept else ""


def form_code(round_id: str, number: int) -> str:
    """What a form's QR says."""
    return f"{round_id}/{number:03d}"


def _numbered(view: HearingView, round_: Round, secret: bool, lang: Lang) -> tuple[Form, ...]:
    listed = {one.seat for one in round_.entitled if one.present}
    numbers = [s.number for s in view.seats if not listed or s.id in listed]
    if secret:
        numbers = list(range(1, len(numbers) + 1))
    key = "serial" if secret else "seat"
    return tuple(Form(_say(key, lang, number=n), form_code(round_.id, n)) for n in numbers)


@dataclass(frozen=True)
class _Shape:
    sentences: tuple[str, ...]
    legend: tuple[str, ...]
    head: str
    columns: tuple[str, ...]
    boxes: tuple[bool, ...]
    letters: tuple[str, ...]
    rows: tuple[Row, ...]


def _lines(dimensions: list[tuple[str, Any]], subjects: list[Row], lang: Lang) -> _Shape:
    """One mark a line: by dimension for one subject, else by subject for one dimension."""
    by_dimension = len(subjects) == 1
    rows = [Row(name, "") for name, _ in dimensions] if by_dimension else subjects
    scales = [scale for _, scale in dimensions]
    words = [_scale(scale, lang) for scale in scales]
    alike = all(scale == scales[0] for scale in scales)
    labels = _labels(scales[0]) if alike else ()
    marks = labels or (_say("mark", lang),)
    columns = (*marks, word("abstain", lang), word("dont_know", lang), word("recused", lang))
    if not labels and by_dimension and not alike:
        rows = [Row(one.label, said) for one, said in zip(rows, words, strict=True)]
    return _Shape(
        sentences=(_say("tick" if labels else "write", lang),),
        legend=(words[0],) if alike and words and words[0] and not labels else (),
        head=word("dimension" if by_dimension else "subject", lang),
        columns=columns,
        boxes=(*(bool(labels) for _ in marks), True, True, True),
        letters=tuple("" for _ in columns),
        rows=tuple(rows),
    )


def _grid(dimensions: list[tuple[str, Any]], subjects: list[Row], lang: Lang) -> _Shape:
    """Subjects down, dimensions across."""
    scales = [scale for _, scale in dimensions]
    words = [_scale(scale, lang, lettered=True) for scale in scales]
    alike = all(scale == scales[0] for scale in scales)
    named = [_say("scale", lang, name=name, scale=said)
             for (name, _), said in zip(dimensions, words, strict=True)]  # fmt: skip
    ways = dict.fromkeys("circle" if _labels(scale) else "fill" for scale in scales)
    return _Shape(
        sentences=tuple(_say(way, lang) for way in ways),
        legend=tuple(words[:1] if alike else named),
        head=word("subject", lang),
        columns=(*(name for name, _ in dimensions), word("recused", lang)),
        boxes=(*(False for _ in dimensions), True),
        letters=(*(LETTERS[: len(_labels(scale))] for scale in scales), ""),
        rows=tuple(subjects),
    )


def _labels(scale: Mapping[str, Any]) -> tuple[str, ...]:
    if scale.get("kind") != "labels":
        return ()
    return tuple(str(one.get("label") or one["key"]) for one in scale.get("labels") or ())


def _scale(scale: Mapping[str, Any], lang: Lang, *, lettered: bool = False) -> str:
    labels = _labels(scale)
    if labels:
        gap = ", " if lang == "en" else "，"
        if lettered:
            return gap.join(f"{a} {name}" for a, name in zip(LETTERS, labels, strict=False))
        return gap.join(labels)
    if scale.get("step"):
        return _say("range_step", lang, low=scale["min"], high=scale["max"], step=scale["step"])
    return _say("range", lang, low=scale.get("min", ""), high=scale.get("max", ""))


def _about(name: str, unit: str, lang: Lang) -> str:
    left, right = (" (", ")") if lang == "en" else ("（", "）")
    return _say("about", lang, name=f"{name}{left}{unit}{right}" if unit else name)


def _say(key: str, lang: Lang, **values: object) -> str:
    text = side(_WORDS[key], lang)
    return text.format(**values) if values else text

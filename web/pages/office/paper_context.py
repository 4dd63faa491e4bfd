"""The page on which paper ballots are keyed in: which seats vote on paper, and the form to fill. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from server.domain.exact import exact_text
from server.domain.paper import Form
from server.domain.roles import has_right
from server.domain.rounds import TAKES_BALLOTS, Round
from server.domain.rule_file import parse_draft
from server.domain.rules import ABSTAIN, DONT_KNOW, Dimension, LabelScale
from server.domain.view import HearingView
from web.layout.language import say


@dataclass(frozen=True)
class Field:
    """One dimension as it is keyed in: `choices` (value, words) or a number between two ends."""

    key: str
    label: str
    choices: tuple[tuple[str, str], ...]
    low: str = ""
    high: str = ""
    step: str = ""


@dataclass(frozen=True)
class PaperSeat:
    """A seat of the frozen list; `paper` when it votes on paper, `cast` when its ballot is there."""

    number: int
    name: str
    paper: bool
    cast: bool


@dataclass(frozen=True)
class FormLine:
    """A form, where it stands in words, and in which cells the two entries differ."""

    number: int
    word: str
    tone: str
    names: tuple[str, ...]
    differing: tuple[str, ...]


@dataclass(frozen=True)
class PaperPage:
    """`sets`: the reader decides who votes on paper; `keys`: the reader keys forms in."""

    slug: str
    hearing: str
    office: str
    rehearsal: bool
    round: str
    title: str
    secret: bool
    open: bool
    sets: bool
    keys: bool
    seats: tuple[PaperSeat, ...]
    forms: tuple[FormLine, ...]
    subjects: tuple[tuple[str, str], ...]
    fields: tuple[Field, ...]


def paper_page(
    view: HearingView,
    round_: Round,
    roles: Sequence[str],
    lang: str,
    paper: Collection[int],
    cast: Collection[int],
    forms: Sequence[Form],
) -> PaperPage:
    """The page of one panel round; `paper` and `cast` are seat ids."""
    rules = parse_draft(round_.rules or {})
    entitled = {one.seat for one in round_.entitled if one.present}
    return PaperPage(
        slug=view.hearing.slug,
        hearing=view.hearing.title,
        office=view.office_name,
        rehearsal=view.rehearsal,
        round=round_.id,
        title=round_.title,
        secret=round_.sealed,
        open=round_.status in TAKES_BALLOTS,
        sets=has_right(roles, "rounds"),
        keys=has_right(roles, "key_paper"),
        seats=tuple(
            PaperSeat(seat.number, seat.name, seat.id in paper, seat.id in cast)
            for seat in view.seats
            if seat.id in entitled
        ),
        forms=tuple(_form(view, round_, form, lang) for form in forms),
        subjects=tuple(
            (key, subject.name if (subject := view.subject(key)) else key)
            for key in round_.subjects
        ),
        fields=tuple(_field(one, round_, lang) for one in rules.dimensions),
    )


def _form(view: HearingView, round_: Round, form: Form, lang: str) -> FormLine:
    words = {
        "none": (say(lang, "未录入"), ""),
        "once": (say(lang, "一人已录入，待另一人"), "accent"),
        "differs": (say(lang, "两人录入不一致"), "warn"),
        "counted": (say(lang, "已计入"), "ok"),
    }
    word, tone = words[form.status]
    differing = []
    for key, dimension in form.differing:
        subject = view.subject(key)
        name = subject.name if subject else key
        label = round_.labels.get(dimension, dimension) if dimension else say(lang, "回避")
        differing.append(f"{name} · {label}")
    return FormLine(form.number, word, tone, form.names, tuple(differing))


def _field(dimension: Dimension, round_: Round, lang: str) -> Field:
    label = round_.labels.get(dimension.key, dimension.key)
    words = ((ABSTAIN, say(lang, "弃权")), (DONT_KNOW, say(lang, "不了解")))
    scale = dimension.scale
    if isinstance(scale, LabelScale):
        labels = tuple((one.key, round_.labels.get(one.key, one.label)) for one in scale.labels)
        return Field(dimension.key, label, (*labels, *words))
    step = "" if scale.step is None else exact_text(scale.step)
    low, high = exact_text(scale.minimum), exact_text(scale.maximum)
    return Field(dimension.key, label, words, low, high, step)

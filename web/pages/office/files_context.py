"""What the office's pages say about a file before it is taken: a hotline file, a show file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from moderation.intake.hotline_file import HotlineFile
from moderation.intake.refusals import RowRefusal
from server.actions.import_questions import Counted
from server.domain.hearing import Place
from server.domain.show import Show
from server.shows.problems import ShowFileError
from web.layout.language import say
from web.layout.texts import side
from web.pages.office.context import Choice

MEANINGS: Mapping[str, tuple[str, str]] = {
    "external_id": ("工单编号", "Sender's number"),
    "channel": ("来源渠道", "Channel"),
    "request_type": ("诉求类型", "Type"),
    "title": ("标题", "Title"),
    "content": ("诉求内容", "Content"),
    "requester_name": ("诉求人（封存）", "Name (sealed)"),
    "requester_phone": ("电话（封存）", "Phone (sealed)"),
    "district": ("区县", "District"),
    "subdistrict": ("街道乡镇", "Subdistrict"),
    "community": ("村、社区", "Community"),
    "location": ("地点", "Place"),
    "category_path": ("事项分类", "Category"),
    "category_major": ("事项大类", "Category, major"),
    "category_minor": ("事项小类", "Category, minor"),
    "tags": ("标签", "Tags"),
    "agency": ("承办单位", "Agency"),
    "office": ("办理科室", "Section"),
    "role": ("工单性质", "Role"),
    "accepted_at": ("受理时间", "Accepted"),
    "dispatched_at": ("派发时间", "Dispatched"),
    "due_at": ("办结时限", "Due"),
    "closed_at": ("办结时间", "Closed"),
    "status": ("工单状态", "Status"),
    "result": ("办理结果", "Result"),
    "reply": ("回复内容", "Reply"),
    "public_reply": ("公开答复", "Public reply"),
    "resolved": ("是否解决", "Resolved"),
    "satisfaction": ("是否满意", "Satisfaction"),
    "urgency": ("紧急程度", "Urgency"),
    "warning": ("预警状态", "Warning"),
    "enterprise": ("企业名称", "Enterprise"),
    "dispatcher": ("派单员", "Dispatcher"),
    "attachments": ("附件", "Attachments"),
    "public_consent": ("是否公开", "Consent to publish"),
    "likes": ("同问数", "Likes"),
}
"""Canonical names of a hotline file's columns with their words."""
REFUSED_SHOWN = 200


# ── a hotline file ──


@dataclass(frozen=True)
class Column:
    """A column of the file and what it was taken for ("" = unknown, kept as it is)."""

    header: str
    meaning: str
    sealed: bool


@dataclass(frozen=True)
class RefusedRow:
    """A row that stays out."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True)
class Preview:
    """What a file would do (`done` False) or did (`done` True)."""

    slug: str
    title: str
    upload: str
    file: str
    source: str
    about: str
    columns: tuple[Column, ...]
    rows: int
    new: int
    updated: int
    unchanged: int
    refused: int
    refusals: tuple[RefusedRow, ...]
    more: int
    done: bool


def preview(
    place: Place,
    upload: str,
    name: str,
    source: str,
    read: HotlineFile,
    counted: Counted,
    lang: str,
) -> Preview:
    """`upload` is the kept file's id; "" once it was taken in."""
    refusals = read.refusals
    about = " · ".join(p for p in (read.kind.upper(), read.encoding.upper(), read.sheet) if p)
    return Preview(
        slug=place.slug,
        title=place.title,
        upload=upload,
        file=name,
        source=source,
        about=about,
        columns=tuple(
            Column(
                header,
                side(MEANINGS.get(meaning, (meaning, meaning)), lang) if meaning else "",
                meaning in {"requester_name", "requester_phone"},
            )
            for header, meaning in ((h, read.mapping.get(h)) for h in read.columns)
        ),
        rows=read.rows,
        new=counted.new,
        updated=counted.updated,
        unchanged=counted.unchanged + len(read.repeats),
        refused=len(refusals),
        refusals=tuple(_refused(one, lang) for one in refusals[:REFUSED_SHOWN]),
        more=max(0, len(refusals) - REFUSED_SHOWN),
        done=not upload,
    )


def _refused(one: RowRefusal, lang: str) -> RefusedRow:
    return RefusedRow(one.row, one.column or "", side((one.zh, one.en), lang))


# ── a show file ──


@dataclass(frozen=True)
class ShowProblemRow:
    """One thing wrong with a show file."""

    line: int
    key: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """What a good show file holds."""

    title: str
    slug: str
    numbers: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class NewHearing:
    """The page. `text` is what was typed or chosen, kept whatever came of it."""

    offices: tuple[Choice, ...]
    office: str = ""
    slug: str = ""
    text: str = ""
    said: str = ""
    problems: tuple[ShowProblemRow, ...] = field(default=())
    more: int = 0
    summary: Summary | None = None


def show_problems(error: ShowFileError, lang: str) -> tuple[ShowProblemRow, ...]:
    """By line and key."""
    return tuple(ShowProblemRow(p.line, p.key, side((p.zh, p.en), lang)) for p in error.problems)


def summary(show: Show, slug: str, lang: str) -> Summary:
    """The counts of a show that would be made."""
    words = (
        (say(lang, "述法人"), len(show.subjects)),
        (say(lang, "议程"), len(show.items)),
        (say(lang, "席位"), len(show.seats)),
        (say(lang, "轮次"), len(show.rounds)),
        (say(lang, "提问"), len(show.questions)),
    )
    return Summary(show.title, slug or show.slug, words)

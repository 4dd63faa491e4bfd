"""What the office's pages say about a file before it is taken: a hotline file, a show file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

from moderation.intake.refusals import RowRefusal
from moderation.reading import Head
from server.actions.import_questions import Counted
from server.domain.hearing import Place
from server.domain.show import Show
from server.shows.problems import ShowFileError
from web.layout.language import say
from web.layout.texts import side
from web.pages.office.context import Choice
from web.pages.office.imports import Stand

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
    """A column of the file and what it was taken for ("" = unknown, kept as it is): the canonical name
    and its words."""

    header: str
    meaning: str
    word: str
    sealed: bool


@dataclass(frozen=True)
class RefusedRow:
    """A row that stays out."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True)
class Preview:
    """How far a file is (`phase` as in `imports.Stand`; `part` of `whole` rows, whole 0 = not known yet),
    and what it would do or did. `said`: why its columns have to be chosen first."""

    slug: str
    title: str
    upload: str
    file: str
    source: str
    phase: str
    stuck: bool
    part: int
    whole: int
    said: str
    about: str
    columns: tuple[Column, ...]
    rows: int
    new: int
    updated: int
    unchanged: int
    refused: int
    refusals: tuple[RefusedRow, ...]
    more: int
    meanings: tuple[Choice, ...]


def preview(place: Place, upload: str, stand: Stand, lang: str) -> Preview:
    """`upload` is the kept file's id."""
    head = stand.head or Head("", "", "", tuple(stand.columns), stand.columns, 0, 0, 0, ())
    counted = stand.counted or Counted()
    about = " · ".join(p for p in (head.kind.upper(), head.encoding.upper(), head.sheet) if p)
    return Preview(
        slug=place.slug,
        title=place.title,
        upload=upload,
        file=stand.name,
        source=stand.source,
        phase=stand.phase,
        stuck=stand.stuck,
        part=stand.done,
        whole=stand.all,
        said=side(stand.said, lang),
        about=about,
        columns=tuple(
            Column(
                header,
                meaning or "",
                side(MEANINGS.get(meaning, (meaning, meaning)), lang) if meaning else "",
                meaning in {"requester_name", "requester_phone"},
            )
            for header, meaning in ((h, head.mapping.get(h)) for h in head.columns)
        ),
        rows=head.rows,
        new=counted.new,
        updated=counted.updated,
        unchanged=counted.unchanged + head.repeats,
        refused=len(head.refusals),
        refusals=tuple(_refused(one, lang) for one in head.refusals[:REFUSED_SHOWN]),
        more=max(0, len(head.refusals) - REFUSED_SHOWN),
        meanings=tuple(Choice(key, side(words, lang)) for key, words in MEANINGS.items()),
    )


def refused_rows(read: Head, lang: str) -> bytes:
    """The rows that stay out, as a CSV that a spreadsheet opens: row, column, reason. Nothing in it is
    taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([say(lang, "第几行"), say(lang, "列"), say(lang, "原因")])
    for one in read.refusals:
        row = _refused(one, lang)
        writer.writerow([row.row, cell(row.column), cell(row.reason)])
    return out.getvalue().encode("utf-8-sig")


def cell(value: str) -> str:
    """A cell that a spreadsheet shows as it is (ASVS 1.2.10)."""
    return f"'{value}" if value.startswith(tuple("=+-@\t\r＝＋－＠")) else value


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

"""The one normal form of an incoming item, and how a row of a sender's table becomes it. Pure.

Every road in (hotline file, mailbox, webhook) ends in an :class:`IncomingItem`. A table goes
through two steps here: :func:`match_columns` decides once what each column means, then
:func:`item_from_row` turns each row into an item or a :class:`RowRefusal` that names row, column
and reason. Nothing is guessed silently: what cannot be told is refused, what is not known is kept.

Field names are the canonical names of the field's handbook, so that a header may simply *be* one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final, TypeAlias

from moderation.policy import IMPORTED_MAX, PolicyRefusal, check_imported_text, clean_public_text

Cell: TypeAlias = str | int | float | bool | date | datetime | time | timedelta | None
"""What a table's cell may hold; a true date of a workbook is a ``date`` or ``datetime``."""

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""A fixed +08:00 (no summer time since 1991), so that no time zone file has to be read."""

CELL_MAX: Final = 32_767
EXTERNAL_ID_MAX: Final = 128
COUNT_MAX: Final = 1_000_000_000
EXACT_DIGITS: Final = 15
"""A workbook keeps numbers as binary fractions: digits beyond these are already lost."""


@dataclass(frozen=True, slots=True)
class IncomingItem:
    """One letter, call or work order as its sender knows it, cleaned, with nothing masked yet.

    Two items are equal when they say the same, wherever they stood: ``row`` does not count.
    Texts are never ``None``; an absent one is ``""``. ``extra`` holds the columns nobody here
    knows, by header, without the empty cells. Times are aware, in :data:`SHANGHAI`.
    ``office`` is the section inside the handling agency, not the owner of the data.
    """

    row: int = field(compare=False)
    external_id: str
    content: str
    title: str = ""
    channel: str = ""
    request_type: str = ""
    requester_name: str = ""
    requester_phone: str = ""
    district: str = ""
    subdistrict: str = ""
    community: str = ""
    location: str = ""
    category_path: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    agency: str = ""
    office: str = ""
    role: str = ""
    accepted_at: datetime | None = None
    dispatched_at: datetime | None = None
    due_at: datetime | None = None
    closed_at: datetime | None = None
    status: str = ""
    result: str = ""
    reply: str = ""
    public_reply: str = ""
    resolved: str = ""
    satisfaction: str = ""
    urgency: str = ""
    warning: str = ""
    enterprise: str = ""
    dispatcher: str = ""
    attachments: str = ""
    public_consent: str = ""
    likes: int = 0
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)


# ── Refusals ─────────────────────────────────────────────────────────────────────────────────

ROW_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "external_id_missing": ("缺少工单编号", "the sender's number is missing"),
    "external_id_too_long": ("工单编号过长", "the sender's number is too long"),
    "external_id_rounded": (
        "工单编号被表格当作数字保存，末位已丢失，请把该列改为文本后重新导出",
        "the sheet keeps the number as a rounded figure; export the column as text",
    ),
    "content_missing": ("诉求内容为空", "the content is empty"),
    "content_too_long": (
        f"诉求内容超过 {IMPORTED_MAX} 字",
        f"the content is longer than {IMPORTED_MAX} characters",
    ),
    "date_invalid": ("受理时间无法识别", "the time of acceptance cannot be read as a date"),
    "count_invalid": ("数量无法识别", "the count cannot be read as a whole number"),
    "cell_too_long": (
        f"单元格超过 {CELL_MAX} 字",
        f"the cell is longer than {CELL_MAX} characters",
    ),
    "too_many_cells": (
        "单元格多于表头，内容可能错列",
        "the row has more cells than the header; its columns may have slipped",
    ),
}
"""Every reason for which one row stays out: stable code → Chinese and English sentence."""


@dataclass(frozen=True, slots=True)
class RowRefusal:
    """Why one row stayed out. ``column`` is the header's text, or ``None`` for the whole row.

    It carries no word of the row itself, so that it may be shown and logged.
    """

    row: int
    column: str | None
    code: str

    @property
    def zh(self) -> str:
        return ROW_REFUSALS[self.code][0]

    @property
    def en(self) -> str:
        return ROW_REFUSALS[self.code][1]


class FileRefused(Exception):
    """Why a whole file stayed out: stable ``code``, a sentence in each language, details."""

    def __init__(self, code: str, zh: str, en: str, detail: Mapping[str, object]) -> None:
        super().__init__(en)
        self.code = code
        self.zh = zh
        self.en = en
        self.detail = dict(detail)


# ── Values ───────────────────────────────────────────────────────────────────────────────────

_ESCAPE: Final = re.compile(r"_x(00[01][0-9A-Fa-f]|005[Ff])_")
_SPACES: Final = re.compile(r"\s+")


def _unescape(text: str) -> str:
    """Undo how workbooks write control characters (``_x000D_``) and their own underscore."""
    if "_x00" not in text:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def _text_of(cell: Cell) -> str:
    """A cell as the text that a person saw in it, not yet cleaned."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    return str(cell)


def clean_cell(cell: Cell) -> str:
    """A cell as clean text (several lines allowed): escapes undone, then the one cleaning."""
    if cell is None or cell == "":
        return ""
    return clean_public_text(_unescape(_text_of(cell)))


def _one_line(text: str) -> str:
    if not text:
        return ""
    return _SPACES.sub(" ", clean_public_text(_unescape(text)))


# Six numbers and an offset each. The seconds' fraction is not kept.
_MOMENT: Final = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?"
    r"(?:(?:\s*T\s*|\s+|(?<=日))([0-9]{1,2})[:时]([0-9]{1,2})分?"
    r"(?::?([0-9]{1,2})(?:\.[0-9]+)?秒?)?)?\s*(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_COMPACT_MOMENT: Final = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2}))?(?P<offset>Z)?"
)
_NOTHING: Final = frozenset(
    ("", "-", "--", "—", "——", "/", "\\", "无", "null", "none", "nan", "n/a")
)
_SERIAL_ZERO: Final = datetime(1899, 12, 30, tzinfo=SHANGHAI)
_YEARS: Final = range(1949, 2101)


def parse_moment(cell: Cell) -> datetime | None:
    """Read a date and time as Asia/Shanghai; ``None`` for an empty cell or a stroke.

    Read: true dates; ``2019/2/28 11:25:05``, ``2019-02-28 11:25``, ``2019年2月28日 11时25分``,
    ``20190228112505``, ISO 8601 with an offset; a bare date is midnight; a *number* is a workbook
    serial (a *text* of digits is not: it may be anything). Years 1949–2100.

    Raises :class:`ValueError` for anything else, without the text in its message.
    """
    if isinstance(cell, datetime):
        moment = cell if cell.tzinfo else cell.replace(tzinfo=SHANGHAI)
    elif isinstance(cell, date):
        moment = datetime(cell.year, cell.month, cell.day, tzinfo=SHANGHAI)
    elif isinstance(cell, (int, float)) and not isinstance(cell, bool) and 0 < cell < 100_000:
        moment = _SERIAL_ZERO + timedelta(days=cell)
    else:
        read = _moment_of_text(_text_of(cell)) if cell not in (None, "") else None
        if read is None:
            return None
        moment = read
    if moment.year not in _YEARS:
        raise ValueError("a year out of range")
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0).astimezone(SHANGHAI)


def _moment_of_text(text: str) -> datetime | None:
    found = _MOMENT.fullmatch(text)
    if found is None:
        text = _one_line(unicodedata.normalize("NFKC", text))
        if text.lower() in _NOTHING:
            return None
        found = _MOMENT.fullmatch(text) or _COMPACT_MOMENT.fullmatch(text)
    if found is None:
        raise ValueError("not a date")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    return datetime(year, month, day, hour, minute, second, tzinfo=_offset(found["offset"]))


def _offset(text: str | None) -> tzinfo:
    if text is None or text == "Z":
        return SHANGHAI if text is None else UTC
    sign = -1 if text.startswith("-") else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def parse_count(cell: Cell) -> int:
    """Read a whole number of things, 0 for an empty cell. Raises :class:`ValueError`."""
    if cell in (None, ""):
        return 0
    text = _one_line(unicodedata.normalize("NFKC", _text_of(cell)))
    if text.lower() in _NOTHING:
        return 0
    if not re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+(?:\.0+)?", text) or len(text) > 16:
        raise ValueError("not a count")
    count = int(text.replace(",", "").partition(".")[0])
    if count > COUNT_MAX:
        raise ValueError("too large")
    return count


@lru_cache(maxsize=4096)
def split_path(text: str) -> tuple[str, ...]:
    """``1.城乡建设>施工管理`` or ``城乡建设->施工管理`` → its steps, without list numbers."""
    steps = re.split(r"\s*(?:-+>|[>＞→])\s*", _one_line(text))
    return tuple(step for raw in steps if (step := re.sub(r"^[0-9]+[.、．]\s*(?=\D)", "", raw)))


def split_tags(text: str) -> tuple[str, ...]:
    """A comma list, Chinese or Western commas, each tag once, in the order given."""
    tags = (tag.strip() for tag in re.split(r"[,，、;；|\n]", text))
    return tuple(dict.fromkeys(tag for tag in tags if tag))


# ── Columns ──────────────────────────────────────────────────────────────────────────────────

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "external_id": ("工单编号", "办件编号", "工单号", "留言编号", "record_number", "workordercode"),
    "channel": ("办件来源", "事件来源", "诉求来源"),
    "request_type": ("工单类型", "诉求类型"),
    "title": ("标题", "诉求主题", "诉求标题", "工单标题", "留言主题"),
    "content": ("主要内容", "诉求内容", "工单内容", "市民诉求", "留言详情"),
    "requester_name": ("诉求人", "来电人", "留言用户"),
    "requester_phone": (
        "诉求人电话",
        "诉求人手机号",
        "来电人电话",
        "来电人电话/账号",
        "phone",
    ),
    "district": ("被反映区",),
    "subdistrict": ("被反映街乡镇",),
    "community": ("村/社区",),
    "location": ("事发地址", "涉及地址", "小区点位", "问题点位"),
    "category_path": (),
    "category_major": ("事项大类",),
    "category_minor": ("事项小类",),
    "tags": ("标签",),
    "agency": ("承办单位", "办理单位", "受理部门"),
    "office": ("办理科室",),
    "role": ("工单性质",),
    "accepted_at": ("受理时间", "留言时间"),
    "dispatched_at": ("派发时间", "推送时间"),
    "due_at": ("办结时限", "承诺完成时间", "处理时限"),
    "closed_at": ("办结时间", "完成时间"),
    "status": ("工单状态", "办件状态"),
    "result": ("办理结果", "处理结果"),
    "reply": ("回复内容",),
    "public_reply": ("公开答复内容",),
    "resolved": ("是否解决",),
    "satisfaction": ("是否满意", "用户评价"),
    "urgency": ("紧急程度", "jjcd"),
    "warning": ("预警状态",),
    "enterprise": ("企业名称",),
    "dispatcher": ("派单员",),
    "attachments": ("附件",),
    "public_consent": ("是否公开",),
    "likes": ("点赞数",),
}
"""Canonical name → header names seen in real exports. The canonical name itself is one too."""

SECOND_CHOICES: Final[Mapping[str, str]] = {
    "市级编号": "external_id",
    "id": "external_id",
    "signed": "requester_name",
    "联系方式": "requester_phone",
    "date": "accepted_at",
    "nature": "request_type",
}
"""Names too vague to argue: they give way when another column claims the same meaning."""

_DATES: Final = ("accepted_at", "dispatched_at", "due_at", "closed_at")
_NOT_PLAIN_TEXT: Final = frozenset(
    {"external_id", "content", "category_path", "category_major", "category_minor", "tags", "likes"}
    | set(_DATES)
)


def header_key(header: str) -> str:
    """The form in which headers are compared: NFKC, no white space, ASCII letters in lower case."""
    visible = clean_public_text(_unescape(header))
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", visible)).lower()


_CANONICAL_OF: Final[Mapping[str, str]] = {
    header_key(name): canonical
    for canonical, names in ALIASES.items()
    for name in (canonical, *names)
}
_SECOND_CHOICE_OF: Final[Mapping[str, str]] = {
    header_key(name): canonical for name, canonical in SECOND_CHOICES.items()
}


@dataclass(frozen=True, slots=True)
class Columns:
    """What each column of one table means.

    ``headers`` are unique (a repeated one reads ``备注 (2)``, a nameless one ``第3列``);
    ``meanings`` runs beside them: a canonical name, or ``None`` for a column kept as it is.
    """

    headers: tuple[str, ...]
    meanings: tuple[str | None, ...]

    def header_of(self, canonical: str) -> str | None:
        """The header whose column means ``canonical``, or ``None`` where no column does."""
        if canonical not in self.meanings:
            return None
        return self.headers[self.meanings.index(canonical)]

    def as_mapping(self) -> dict[str, str | None]:
        """Header → canonical name or ``None``: may be saved and given back as a mapping."""
        return dict(zip(self.headers, self.meanings, strict=True))


def match_columns(
    cells: Sequence[Cell], mapping: Mapping[str, str | None] | None = None
) -> Columns:
    """Decide what each column of a header row means.

    ``mapping`` (header → canonical name, or ``None`` for "no known meaning") comes first and
    settles every doubt; then the names of :data:`ALIASES`; then :data:`SECOND_CHOICES`.

    Raises :class:`FileRefused`: ``mapping_name_unknown``, ``mapping_column_unknown`` (a mapping
    made for another file would otherwise lose a column without a word), ``columns_conflict``
    (two columns, one meaning: only a person knows which), ``content_column_missing``.
    """
    headers = _unique_headers(cells)
    chosen = _chosen_by_mapping(headers, mapping or {})
    meanings = [chosen.get(header) for header in headers]
    for names, may_yield in ((_CANONICAL_OF, False), (_SECOND_CHOICE_OF, True)):
        taken = set(meanings)
        for index, header in enumerate(headers):
            canonical = names.get(_without_number(header))
            if canonical is None or header in chosen or meanings[index] is not None:
                continue
            settled = canonical in chosen.values() or (may_yield and canonical in taken)
            meanings[index] = None if settled else canonical
    _refuse_conflicts(headers, meanings)
    if "content" not in meanings:
        seen = _shown(headers)
        raise FileRefused(
            "content_column_missing",
            f"找不到诉求内容列；表头为：{'、'.join(seen)}",
            f"no column holds the content; the headers are: {', '.join(seen)}",
            {"headers": seen},
        )
    return Columns(headers, tuple(meanings))


def _unique_headers(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Header texts as people read them, each with a name of its own."""
    texts = [_one_line(_text_of(cell)) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    unique: list[str] = []
    for place, text in enumerate(texts, start=1):
        name, number = text or f"第{place}列", 1
        while name in unique:
            number += 1
            name = f"{text} ({number})"
        unique.append(name)
    return tuple(unique)


def _without_number(header: str) -> str:
    """``标题 (2)`` means what ``标题`` means: the number is ours."""
    return header_key(re.sub(r" \([0-9]+\)$", "", header))


def _chosen_by_mapping(
    headers: Sequence[str], mapping: Mapping[str, str | None]
) -> dict[str, str | None]:
    by_key = {header_key(header): header for header in headers}
    chosen: dict[str, str | None] = {}
    for column, canonical in mapping.items():
        if canonical is not None and canonical not in ALIASES:
            raise FileRefused(
                "mapping_name_unknown",
                f"映射中的“{canonical}”不是规范字段名",
                f"the mapping's {canonical!r} is no canonical name",
                {"column": column, "name": canonical},
            )
        header = by_key.get(header_key(column))
        if header is None:
            seen = _shown(headers)
            raise FileRefused(
                "mapping_column_unknown",
                f"映射中的列“{column}”不在文件中；表头为：{'、'.join(seen)}",
                f"column {column!r} of the mapping is not among the headers: {', '.join(seen)}",
                {"column": column, "headers": seen},
            )
        chosen[header] = canonical
    return chosen


def _shown(headers: Sequence[str]) -> list[str]:
    """Headers fit for a message: a file without any has somebody's data in its first row."""
    return [
        header if len(header) <= 20 and not re.search(r"[0-9@]{4}", header) else "…"
        for header in headers
    ]


def _refuse_conflicts(headers: Sequence[str], meanings: Sequence[str | None]) -> None:
    first: dict[str, str] = {}
    for header, meaning in zip(headers, meanings, strict=True):
        if meaning is None:
            continue
        if meaning in first:
            one, other = first[meaning], header
            raise FileRefused(
                "columns_conflict",
                f"“{one}”和“{other}”两列含义相同（{meaning}），请用映射指定其一",
                f"columns {one!r} and {other!r} both mean {meaning}; choose one by a mapping",
                {"columns": [one, other], "name": meaning},
            )
        first[meaning] = header


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────


class _Refused(Exception):
    """Inside this module only: a value's refusal on its way to becoming a row's."""

    def __init__(self, canonical: str, code: str) -> None:
        self.canonical = canonical
        self.code = code


def item_from_row(row: int, cells: Sequence[Cell], columns: Columns) -> IncomingItem | RowRefusal:
    """Turn one row into an item, or say why not.

    A row has at most one refusal, the first of: a cell or row out of bounds, the sender's
    number, the content, the time of acceptance (it decides which record is newer), the count.
    An unreadable time of another kind (``5个工作日`` is a usual limit) is kept in ``extra``.
    """
    for place, cell in enumerate(cells):
        if isinstance(cell, str) and len(cell) > CELL_MAX:
            header = columns.headers[place] if place < len(columns.headers) else None
            return RowRefusal(row, header, "cell_too_long")
    if any(clean_cell(cell) for cell in cells[len(columns.headers) :]):
        return RowRefusal(row, None, "too_many_cells")
    known: dict[str, Cell] = {}
    extra: dict[str, str] = {}
    for header, meaning, cell in zip(columns.headers, columns.meanings, cells, strict=False):
        if meaning is not None:
            known[meaning] = cell
        elif text := clean_cell(cell):
            extra[header] = text
    try:
        return _item(row, known, extra, columns)
    except _Refused as refused:
        return RowRefusal(row, columns.header_of(refused.canonical), refused.code)


def _item(
    row: int, known: Mapping[str, Cell], extra: dict[str, str], columns: Columns
) -> IncomingItem:
    external_id = _external_id(known.get("external_id"))
    content = _content(known.get("content"))
    try:
        accepted_at = parse_moment(known.get("accepted_at"))
    except ValueError:
        raise _Refused("accepted_at", "date_invalid") from None
    try:
        likes = parse_count(known.get("likes"))
    except ValueError:
        raise _Refused("likes", "count_invalid") from None
    moments: dict[str, datetime | None] = {}
    for name in _DATES[1:]:
        try:
            moments[name] = parse_moment(known.get(name))
        except ValueError:
            extra[columns.header_of(name) or name] = clean_cell(known.get(name))
    texts = {name: clean_cell(cell) for name, cell in known.items() if name not in _NOT_PLAIN_TEXT}
    return IncomingItem(
        row=row,
        external_id=external_id,
        content=content,
        category_path=_category(known),
        tags=split_tags(clean_cell(known.get("tags"))),
        accepted_at=accepted_at,
        dispatched_at=moments.get("dispatched_at"),
        due_at=moments.get("due_at"),
        closed_at=moments.get("closed_at"),
        likes=likes,
        extra=extra,
        **texts,
    )


_SCIENTIFIC: Final = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]+")


def _external_id(cell: Cell) -> str:
    text = _one_line(_text_of(cell))
    if not text:
        raise _Refused("external_id", "external_id_missing")
    rounded = isinstance(cell, float) and abs(cell) >= 10**EXACT_DIGITS
    if rounded or _SCIENTIFIC.fullmatch(text):
        raise _Refused("external_id", "external_id_rounded")
    if len(text) > EXTERNAL_ID_MAX:
        raise _Refused("external_id", "external_id_too_long")
    return text


def _content(cell: Cell) -> str:
    try:
        return check_imported_text(_unescape(_text_of(cell)))
    except PolicyRefusal as refusal:
        empty = refusal.code == "text_too_short"
        raise _Refused("content", "content_missing" if empty else "content_too_long") from None


def _category(known: Mapping[str, Cell]) -> tuple[str, ...]:
    """The path column, then what the two-column form adds to it."""
    path: list[str] = []
    for name in ("category_path", "category_major", "category_minor"):
        steps = split_path(_text_of(known.get(name)))
        path += [step for step in steps if step not in path] if path else steps
    return tuple(path)


# ── Repeats ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Repeat:
    """A row whose number another row of the same file carries too; that one was kept.

    ``identical``: both say the same. Otherwise ``item`` is the older state, for the history.
    Either way the row changes nothing, in this import and in the next.
    """

    row: int
    kept_row: int
    identical: bool
    item: IncomingItem


def settle_repeats(
    entries: Iterable[IncomingItem | RowRefusal],
) -> tuple[tuple[IncomingItem | RowRefusal, ...], tuple[Repeat, ...]]:
    """Keep one item for each number: the later ``accepted_at``, else the later row.

    Returns what is kept, in the order of the file, and the repeats, in the order of the file.
    Settling here, not while storing, is what makes a second import of a file change nothing.
    """
    rows: dict[int, IncomingItem | RowRefusal] = {}
    kept: dict[str, IncomingItem] = {}
    repeated: list[IncomingItem] = []
    for entry in entries:
        rows[entry.row] = entry
        if isinstance(entry, RowRefusal):
            continue
        rival = kept.get(entry.external_id)
        if rival is not None:
            older = min(entry, rival, key=_age)
            repeated.append(older)
            del rows[older.row]
            if older is entry:
                continue
        kept[entry.external_id] = entry
    repeats = (
        Repeat(item.row, kept[item.external_id].row, item == kept[item.external_id], item)
        for item in sorted(repeated, key=lambda item: item.row)
    )
    return tuple(rows.values()), tuple(repeats)


def _age(item: IncomingItem) -> tuple[float, int]:
    return (item.accepted_at.timestamp() if item.accepted_at else float("-inf"), item.row)

"""What each column of a sender's table means, decided once from its header. Pure.

Field names are the canonical names of the field's handbook, so that a header may simply *be* one.
What cannot be told is refused, what is not known is kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from moderation.intake.cells import Cell, one_line, text_of, unescape
from moderation.intake.refusals import FileRefused
from moderation.policy import clean_public_text

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
    "姓名": "requester_name",
    "联系人": "requester_name",
    "联系方式": "requester_phone",
    "联系电话": "requester_phone",
    "电话": "requester_phone",
    "手机号": "requester_phone",
    "手机号码": "requester_phone",
    "来电号码": "requester_phone",
    "来电时间": "accepted_at",
    "反映时间": "accepted_at",
    "date": "accepted_at",
    "区县": "district",
    "反映内容": "content",
    "问题描述": "content",
    "诉求描述": "content",
    "反映问题": "content",
    "办理部门": "agency",
    "责任单位": "agency",
    "主办单位": "agency",
    "nature": "request_type",
}
"""Names too vague to argue: they give way when another column claims the same meaning."""


def header_key(header: str) -> str:
    """The form in which headers are compared: NFKC, no white space, ASCII letters in lower case."""
    visible = clean_public_text(unescape(header))
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


def kept_for(headers: Sequence[str], mapping: Mapping[str, str | None]) -> dict[str, str | None]:
    """The part of a mapping kept of earlier files that speaks of columns of this one."""
    present = {header_key(header) for header in headers}
    return {
        column: canonical for column, canonical in mapping.items() if header_key(column) in present
    }


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
            {"headers": seen, "meanings": meanings},
        )
    return Columns(headers, tuple(meanings))


def _unique_headers(cells: Sequence[Cell]) -> tuple[str, ...]:
    """Header texts as people read them, each with a name of its own."""
    texts = [one_line(text_of(cell)) for cell in cells]
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
                {
                    "columns": [one, other],
                    "name": meaning,
                    "headers": _shown(headers),
                    "meanings": list(meanings),
                },
            )
        first[meaning] = header

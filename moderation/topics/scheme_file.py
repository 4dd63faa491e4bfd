"""Reads an office's scheme of topics from a table: CSV, XLSX or XLS.

Two shapes are known. A column for each level (一级分类, 二级分类, …), a topic a row; or a row a node, with
its name, the node above it (上级, by code or by name) and, if it has one, its code. Both may name keywords.
A scheme is a whole: with one bad row nothing of it is taken, and every bad row is named.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from moderation.intake.cells import Cell, clean_cell, is_filled
from moderation.intake.refusals import FileRefused, refused
from moderation.intake.table_bytes import HEADER_WITHIN, csv_rows, encoding_of, kind_of
from moderation.intake.workbook import COLUMNS_MAX, XLS_UNPACKS, check_zip, open_workbook
from server.domain.topics import (
    CODE_LONGEST,
    KEYWORDS_MOST,
    LEVELS,
    NAME_LONGEST,
    SEPARATOR,
    TOPICS_MOST,
    Topic,
)

BYTES_MOST: Final = 8 * 1024 * 1024
NAMED_MOST: Final = 50
"""Bad rows that are named; then reading ends."""

ROW_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "level_missing": ("上一级为空", "a level above it is empty"),
    "too_deep": (f"超过 {LEVELS} 级", f"it lies deeper than {LEVELS} levels"),
    "name_missing": ("没有名称", "the name is missing"),
    "name_too_long": (
        f"名称超过 {NAME_LONGEST} 字",
        f"the name is longer than {NAME_LONGEST} characters",
    ),
    "code_too_long": (
        f"编码超过 {CODE_LONGEST} 字",
        f"the code is longer than {CODE_LONGEST} characters",
    ),
    "code_repeated": ("编码与前面的行重复", "an earlier row has the same code"),
    "topic_repeated": ("与前面的行同名同级", "an earlier row is the same topic"),
    "parent_unknown": ("找不到上级", "the node above it is not in the file"),
    "parent_unclear": (
        "有几行都叫这个上级的名称，请改用编码",
        "several rows have the name of the node above it; use codes",
    ),
    "parent_circle": ("上级成环，回到自身", "following the nodes above it leads back to itself"),
    "keywords_many": (
        f"关键词多于 {KEYWORDS_MOST} 个，或有的超过 {NAME_LONGEST} 字",
        f"there are more than {KEYWORDS_MOST} keywords, or one is longer than {NAME_LONGEST} characters",
    ),
}
"""Why a row keeps a scheme out: stable code → Chinese and English sentence."""

SCHEME_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "scheme_too_large": (
        f"分类超过 {TOPICS_MOST} 个",
        f"the scheme has more than {TOPICS_MOST} topics",
    ),
    "scheme_empty": ("文件里没有主题", "the file holds no topic"),
    "scheme_header": (
        "找不到表头：需要“一级分类、二级分类……”各列，或“名称”“上级”（和“编码”）列",
        "no header is found: a column for each level (一级分类, 二级分类, …), or columns 名称 and 上级 (and 编码)",
    ),
    "scheme_twice": (
        "表头中有两列含义相同：{column}",
        "two columns of the header mean the same: {column}",
    ),
}
"""Why a file is no scheme, beside what is wrong with it as a file."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """Row of the file, the header as 1, and a code of :data:`ROW_REFUSALS`."""

    row: int
    code: str

    @property
    def zh(self) -> str:
        return ROW_REFUSALS[self.code][0]

    @property
    def en(self) -> str:
        return ROW_REFUSALS[self.code][1]


@dataclass(frozen=True, slots=True)
class SchemeFile:
    """What a file says: its topics, each after the one above it; or its `bad` rows and no topic."""

    topics: tuple[Topic, ...]
    bad: tuple[BadRow, ...] = ()


def read_scheme(data: bytes) -> SchemeFile:
    """The scheme in these bytes. Raises `FileRefused` with a code of `FILE_REFUSALS` or of
    :data:`SCHEME_REFUSALS`."""
    if len(data) > BYTES_MOST:
        raise refused("file_too_large", limit=BYTES_MOST >> 20)
    kind = kind_of(data)
    if kind == "csv":
        return _read(csv_rows(data, encoding_of(data)))
    unpacked = check_zip(data) if kind == "xlsx" else XLS_UNPACKS * len(data)
    with open_workbook(data, unpacked) as workbook:
        fits = [name for name, head in workbook.heads.items() if any(map(_columns, head))]
        if not fits:
            raise _refused("scheme_header")
        if len(fits) > 1:
            raise refused("sheets_ambiguous", sheets="、".join(fits))
        return _read(iter(workbook.rows(fits[0])))


def _refused(code: str, **detail: object) -> FileRefused:
    zh, en = SCHEME_REFUSALS[code]
    return FileRefused(code, zh.format(**detail), en.format(**detail), detail)


# ── the header ──

_DIGITS: Final = {sign: str(n) for n, sign in enumerate("一二三四五六七八九", start=1)}
_LEVEL: Final = re.compile(
    r"(?:第?([1-9一二三四五六七八九])级(?:分类|类别|类目|主题|标签|目录|指标|名称|事项)?|level([1-9])|([大中小细])类(?:名称)?|事项([大中小细])类)"
)
_SIZES: Final = {"大": "1", "中": "2", "小": "3", "细": "4"}
_MEANINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("名称", "分类", "分类名称", "类别", "类别名称", "主题", "主题名称", "name", "topic", "category"),
    "code": ("编码", "代码", "编号", "分类编码", "分类代码", "类别编码", "主题编码", "code", "id"),
    "parent": (
        "上级", "父级", "上级编码", "上级代码", "上级编号", "上级分类", "上级名称", "父级编码", "父级分类",
        "父编码", "父节点", "parent", "parentcode", "parentid",
    ),
    "keywords": ("关键词", "关键字", "触发词", "keywords", "keyword"),
}  # fmt: skip
_KNOWN: Final = {title: meaning for meaning, titles in _MEANINGS.items() for title in titles}


def _columns(cells: Sequence[Cell]) -> dict[str, int]:
    """Meaning → place of the header's columns, levels by their digit; empty of what is no header."""
    found: dict[str, int] = {}
    for place, cell in enumerate(cells[:COLUMNS_MAX]):
        title = unicodedata.normalize("NFKC", clean_cell(cell)).lower()
        title = re.sub(r"[\s_\-:：()]", "", title)
        meaning = _KNOWN.get(title)
        if level := _LEVEL.fullmatch(title):
            sign = next(one for one in level.groups() if one)
            meaning = _SIZES.get(sign) or _DIGITS.get(sign, sign)
        if meaning is None:
            continue
        if meaning in found:
            raise _refused("scheme_twice", column=clean_cell(cell)[:NAME_LONGEST])
        found[meaning] = place
    return found if "1" in found or "name" in found else {}


def _read(rows: Iterator[Sequence[Cell]]) -> SchemeFile:
    rows = iter(rows)
    heads = (_columns(cells) for cells in islice(filter(is_filled, rows), HEADER_WITHIN))
    columns = next(filter(None, heads), None)
    if columns is None:
        raise _refused("scheme_header")
    # What people call row 1 is the header, wherever it stands.
    below = ((number, cells) for number, cells in enumerate(rows, start=2) if is_filled(cells))
    bad = _Bad()
    found = _by_levels(below, columns, bad) if "1" in columns else _by_parents(below, columns, bad)
    if not bad and not found:
        raise _refused("scheme_empty")  # It would take every topic away.
    return SchemeFile((), tuple(bad)) if bad else SchemeFile(tuple(found.values()))


class _Bad(list[BadRow]):
    """Bad rows as they are met; when there are many, that is enough."""

    def add(self, row: int, code: str) -> None:
        self.append(BadRow(row, code))

    @property
    def enough(self) -> bool:
        return len(self) >= NAMED_MOST


# ── a column for each level ──


def _by_levels(
    rows: Iterable[tuple[int, Sequence[Cell]]], columns: Mapping[str, int], bad: _Bad
) -> dict[str, Topic]:
    levels = [columns[digit] for digit in sorted(columns) if digit.isdigit()]
    found: dict[str, Topic] = {}
    codes: set[str] = set()
    for number, cells in rows:
        names = [_name(_cell(cells, place)) for place in levels]
        while names and not names[-1]:
            names.pop()
        code, keywords = _beside(cells, columns)
        problem = _wrong_names(names) or _wrong_beside(code, keywords, codes)
        if problem:
            bad.add(number, problem)
            if bad.enough:
                break
            continue
        for depth in range(1, len(names)):
            above = SEPARATOR.join(names[:depth])
            found.setdefault(above, Topic(above))
        path = SEPARATOR.join(names)
        known = found.get(path, Topic(path))  # The same row twice says nothing new.
        if code and known.code and code != known.code:
            bad.add(number, "topic_repeated")
            continue
        codes.add(code)
        words = tuple(dict.fromkeys((*known.keywords, *keywords)))[:KEYWORDS_MOST]
        found[path] = Topic(path, code or known.code, words)
        if len(found) > TOPICS_MOST:
            raise _refused("scheme_too_large")
    return found


def _wrong_names(names: Sequence[str]) -> str:
    if not names:
        return "name_missing"
    if not all(names):
        return "level_missing"
    if len(names) > LEVELS:
        return "too_deep"
    return "name_too_long" if any(len(one) > NAME_LONGEST for one in names) else ""


# ── a row a node ──

_NONE: Final = frozenset({"", "0", "-", "/", "无"})
"""How tables write that there is no node above."""


@dataclass(frozen=True, slots=True)
class _Node:
    row: int
    name: str
    code: str
    parent: str
    keywords: tuple[str, ...]


def _by_parents(
    rows: Iterable[tuple[int, Sequence[Cell]]], columns: Mapping[str, int], bad: _Bad
) -> dict[str, Topic]:
    nodes: list[_Node] = []
    codes: set[str] = set()
    for number, cells in rows:
        name = _name(_cell(cells, columns["name"]))
        code, keywords = _beside(cells, columns)
        parent = clean_cell(_cell(cells, columns.get("parent")))
        problem = _wrong_names([name] if name else []) or _wrong_beside(code, keywords, codes)
        if problem:
            bad.add(number, problem)
            if bad.enough:
                return {}
        codes.add(code)
        nodes.append(_Node(number, name, code, parent, keywords))
        if len(nodes) > TOPICS_MOST:
            raise _refused("scheme_too_large")
    by_code = {one.code: one for one in nodes if one.code}
    named = Counter(one.name for one in nodes)
    by_name = {one.name: one for one in nodes if named[one.name] == 1}
    above: dict[int, _Node] = {}
    for one in nodes:
        if one.parent in _NONE and one.parent not in by_code:
            continue
        wanted = by_code.get(one.parent) or by_name.get(_name(one.parent))
        if wanted is None:
            unclear = named[_name(one.parent)] > 1
            bad.add(one.row, "parent_unclear" if unclear else "parent_unknown")
        else:
            above[one.row] = wanted
        if bad.enough:
            return {}
    return {} if bad else _rooted(nodes, above, bad)


def _rooted(nodes: Sequence[_Node], above: Mapping[int, _Node], bad: _Bad) -> dict[str, Topic]:
    """The topics with their paths, each after the one above it."""
    found: dict[str, Topic] = {}
    waiting: dict[str, Topic] = {}
    for one in nodes:
        line = [one]
        while (higher := above.get(line[-1].row)) is not None and len(line) <= LEVELS:
            line.append(higher)
        if len(line) > LEVELS:
            bad.add(one.row, "parent_circle" if _circles(one, above) else "too_deep")
            if bad.enough:
                return {}
            continue
        path = SEPARATOR.join(node.name for node in reversed(line))
        if path in waiting:
            bad.add(one.row, "topic_repeated")
            if bad.enough:
                return {}
        waiting[path] = Topic(path, one.code, one.keywords)
    for path, topic in waiting.items():
        parts = path.split(SEPARATOR)
        for depth in range(1, len(parts)):
            higher_path = SEPARATOR.join(parts[:depth])
            if higher_path in waiting:
                found.setdefault(higher_path, waiting[higher_path])
        found.setdefault(path, topic)
    return found


def _circles(one: _Node, above: Mapping[int, _Node]) -> bool:
    """Whether the way up comes to a node twice; the second walker goes two steps at a time."""
    slow: _Node | None = one
    fast: _Node | None = above.get(one.row)
    while slow is not None and fast is not None:
        if slow.row == fast.row:
            return True
        slow = above.get(slow.row)
        further = above.get(fast.row)
        fast = above.get(further.row) if further else None
    return False


# ── cells ──


def _cell(cells: Sequence[Cell], place: int | None) -> Cell:
    return cells[place] if place is not None and place < len(cells) else None


def _name(cell: Cell) -> str:
    """A name in one line, without the sign that separates the names of a path."""
    return re.sub(r"\s+", " ", clean_cell(cell)).replace(SEPARATOR, "／").strip()


def _beside(cells: Sequence[Cell], columns: Mapping[str, int]) -> tuple[str, tuple[str, ...]]:
    """(code, keywords) of a row."""
    told = clean_cell(_cell(cells, columns.get("keywords")))
    words = dict.fromkeys(word for word in re.split(r"[\s,，、;；|｜/／]+", told) if word)
    return _name(_cell(cells, columns.get("code"))), tuple(words)


def _wrong_beside(code: str, keywords: Sequence[str], codes: set[str]) -> str:
    if len(code) > CODE_LONGEST:
        return "code_too_long"
    if code and code in codes:
        return "code_repeated"
    if len(keywords) > KEYWORDS_MOST or any(len(word) > NAME_LONGEST for word in keywords):
        return "keywords_many"
    return ""

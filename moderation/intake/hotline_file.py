"""Reads a file of work orders as the 12345 hotline hands it over: ``.csv``, ``.xlsx``, ``.xls``.

The road: bound the bytes → tell the kind by content → bound what the bytes unpack to → find the
header → every row becomes an item or a refusal (:mod:`moderation.intake.normal_form`).

A file comes from outside and may be made to hurt: a workbook of half a megabyte can name a cell
a million rows down, or let every cell repeat one long text. So zip bounds are checked first, and
a workbook is opened by a child process that may use a fixed amount of memory and time and knows
none of our secrets; rows come back as lines of JSON. Formulas are never worked out: a workbook's
stored value is taken, and in a CSV ``=1+1`` is three characters of text.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Literal, TypeAlias

from moderation.intake.normal_form import (
    Cell,
    Columns,
    FileRefused,
    IncomingItem,
    Repeat,
    RowRefusal,
    item_from_row,
    match_columns,
    settle_repeats,
)

__all__ = [
    "FileRefused",
    "HotlineFile",
    "IncomingItem",
    "Repeat",
    "RowRefusal",
    "read_hotline_bytes",
    "read_hotline_file",
]

Kind: TypeAlias = Literal["csv", "xlsx", "xls"]

CSV_BYTES_MAX: Final = 64 * 1024 * 1024
WORKBOOK_BYTES_MAX: Final = 32 * 1024 * 1024
ZIP_ENTRIES_MAX: Final = 200
ZIP_UNPACKED_MAX: Final = 512 * 1024 * 1024
ZIP_RATIO_MAX: Final = 200
ROWS_MAX: Final = 200_000
COLUMNS_MAX: Final = 200
HEADER_WITHIN: Final = 10
"""Exports often put a title or two above the header: it is looked for in so many filled rows."""

TOLD_MAX: Final = 512 * 1024 * 1024
"""Bytes of JSON taken from one workbook: the bound on what its rows may cost *our* memory."""
CHILD_MEMORY: Final = 2 * 1024 * 1024 * 1024
CHILD_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class HotlineFile:
    """What a file says.

    ``items``: one entry for each row kept or refused, in the order of the file; ``repeats``: rows
    that gave way to another row with the same number. ``mapping`` tells what each of ``columns``
    was taken for (``None`` = unknown, kept in ``extra``) and may be given back as a mapping.
    ``encoding`` and ``sheet`` are ``""`` where they do not apply.
    """

    kind: Kind
    encoding: str
    sheet: str
    columns: tuple[str, ...]
    mapping: Mapping[str, str | None]
    items: tuple[IncomingItem | RowRefusal, ...]
    repeats: tuple[Repeat, ...]

    @property
    def rows(self) -> int:
        """How many filled rows stand below the header: each is an item, refused or a repeat."""
        return len(self.items) + len(self.repeats)

    @property
    def refusals(self) -> tuple[RowRefusal, ...]:
        return tuple(entry for entry in self.items if isinstance(entry, RowRefusal))


def read_hotline_file(
    path: str | os.PathLike[str], mapping: Mapping[str, str | None] | None = None
) -> HotlineFile:
    """Read the file at ``path``. See :func:`read_hotline_bytes`; also ``file_unreadable``."""
    try:
        with open(path, "rb") as file:
            data = file.read(CSV_BYTES_MAX + 1)
    except OSError as error:
        raise _refused("file_unreadable", reason=error.strerror or "") from None
    return read_hotline_bytes(data, mapping)


def read_hotline_bytes(data: bytes, mapping: Mapping[str, str | None] | None = None) -> HotlineFile:
    """Read the bytes of a CSV, XLSX or XLS file, whatever its name was.

    ``mapping``: header → canonical name or ``None``, see
    :func:`~moderation.intake.normal_form.match_columns`.

    Raises :class:`FileRefused` with a code of :data:`FILE_REFUSALS` or of ``match_columns``.
    Rows are counted with the header as row 1; empty rows are passed over.
    """
    kind = _kind_of(data)
    limit = CSV_BYTES_MAX if kind == "csv" else WORKBOOK_BYTES_MAX
    if len(data) > limit:
        raise _refused("file_too_large", limit=limit >> 20)
    if kind == "csv":
        encoding = _encoding_of(data)
        rows = _csv_rows(data, encoding)
        return _read(kind, encoding, "", *_find_header(rows, mapping))
    if kind == "xlsx":
        _check_zip(data)
    with _open_workbook(data) as workbook:
        sheet = workbook.choose(mapping)
        return _read(kind, "", sheet, *_find_header(workbook.rows(sheet), mapping))


def _read(
    kind: Kind, encoding: str, sheet: str, columns: Columns, rows: Iterator[Sequence[Cell]]
) -> HotlineFile:
    items, repeats = settle_repeats(
        item_from_row(number, cells, columns)
        for number, cells in _bounded(enumerate(rows, start=2))
    )
    return HotlineFile(kind, encoding, sheet, columns.headers, columns.as_mapping(), items, repeats)


def _bounded(rows: Iterable[tuple[int, Sequence[Cell]]]) -> Iterator[tuple[int, Sequence[Cell]]]:
    """The filled rows, no more than :data:`ROWS_MAX`."""
    filled = ((number, cells) for number, cells in rows if _is_filled(cells))
    for count, row in enumerate(filled, start=1):
        if count > ROWS_MAX:
            raise _refused("too_many_rows", limit=ROWS_MAX)
        yield row


def _is_filled(cells: Sequence[Cell]) -> bool:
    return any(cell.strip() if isinstance(cell, str) else cell is not None for cell in cells)


# ── Refusals ─────────────────────────────────────────────────────────────────────────────────

FILE_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "file_unreadable": ("无法读取文件：{reason}", "the file cannot be read: {reason}"),
    "file_empty": ("文件中没有数据", "the file holds no data"),
    "file_too_large": ("文件超过 {limit} MB", "the file is larger than {limit} MB"),
    "file_kind_unknown": (
        "不是 CSV、XLSX 或 XLS 文件；请用表格软件另存为 .xlsx",
        "this is no CSV, XLSX or XLS file; save it as .xlsx in a spreadsheet program",
    ),
    "file_encrypted": (
        "文件设有密码，请去掉密码后重新导出",
        "the file is protected by a password; export it without one",
    ),
    "encoding_unknown": (
        "文件编码既不是 UTF-8 也不是 GB18030（第 {byte} 字节起无法识别）",
        "the text is neither UTF-8 nor GB18030 (from byte {byte})",
    ),
    "csv_broken": (
        "第 {row} 行附近的引号不成对，无法确定各列",
        "near row {row} a quotation mark does not close; the columns cannot be told",
    ),
    "workbook_broken": ("表格文件已损坏，无法打开", "the workbook is damaged and cannot be opened"),
    "workbook_unsafe": (
        "表格文件解压后过大或内部文件过多，已拒绝打开",
        "the workbook unpacks to too much or holds too many parts; it was not opened",
    ),
    "workbook_too_heavy": (
        "打开该表格所需的内存或时间超出限制",
        "opening the workbook takes more memory or time than allowed",
    ),
    "too_many_rows": ("超过 {limit} 行，请拆分文件", "more than {limit} rows; split the file"),
    "too_many_columns": ("超过 {limit} 列", "more than {limit} columns"),
    "sheets_ambiguous": (
        "多个工作表都像工单表：{sheets}；请只保留一个",
        "several sheets look like work orders: {sheets}; keep only one",
    ),
}
"""Every reason of this module for which a file stays out: code → Chinese, English sentence."""


def _refused(code: str, **detail: object) -> FileRefused:
    zh, en = FILE_REFUSALS[code]
    return FileRefused(code, zh.format(**detail), en.format(**detail), detail)


# ── Kind and encoding ────────────────────────────────────────────────────────────────────────

_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def _kind_of(data: bytes) -> Kind:
    """Told by content: hotline systems name web pages and text files ``.xls``."""
    if data.startswith(b"PK\x03\x04"):
        return "xlsx"
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "xls"
    start = data[:4096]
    if not data.strip():
        raise _refused("file_empty")
    markup = start.removeprefix(_UTF8_MARK).lstrip()[:1] == b"<"
    binary = b"\0" in start and not start.startswith(_UTF16_MARKS)
    if markup or binary or start.startswith((b"%PDF", b"{\\rtf")):
        raise _refused("file_kind_unknown")
    return "csv"


def _encoding_of(data: bytes) -> str:
    """UTF-8 when every byte of it is; else GB18030, which holds GBK and GB2312. Never guessed.

    Statistics are no help: they take short Chinese texts for Korean. But GB18030 can also read
    a damaged UTF-8 file, as nonsense; so what has begun as Chinese in UTF-8 is refused instead.
    """
    if data.startswith(_UTF16_MARKS):
        candidates: tuple[str, ...] = ("utf-16",)
    elif data.startswith(_UTF8_MARK):
        candidates = ("utf-8-sig",)
    else:
        candidates = ("utf-8", "gb18030")
    broken_at: int | None = None
    for encoding in candidates:
        try:
            data.decode(encoding)
        except UnicodeDecodeError as error:
            broken_at = error.start if broken_at is None else broken_at
            if encoding == "utf-8" and _is_chinese_utf8(data[: error.start]):
                break
        else:
            return encoding
    raise _refused("encoding_unknown", byte=(broken_at or 0) + 1)


def _is_chinese_utf8(start: bytes) -> bool:
    """Twenty three-byte characters: GB18030 bytes fall out of UTF-8 after two or three."""
    return len(re.findall("[\u0800-\uffff]", start.decode("utf-8"))) >= 20


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────


def _csv_rows(data: bytes, encoding: str) -> Iterator[Sequence[Cell]]:
    """Rows of a CSV file, the text decoded piece by piece.

    Strict about quotation marks: one that never closes would swallow the rows after it.
    """
    with io.TextIOWrapper(io.BytesIO(data), encoding, newline="") as lines:
        delimiter = _delimiter_of(islice(lines, HEADER_WITHIN))
    good = 0
    with io.TextIOWrapper(io.BytesIO(data), encoding, newline="") as lines:
        try:
            for row in csv.reader(lines, delimiter=delimiter, strict=True):
                good += 1
                yield row
        except csv.Error:
            raise _refused("csv_broken", row=good + 1) from None


def _delimiter_of(lines: Iterable[str]) -> str:
    """What separates the first line that is separated at all; a comma where nothing tells."""
    for line in lines:
        best = max(",\t;", key=line.count)
        if best in line:
            return best
    return ","


# ── Header ───────────────────────────────────────────────────────────────────────────────────


def _find_header(
    rows: Iterator[Sequence[Cell]], mapping: Mapping[str, str | None] | None
) -> tuple[Columns, Iterator[Sequence[Cell]]]:
    """The first row that can be a header, and the rows below it.

    When none can, the refusal speaks of the fullest row, which is what a person calls the header.
    """
    refusals: list[tuple[int, FileRefused]] = []
    for cells in islice(filter(_is_filled, rows), HEADER_WITHIN):
        width = max(place for place, cell in enumerate(cells, start=1) if _is_filled([cell]))
        if width > COLUMNS_MAX:
            raise _refused("too_many_columns", limit=COLUMNS_MAX)
        try:
            return match_columns(cells, mapping), rows
        except FileRefused as refusal:
            if refusal.code == "columns_conflict":
                raise
            refusals.append((width, refusal))
    if not refusals:
        raise _refused("file_empty")
    raise max(refusals, key=lambda each: each[0])[1]


# ── Workbooks ────────────────────────────────────────────────────────────────────────────────


def _check_zip(data: bytes) -> None:
    """Bound what a workbook unpacks to, by unpacking it: the sizes a zip declares may be lies."""
    if data.count(b"PK\x01\x02") > ZIP_ENTRIES_MAX:  # not even the list of parts is read
        raise _refused("workbook_unsafe")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            packed = sum(part.compress_size for part in parts)
            if unpacked > min(ZIP_UNPACKED_MAX, ZIP_RATIO_MAX * packed):
                raise _refused("workbook_unsafe", unpacked=unpacked)
            if "xl/workbook.xml" not in archive.namelist():
                raise _refused("file_kind_unknown")
            if archive.testzip() is not None:  # stops at the declared size, then checks the sum
                raise _refused("workbook_broken")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise _refused("workbook_broken") from None
    except RuntimeError:  # how zipfile says that a part is encrypted
        raise _refused("file_encrypted") from None


class _Workbook:
    """This side of the talk with the child that holds a workbook open."""

    def __init__(self, child: subprocess.Popen[bytes], data: bytes) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self._child = child
        self._in: IO[bytes] = child.stdin
        self._out: IO[bytes] = child.stdout
        self._told = 0
        self._say(len(data).to_bytes(8, "big") + data)
        self._heads: dict[str, list[list[Cell]]] = self._hear()["heads"]

    def choose(self, mapping: Mapping[str, str | None] | None) -> str:
        """The one visible sheet whose header can be read."""
        if not self._heads:
            raise _refused("file_empty")
        readable: list[str] = []
        refusals: list[FileRefused] = []
        for name, head in self._heads.items():
            try:
                _find_header(iter(head), mapping)
            except FileRefused as refusal:
                refusals.append(refusal)
            else:
                readable.append(name)
        if not readable:
            raise refusals[0]
        if len(readable) > 1:
            raise _refused("sheets_ambiguous", sheets="、".join(readable))
        return readable[0]

    def rows(self, sheet: str) -> Iterator[Sequence[Cell]]:
        self._say(json.dumps(sheet).encode() + b"\n")
        while batch := self._hear()["rows"]:
            yield from batch

    def _say(self, message: bytes) -> None:
        with suppress(BrokenPipeError):  # then the child is gone, and hearing says why
            self._in.write(message)
            self._in.flush()

    def _hear(self) -> dict[str, Any]:
        line = self._out.readline(TOLD_MAX - self._told + 1)
        self._told += len(line)
        if line.endswith(b"\n"):
            message: dict[str, Any] = json.loads(line)
            if "refused" in message:
                raise _refused(message["refused"], limit=COLUMNS_MAX)
            return message
        # Half a line: too much to tell. Silence: killed at a limit, or broken by the file itself.
        too_heavy = bool(line) or self._child.wait() < 0
        raise _refused("workbook_too_heavy" if too_heavy else "workbook_broken")


@contextmanager
def _open_workbook(data: bytes) -> Iterator[_Workbook]:
    root = Path(__file__).resolve().parents[2]
    kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
    child = subprocess.Popen(
        [sys.executable, "-m", "moderation.intake.hotline_file"],
        cwd=root,
        env={name: os.environ[name] for name in kept if name in os.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _Workbook(child, data)
    finally:
        child.kill()
        child.communicate()


# ── In the child ─────────────────────────────────────────────────────────────────────────────

_BATCH: Final = 500


def _serve_workbook(words_in: IO[bytes], words_out: IO[bytes]) -> None:
    """The child's whole life: take a workbook, show the head of each sheet, hand over one.

    In: 8 bytes of length, the workbook, later one line with a sheet's name. Out, a line of JSON
    each: ``{"heads":{SHEET:[ROW,…]}}`` or ``{"refused":CODE}``, then ``{"rows":[ROW,…]}`` until
    an empty one. An empty row is ``[]``; dates are text, numbers stay numbers.
    """
    from python_calamine import (
        CalamineError,
        CalamineWorkbook,
        PasswordError,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    def say(message: Mapping[str, object]) -> None:
        words_out.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        words_out.flush()

    try:
        data = words_in.read(int.from_bytes(words_in.read(8), "big"))
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [
            sheet.name
            for sheet in workbook.sheets_metadata
            if (sheet.typ, sheet.visible) == (SheetTypeEnum.WorkSheet, SheetVisibleEnum.Visible)
        ]
        sheet, heads = None, {}
        for name in names:
            sheet = workbook.get_sheet_by_name(name)
            if sheet.start is None:
                continue
            if sheet.total_width > COLUMNS_MAX:
                return say({"refused": "too_many_columns"})
            filled = filter(None, map(_plain_row, sheet.iter_rows()))
            heads[name] = list(islice(filled, HEADER_WITHIN))
        say({"heads": heads})
        chosen = json.loads(words_in.readline())
        if sheet is None or sheet.name != chosen:
            sheet = workbook.get_sheet_by_name(chosen)
        rows = map(_plain_row, sheet.iter_rows())
        while batch := list(islice(rows, _BATCH)):
            say({"rows": batch})
        say({"rows": []})
    except PasswordError:
        say({"refused": "file_encrypted"})
    except CalamineError:
        say({"refused": "workbook_broken"})
    except MemoryError:
        say({"refused": "workbook_too_heavy"})


def _plain_row(cells: Sequence[Cell]) -> list[Cell]:
    plain = [_plain(cell) for cell in cells]
    return plain if _is_filled(plain) else []


def _plain(cell: Cell) -> Cell:
    """A cell as JSON can say it. Times are binary fractions of a day: to the nearest second."""
    if isinstance(cell, datetime):
        return str((cell + timedelta(milliseconds=500)).replace(microsecond=0))
    return str(cell) if isinstance(cell, (date, time, timedelta)) else cell


def _limit_this_process() -> None:
    """Bound memory and time, where the system can."""
    try:
        import resource
    except ImportError:
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY, CHILD_MEMORY))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (CHILD_SECONDS, CHILD_SECONDS))


if __name__ == "__main__":
    _limit_this_process()
    _serve_workbook(sys.stdin.buffer, sys.stdout.buffer)

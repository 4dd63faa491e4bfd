"""A workbook, opened by a child process that may use a fixed amount of memory and time and knows
none of our secrets; rows come back as lines of JSON.

A file comes from outside and may be made to hurt: a workbook of half a megabyte can name a cell
a million rows down, or let every cell repeat one long text. So zip bounds are checked first.
Formulas are never worked out: a workbook's stored value is taken.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final

from moderation.intake.cells import Cell, is_filled
from moderation.intake.refusals import refused
from moderation.intake.table_bytes import HEADER_WITHIN

ZIP_ENTRIES_MAX: Final = 200
ZIP_UNPACKED_MAX: Final = 512 * 1024 * 1024
ZIP_RATIO_MAX: Final = 200
ZIP_SMALL: Final = 1024 * 1024
"""Bytes of a part that may be packed as closely as it likes."""
COLUMNS_MAX: Final = 200

TOLD_MAX: Final = 512 * 1024 * 1024
"""Bytes of JSON taken from one workbook: the bound on what its rows may cost *our* memory."""
CHILD_MEMORY: Final = 384 * 1024 * 1024
CHILD_LEAST: Final = 36 * 1024 * 1024
MEMORY_A_BYTE: Final = 3
"""What the child may take beside its own program: so much, and so many bytes for each that the workbook
unpacks to, as far as `CHILD_MEMORY`. 100,000 × 18 cells take 1.7 bytes for each; a small workbook whose
cells all repeat one long text would take thousands."""
XLS_UNPACKS: Final = 3
"""Bytes that one of the old format counts for: it is packed closer."""
CHILD_SECONDS: Final = 60


def check_zip(data: bytes) -> int:
    """Bound what a workbook unpacks to, by unpacking it: the sizes a zip declares may be lies. Gives
    the bytes."""
    if data.count(b"PK\x01\x02") > ZIP_ENTRIES_MAX:  # not even the list of parts is read
        raise refused("workbook_unsafe")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            # Part by part: a bomb may lie beside noise that makes up for it.
            bombs = (
                part.file_size > max(ZIP_SMALL, ZIP_RATIO_MAX * part.compress_size)
                for part in parts
            )
            if unpacked > ZIP_UNPACKED_MAX or any(bombs):
                raise refused("workbook_unsafe", unpacked=unpacked)
            if "xl/workbook.xml" not in archive.namelist():
                raise refused("file_kind_unknown")
            if archive.testzip() is not None:  # stops at the declared size, then checks the sum
                raise refused("workbook_broken")
            return unpacked
    # NotImplementedError is how zipfile reports a compression or a zip version that it cannot read.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise refused("workbook_broken") from None
    except RuntimeError:  # how zipfile says that a part is encrypted
        raise refused("file_encrypted") from None


class Workbook:
    """This side of the talk with the child that holds a workbook open.

    ``heads``: the first :data:`HEADER_WITHIN` filled rows of each visible sheet that has any.
    """

    def __init__(self, child: subprocess.Popen[bytes], data: bytes) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self._child = child
        self._in: IO[bytes] = child.stdin
        self._out: IO[bytes] = child.stdout
        self._told = 0
        self._say(len(data).to_bytes(8, "big") + data)
        self.heads: dict[str, list[list[Cell]]] = self._hear()["heads"]

    def rows(self, sheet: str) -> Iterator[Sequence[Cell]]:
        """Every row of one sheet, an empty one as ``[]``; asked for once."""
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
                raise refused(message["refused"], limit=COLUMNS_MAX)
            return message
        # Half a line: too much to tell. Silence: killed at a limit, or broken by the file itself.
        too_heavy = bool(line) or self._child.wait() < 0
        raise refused("workbook_too_heavy" if too_heavy else "workbook_broken")


@contextmanager
def open_workbook(data: bytes, unpacked: int) -> Iterator[Workbook]:
    """The workbook in a child process that ends with the block. `unpacked`: the bytes that it unpacks to,
    by which the child's memory is bounded.

    Raises :class:`FileRefused`, here or while rows are read: ``workbook_broken``,
    ``workbook_too_heavy``, ``file_encrypted``, ``too_many_columns``.
    """
    root = Path(__file__).resolve().parents[2]
    kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
    child = subprocess.Popen(
        [sys.executable, "-m", "moderation.intake.workbook", str(unpacked)],
        cwd=root,
        env={name: os.environ[name] for name in kept if name in os.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Workbook(child, data)
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
    return plain if is_filled(plain) else []


def _plain(cell: Cell) -> Cell:
    """A cell as JSON can say it. Times are binary fractions of a day: to the nearest second."""
    if isinstance(cell, datetime):
        return str((cell + timedelta(milliseconds=500)).replace(microsecond=0))
    return str(cell) if isinstance(cell, (date, time, timedelta)) else cell


def _limit_this_process(unpacked: int) -> None:
    """Bound memory and time, where the system can."""
    try:
        import resource
    except ImportError:
        return
    most = min(CHILD_MEMORY, CHILD_LEAST + MEMORY_A_BYTE * unpacked)
    with suppress(ValueError, OSError):
        with open("/proc/self/statm", encoding="ascii") as told:
            most += int(told.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (CHILD_SECONDS, CHILD_SECONDS))


if __name__ == "__main__":
    _limit_this_process(int(sys.argv[1]))
    _serve_workbook(sys.stdin.buffer, sys.stdout.buffer)

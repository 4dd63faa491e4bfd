"""`pingyi import FILE`: a hotline file into a hearing, also while a server runs on the same data.

It is read as an upload is: by a child of bounded memory, with what is remembered of its source's columns.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from moderation.intake.refusals import FileRefused
from moderation.kept_items import Keeping, Kept
from moderation.reading import Head, read_apart
from server.actions.import_questions import Source, import_questions
from server.app import Building
from server.domain.incoming import Incoming
from server.domain.refusals import OutcomeUnknown, Refusal, RolledBack
from server.domain.roles import MACHINE
from server.settings import Settings
from server.store.migrate import migrate
from server.store.schema import is_current
from server.store.start_faults import start_fault

STEP_S = 0.2
"""How often a terminal is told how far it is."""
Outcome = tuple[int, dict[str, Any], str | None]
"""(exit status, outcome for `--json`, error sentence or None)."""


async def import_file(
    settings: Settings,
    file: Path,
    hearing: str,
    source: str,
    mapping: Path | None,
    *,
    dry_run: bool,
) -> Outcome:
    """Reads, masks and takes the file in. Nothing is written when `dry_run`."""
    try:
        named = Source(source, file.name)
        columns = _mapping(mapping)
    except Refusal as refusal:
        return 1, {}, refusal.in_both
    except (OSError, ValueError) as error:
        return 1, {}, f"读不了列映射文件。The mapping cannot be read: {type(error).__name__}."
    where = settings.whereabouts
    if where is None:
        return 1, {}, Refusal("hearing_not_here", slug=hearing, where=str(settings.data)).in_both
    building = Building(settings)
    try:
        if dry_run and not await is_current(building.database):
            raise Refusal("schema_older")
        if not dry_run:
            await migrate(building.database)
        await building.check_secret()
        async with building.store.look(slug=hearing, line=True) as unit:
            kept = await unit.sources.get(source)
        known = kept.mapping if kept else {}
        with tempfile.TemporaryDirectory(prefix="pingyi-import-") as folder:
            beside = Path(folder) / "items"
            head, items = await asyncio.to_thread(_read, building, file, columns, known, beside)
            if columns is not None:  # What a person chose is remembered.
                named = replace(named, mapping=head.mapping)
            told = _Progress("导入", "taking in")
            try:
                counted = await import_questions(
                    building.house,
                    MACHINE,
                    hearing,
                    named,
                    items,
                    dry_run=dry_run,
                    progress=lambda n, of: told(head.items * n // of, head.items),
                )
            finally:
                told.end()
    except FileRefused as error:
        return 1, {}, f"{error.zh} {error.en}"
    except Refusal as refusal:
        if refusal.code == "not_found":
            refusal = Refusal("hearing_not_here", slug=hearing, where=where)
        return 1, {}, refusal.in_both
    except OutcomeUnknown:
        return 1, {}, Refusal("outcome_unknown").in_both
    except (
        Exception
    ) as error:  # The database is away, of a newer release, full: told as at a start.
        again = Refusal("outcome_unknown") if isinstance(error, RolledBack) else None
        fault = start_fault(error) or again
        if fault is None:
            raise
        return 1, {}, fault.in_both
    finally:
        await building.database.close()
    return (
        0,
        {
            "rows": head.rows,
            "new": counted.new,
            "updated": counted.updated,
            "unchanged": counted.unchanged + head.repeats,
            "refused": [
                {"row": r.row, "column": r.column, "code": r.code, "message": f"{r.zh} {r.en}"}
                for r in head.refusals
            ],
        },
        None,
    )


def _read(
    building: Building,
    file: Path,
    columns: Mapping[str, str | None] | None,
    known: Mapping[str, str | None],
    beside: Path,
) -> tuple[Head, Sequence[Incoming]]:
    """Its head and its items, which lie in `beside`, masked and sealed. Waits for a child."""
    told, whole = _Progress("读取", "reading"), 0

    def begun(head: Head) -> None:
        nonlocal whole
        whole = head.items
        told(0, whole)

    with open(beside, "wb") as kept:
        keeping = Keeping(kept)

        def take(piece: Sequence[Incoming]) -> None:
            keeping.take(piece)
            told(keeping.done, whole)

        names = building.house.masked_names
        told(0, 0)
        try:
            head = read_apart(file.resolve(), columns, known, building.keys, names, take, begun)
        finally:
            told.end()
    return head, Kept(beside, keeping.places, head.items)


class _Progress:
    """One line on a terminal that says how far it is; elsewhere nothing."""

    def __init__(self, zh: str, en: str) -> None:
        self._words, self._at = f"{zh} · {en}", 0.0
        self._shown = sys.stderr.isatty()

    def __call__(self, done: int, of: int) -> None:
        now = time.monotonic()
        if self._shown and (now - self._at >= STEP_S or done == of):
            self._at = now
            sys.stderr.write(f"\r{self._words} " + (f"{done}/{of}" if of else "…"))
            sys.stderr.flush()

    def end(self) -> None:
        """Leaves the line empty for what is told next."""
        if self._shown and self._at:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _mapping(path: Path | None) -> dict[str, str | None] | None:
    if path is None:
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(told, dict):
        raise ValueError("not an object")
    return told

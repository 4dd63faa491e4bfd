"""`pingyi import FILE`: a hotline file into a hearing, also while a server runs on the same data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from moderation.intake.hotline_file import read_hotline_file
from moderation.intake.refusals import FileRefused
from moderation.take_in import incoming
from server.actions.import_questions import Source, import_questions
from server.app import Building
from server.domain.refusals import OutcomeUnknown, Refusal, RolledBack
from server.domain.roles import MACHINE
from server.settings import Settings
from server.store.migrate import migrate
from server.store.schema import is_current
from server.store.start_faults import start_fault

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
        read = read_hotline_file(file, columns)
    except Refusal as refusal:
        return 1, {}, refusal.in_both
    except FileRefused as error:
        return 1, {}, f"{error.zh} {error.en}"
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
        names = building.house.masked_names
        items = incoming(read.items, building.keys, names)
        counted = await import_questions(
            building.house,
            MACHINE,
            hearing,
            named,
            items,
            dry_run=dry_run,
        )
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
            "rows": read.rows,
            "new": counted.new,
            "updated": counted.updated,
            "unchanged": counted.unchanged + len(read.repeats),
            "refused": [
                {"row": r.row, "column": r.column, "code": r.code, "message": f"{r.zh} {r.en}"}
                for r in read.refusals
            ],
        },
        None,
    )


def _mapping(path: Path | None) -> dict[str, str | None] | None:
    if path is None:
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(told, dict):
        raise ValueError("not an object")
    return told

"""`pingyi topics FILE`: an office's scheme of topics, also while a server runs on the same data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from moderation.intake.refusals import FileRefused, refused
from moderation.topics.scheme_file import BYTES_MOST, read_scheme
from server.actions.manage_topics import replace_topics
from server.app import Building
from server.domain.refusals import OutcomeUnknown, Refusal, RolledBack
from server.domain.roles import MACHINE
from server.settings import Settings
from server.store.migrate import migrate
from server.store.schema import is_current
from server.store.start_faults import start_fault

Outcome = tuple[int, dict[str, Any] | None, list[str]]
"""(exit status, outcome for `--json` or None, error sentences)."""


async def replace_scheme(settings: Settings, file: Path, hearing: str, *, dry_run: bool) -> Outcome:
    """Reads the file and puts it in the place of the scheme before. Nothing is written when `dry_run`."""
    try:
        read = read_scheme(_bytes_of(file))
    except FileRefused as error:
        return 1, None, [f"{error.zh} {error.en}"]
    if read.bad:
        return 1, None, [f"第 {one.row} 行：{one.zh}。Row {one.row}: {one.en}." for one in read.bad]
    where = settings.whereabouts
    if where is None:
        refusal = Refusal("hearing_not_here", slug=hearing, where=str(settings.data))
        return 1, None, [refusal.in_both]
    building = Building(settings)
    try:
        if dry_run and not await is_current(building.database):
            raise Refusal("schema_older")
        if not dry_run:
            await migrate(building.database)
        await building.check_secret()
        done = await replace_topics(
            building.house, MACHINE, hearing, read.topics, file.name, dry_run=dry_run
        )
    except Refusal as refusal:
        if refusal.code == "not_found":
            refusal = Refusal("hearing_not_here", slug=hearing, where=where)
        return 1, None, [refusal.in_both]
    except OutcomeUnknown:
        return 1, None, [Refusal("outcome_unknown").in_both]
    except (
        Exception
    ) as error:  # The database is away, of a newer release, full: told as at a start.
        again = Refusal("outcome_unknown") if isinstance(error, RolledBack) else None
        fault = start_fault(error) or again
        if fault is None:
            raise
        return 1, None, [fault.in_both]
    finally:
        await building.database.close()
    return 0, asdict(done), []


def _bytes_of(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(BYTES_MOST + 1)
    except OSError as error:
        raise refused("file_unreadable", reason=error.strerror or "") from None

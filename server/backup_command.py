"""`pingyi backup FILE`: a sound copy of the SQLite database while a hearing runs.

The seals of secret rounds that are open are not in it: with them it would open the ballots. `--seals
FILE2` writes them apart.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import quote

from server.identity.seals import Seals
from server.seal_file import seals_of, write_seals
from server.settings import Settings

ONLY_SQLITE = "PostgreSQL 请用 pg_dump 备份。PostgreSQL is copied with pg_dump (docs/operating.md)."


class NotCopied(Exception):
    """The copy was not made; the sentence says why."""


def backup(settings: Settings, file: Path, seals: Path | None = None) -> int:
    """Copies the database to the file and gives its size in bytes; the seals, to a file of their own
    where one is named. Raises `NotCopied`.

    In one step, in which SQLite reads a single moment: copied a few pages at a time, as the `sqlite3`
    shell does, it begins anew whenever somebody writes, and under a hearing never ends. The file is
    whole or not there, and replaces an older one only when it is sound.
    """
    url = settings.database
    if not url.startswith("sqlite"):
        raise NotCopied(ONLY_SQLITE)
    path = Path(url.split("///", 1)[1])
    if not path.exists():
        raise NotCopied(
            f"没有数据库 {path}：请核对 PINGYI_DATA。"
            f" There is no database at {path}: check PINGYI_DATA."
        )
    if file.is_dir():
        raise NotCopied(
            f"{file} 是文件夹：请写出备份的文件名，例如 {file / 'pingyi-copy.db'}。"
            f" {file} is a folder: name the copy's file, such as {file / 'pingyi-copy.db'}."
        )
    for one in (file, seals):
        if one is not None and _is_of(path, one):
            raise NotCopied(
                f"{one} 是正在使用的数据库文件：请把备份写到别处。"
                f" {one} is a file of the database in use: put the copy elsewhere."
            )
    if seals is not None and (seals.is_dir() or seals.resolve() == file.resolve()):
        raise NotCopied(
            f"封存密钥须写进另一个文件，不能是 {seals}：密钥和备份放在一起，就能打开没有截止的票。"
            f" The seals need a file of their own, which {seals} is not: together with the copy they open"
            " ballots of rounds that have not closed."
        )
    try:
        handle, name = tempfile.mkstemp(dir=file.resolve().parent, prefix=f".{file.name}.")
        os.close(handle)
    except OSError as error:
        raise NotCopied(f"写不了 {file}。{file} cannot be written ({error.strerror}).") from None
    try:
        # A round may open or close meanwhile: what was there before or after is written down.
        held = seals_of(Seals(settings.data)) if seals is not None else {}
        _copy(path, Path(name))
        if seals is not None:
            write_seals(seals, held | seals_of(Seals(settings.data)))
        os.replace(name, file)
    except (OSError, sqlite3.Error) as error:
        os.unlink(name)
        why = error.strerror if isinstance(error, OSError) else error
        raise NotCopied(
            f"备份没有完成，原有的备份没有改动。The copy was not made, and an older one is as it was ({why})."
        ) from None
    return file.stat().st_size


def _is_of(path: Path, file: Path) -> bool:
    """Whether the file is the database, one that stands beside it, or what serves it, by whatever name."""
    of_it = [Path(f"{path}{end}") for end in ("", "-wal", "-shm", "-journal", "-serving")]
    return any(
        file.resolve() == one.resolve() or (file.exists() and one.exists() and file.samefile(one))
        for one in of_it
    )


def _copy(path: Path, to: Path) -> None:
    source = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=30)
    target = sqlite3.connect(to)
    try:
        source.backup(target, pages=-1)
        (found,) = target.execute("PRAGMA quick_check").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        target.execute("PRAGMA journal_mode=DELETE")
    finally:
        target.close()
        source.close()
    with to.open("rb") as file:
        os.fsync(file.fileno())

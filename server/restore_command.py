"""`pingyi restore FILE`: a copy in the place of the SQLite database, while nobody serves it.

The copy is checked before anything is changed, and what it replaces is kept. Whenever the command is
killed, `pingyi.db` is the whole old database or the whole new one.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import quote

from server.domain.refusals import Refusal
from server.domain.rounds import TAKES_BALLOTS, SealBroken
from server.identity import secrets
from server.identity.seals import Seals
from server.seal_file import read_seals
from server.settings import Settings
from server.store.alive import Alive
from server.store.schema import revisions
from server.store.transaction import Database

ONLY_SQLITE = (
    "PostgreSQL 请用 pg_restore 恢复。PostgreSQL is put back with pg_restore (docs/operating.md)."
)
BESIDE = ("-wal", "-journal", "-shm")
"""Files of SQLite beside a database. To the next database of this name they would be its own newest
acts, and ruin it."""
BROKEN = {"SQLITE_NOTADB", "SQLITE_CORRUPT"}


class NotRestored(Exception):
    """The database is what it was; the sentence says why. `status` is the command's."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Restored:
    """The database, its size in bytes, where the one that it replaced is, if there was any, and the titles
    of open secret rounds whose seal is not here: the next start voids them."""

    path: Path
    size: int
    replaced: Path | None
    without_seal: tuple[str, ...]


async def restore(settings: Settings, file: Path, seals: Path | None = None) -> Restored:
    """Puts the copy in place, and the seals that were written apart from it. Raises `NotRestored`, and a `Refusal` for a wrong database URL.

    For as long as it works it counts as the process that serves the data: no server starts meanwhile.
    """
    if not settings.database.startswith("sqlite"):
        raise NotRestored(ONLY_SQLITE, 2)
    path = Path(settings.database.split("///", 1)[1])
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise NotRestored(f"读不了 {file}。{file} cannot be read ({error.strerror}).") from None
    given = _seals_in(seals) if seals is not None else {}
    try:
        database = Database(settings.database)
        alive = Alive(database)
        try:
            async with alive.starting():
                return _put_in_place(file, path, settings, given)
        finally:
            await alive.end()
            await database.close()
    except Refusal as refusal:
        if refusal.code != "data_in_use":
            raise
        raise NotRestored(
            f"有进程正在使用 {path}：请先停止服务，再恢复。"
            f" A process serves {path}: stop the server first, then restore."
        ) from None
    except (OSError, sqlite3.Error) as error:
        raise NotRestored(
            f"恢复没有完成，数据库没有改动：{error}。"
            f" Nothing was restored and nothing changed ({type(error).__name__})."
        ) from None


def _seals_in(file: Path) -> dict[str, bytes]:
    try:
        return read_seals(file)
    except OSError as error:
        raise NotRestored(f"读不了 {file}。{file} cannot be read ({error.strerror}).") from None
    except SealBroken:
        raise NotRestored(
            f"{file} 不是 pingyi backup --seals 写的封存密钥，没有恢复。"
            f" {file} has no seals that pingyi backup --seals wrote; nothing was restored."
        ) from None


def _put_in_place(
    file: Path, path: Path, settings: Settings, given: Mapping[str, bytes]
) -> Restored:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-restore-") as folder:
        staged = Path(folder) / path.name
        _copy(file, staged)
        _check_release(file, staged)
        _check_secret(file, staged, settings)
        _begin_anew(file, staged)
        without_seal = _put_seals(staged, path, settings, given)
        _belong_to_the_server(staged, path)
        with staged.open("rb") as whole:
            os.fsync(whole.fileno())
        replaced = _set_aside(path)
        os.replace(staged, path)
    _sync(path.parent)
    return Restored(path, path.stat().st_size, replaced, without_seal)


def _put_seals(
    staged: Path, path: Path, settings: Settings, given: Mapping[str, bytes]
) -> tuple[str, ...]:
    """The seals of the copy's open secret rounds are put in place before the copy is: no start finds it
    without them. A round that has closed gets none back. Gives the titles of those without one."""
    with closing(sqlite3.connect(staged)) as database:
        columns = {row[1] for row in database.execute("PRAGMA table_info(rounds)")}
        if "seal" not in columns:
            return ()
        rounds = database.execute(
            "SELECT title, seal, status FROM rounds WHERE seal IS NOT NULL ORDER BY ordinal"
        ).fetchall()
    seals, without = Seals(settings.data), []
    for title, public, status in rounds:
        if status not in TAKES_BALLOTS:
            continue
        if public in given:
            seals.put(public, given[public])
        if seals.find(public) is None:
            without.append(title)
    if os.geteuid() == 0 and seals.held():
        owner = (path if path.exists() else path.parent).stat()
        seals.give_to(owner.st_uid, owner.st_gid)
    return tuple(without)


# ── the copy ──


def _copy(file: Path, to: Path) -> None:
    try:
        source = sqlite3.connect(f"file:{quote(str(file.resolve()))}?mode=ro", uri=True, timeout=30)
        with closing(source), closing(sqlite3.connect(to)) as target:
            source.backup(target, pages=-1)
            (found,) = target.execute("PRAGMA quick_check").fetchone()
            if found == "ok":
                target.execute("PRAGMA journal_mode=DELETE")
                return
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname not in BROKEN:
            raise
    raise NotRestored(
        f"{file} 不是完好的数据库，没有恢复；请换一份备份。"
        f" {file} is not a sound database and was not restored: take another copy."
    )


def _check_release(file: Path, staged: Path) -> None:
    with closing(sqlite3.connect(staged)) as database:
        is_here = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if database.execute(is_here).fetchone() is None:
            raise NotRestored(
                f"{file} 不是 Pingyi 的备份，没有恢复。"
                f" {file} is no copy of a Pingyi database and was not restored."
            )
        found = {name for (name,) in database.execute("SELECT version_num FROM alembic_version")}
    if not found <= set(revisions()):
        raise NotRestored(
            f"{file} 属于更新的版本，没有恢复：请先安装那个版本。"
            f" {file} belongs to a newer release and was not restored: install that one first."
        )


def _check_secret(file: Path, staged: Path, settings: Settings) -> None:
    """As a server asks it at its start; but none is made here, for a new one would open nothing."""
    with closing(sqlite3.connect(staged)) as database:
        used = database.execute(
            "SELECT fingerprint FROM secret_fingerprints ORDER BY created_at DESC LIMIT 1"
        ).fetchone()
    lies = settings.data / "secret"
    given = settings.secret or (lies.read_text().strip() if lies.exists() else "")
    here = {
        secrets.Keys(one.encode()).fingerprint for one in (given, settings.secret_before) if one
    }
    if used is not None and used[0] not in here:
        raise NotRestored(
            f"{file} 使用的密钥与这里不同，没有恢复：请设置原来的 PINGYI_SECRET，或先把原来的 secret"
            f" 文件放回 {settings.data}。"
            f" {file} was made with another secret and was not restored: set its PINGYI_SECRET, or"
            f" put its file `secret` into {settings.data} first."
        )


def _begin_anew(file: Path, staged: Path) -> None:
    """Each run gets another epoch: pages out there may know versions that the copy never had, and
    those that it makes from now on have the same numbers. The audit says where the history parts."""
    with closing(sqlite3.connect(staged)) as database, database:
        for (run,) in database.execute("SELECT id FROM runs").fetchall():
            database.execute("UPDATE runs SET epoch = ? WHERE id = ?", (secrets.code(), run))
        database.execute(
            "INSERT INTO audit (at, actor, act, detail) VALUES (?, 'machine', 'restore', ?)",
            (time.time_ns() // 1_000_000, json.dumps({"file": file.name})),
        )


def _belong_to_the_server(staged: Path, path: Path) -> None:
    """The server must be able to open what an administrator put back, and nobody else."""
    if path.exists():
        shutil.copymode(path, staged)
    else:
        staged.chmod(0o600)
    if os.geteuid() == 0:
        owner = (path if path.exists() else path.parent).stat()
        for one in (staged, Path(f"{path}-serving")):
            os.chown(one, owner.st_uid, owner.st_gid)


# ── what is replaced ──


def _set_aside(path: Path) -> Path | None:
    """The old database under a second name, with nothing of it left beside the first; None where
    there was none."""
    if path.exists():
        _fold(path)
    kept = _free_name(path)
    found = path.exists()
    if found:
        os.link(path, kept)
    for ending in BESIDE:
        beside = Path(f"{path}{ending}")
        if beside.exists():
            os.replace(beside, f"{kept}{ending}")
            found = True
    return kept if found else None


def _fold(path: Path) -> None:
    """The newest acts go from `-wal` into the old database itself, which SQLite does only when no
    other program has it open. One that is broken is left as it is: it is what needs replacing."""
    try:
        with closing(sqlite3.connect(path, timeout=2)) as database:
            database.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname.startswith("SQLITE_BUSY"):
            raise NotRestored(
                f"别的程序（如 pingyi import）正在使用 {path}：等它结束，再恢复。"
                f" Another program, such as pingyi import, has {path} open: restore when it is done."
            ) from None
        if error.sqlite_errorname not in BROKEN:
            raise


def _free_name(path: Path) -> Path:
    stem = f"{path}.replaced-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (Path(f"{stem}-{n}" if n else stem) for n in count())
    return next(name for name in names if not name.exists())


def _sync(folder: Path) -> None:
    """The new name outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

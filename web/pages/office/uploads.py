"""A hotline file between its preview and its import: kept under a random name, readable by this
process alone, gone after use or after an hour. It holds citizens' words with nothing masked yet.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import time
from pathlib import Path

KEPT_S = 3600
_ID = re.compile(r"[0-9a-f]{32}")


class Uploads:
    """The folder of such files. A file opens only with the `owner` it was put away with (who,
    which hearing, which source), whose hash is part of its name."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "uploads"

    def keep(self, content: bytes, owner: str) -> str:
        """Puts the bytes away; gives the id. Older files than an hour leave on the way."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.sweep()
        id_ = secrets.token_hex(16)
        handle = os.open(self._path(id_, owner), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return id_

    def read(self, id_: str, owner: str) -> bytes | None:
        """The bytes, or None when they are gone or somebody else's."""
        if not _ID.fullmatch(id_):
            return None
        try:
            return self._path(id_, owner).read_bytes()
        except FileNotFoundError:
            return None

    def drop(self, id_: str, owner: str) -> None:
        """The file is no longer needed."""
        if _ID.fullmatch(id_):
            self._path(id_, owner).unlink(missing_ok=True)

    async def expire(self, id_: str, owner: str) -> None:
        """Drops the file after an hour, or when this process ends."""
        try:
            await asyncio.sleep(KEPT_S)
        finally:
            self.drop(id_, owner)

    def sweep(self) -> None:
        """Drops what a crash left behind."""
        for path in self._folder.iterdir():
            if path.stat().st_mtime < time.time() - KEPT_S:
                path.unlink(missing_ok=True)

    def _path(self, id_: str, owner: str) -> Path:
        return self._folder / f"{id_}.{hashlib.sha256(owner.encode()).hexdigest()[:16]}"

"""Uploaded files. A hotline file lies between its preview and its import, with what is known of it: kept under a random name, readable by this
process alone, gone after use or after an hour. It holds citizens' words with nothing masked yet.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import FormData, UploadFile

from server.domain.refusals import Refusal

KEPT_S = 3600
reading = asyncio.Semaphore(1)
"""One file is read at a time: a workbook may take two gigabytes while it is opened."""
_ID = re.compile(r"[0-9a-f]{32}")


class Uploads:
    """The folder of such files. A file opens only with the `owner` it was put away with (who,
    which hearing, which source), whose hash is part of its name."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "uploads"

    def keep(self, content: bytes, owner: str) -> str:
        """Puts the bytes away; gives the id. Older files than an hour leave on the way."""
        self.sweep()
        id_ = secrets.token_hex(16)
        self.put(id_, owner, "", content)
        return id_

    def put(self, id_: str, owner: str, what: str, content: bytes) -> None:
        """Puts something that belongs to the file in the place of what was there, whole."""
        beside = f"{what}.{secrets.token_hex(4)}"
        with self.write(id_, owner, beside) as file:
            file.write(content)
        self.path(id_, owner, beside).replace(self.path(id_, owner, what))

    def write(self, id_: str, owner: str, what: str) -> BinaryIO:
        """A file beside it, empty, that is written bit by bit."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        return os.fdopen(os.open(self.path(id_, owner, what), flags, 0o600), "wb")

    def read(self, id_: str, owner: str, what: str = "") -> bytes | None:
        """The bytes, or None when they are gone or somebody else's."""
        if not _ID.fullmatch(id_):
            return None
        try:
            return self.path(id_, owner, what).read_bytes()
        except FileNotFoundError:
            return None

    def drop(self, id_: str, owner: str, what: str = "") -> None:
        """It is no longer needed."""
        if _ID.fullmatch(id_):
            self.path(id_, owner, what).unlink(missing_ok=True)

    async def expire(self, id_: str, owner: str) -> None:
        """Drops the file and all beside it after an hour, or when this process ends."""
        try:
            await asyncio.sleep(KEPT_S)
        finally:
            for path in self._folder.glob(f"{self.path(id_, owner).name}*"):
                path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Drops what a crash left behind."""
        for path in self._folder.glob("*"):
            with suppress(FileNotFoundError):  # another process does the same
                if path.stat().st_mtime < time.time() - KEPT_S:
                    path.unlink()

    def path(self, id_: str, owner: str, what: str = "") -> Path:
        """Where it lies."""
        return self._folder / f"{id_}.{hashlib.sha256(owner.encode()).hexdigest()[:16]}{what}"


async def file_of(form: FormData, most: int) -> tuple[str, bytes]:
    """The uploaded file's name and bytes, read in pieces; `too_large` beyond `most`."""
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return "", b""
    pieces, size = [], 0
    while piece := await file.read(1 << 20):
        size += len(piece)
        if size > most:
            raise Refusal("too_large")
        pieces.append(piece)
    return file.filename.replace("\\", "/").rsplit("/", 1)[-1][:120], b"".join(pieces)

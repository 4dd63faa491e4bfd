"""Items between their reading and their taking in: they lie in a file, a line of JSON each, masked and sealed.

A hundred thousand of them would fill the memory of whoever takes them in; so they are written as they are
read, and read again a piece at a time.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, overload

from moderation.reading import PIECE
from server.domain.incoming import Incoming


class Kept(Sequence[Incoming]):
    """Those in the file: `places` is where each piece of `PIECE` begins, `count` how many they are."""

    def __init__(self, path: Path, places: Sequence[int], count: int) -> None:
        self._path, self._places, self._count = path, places, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> Incoming: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Incoming]: ...
    def __getitem__(self, at: int | slice) -> Incoming | Sequence[Incoming]:
        if isinstance(at, int):
            return self[at : at + 1][0]
        start, stop, _ = at.indices(self._count)
        if start >= stop:
            return []
        with open(self._path, "rb") as file:
            file.seek(self._places[start // PIECE])
            for _ in range(start % PIECE):
                file.readline()
            return [_item(file.readline()) for _ in range(start, stop)]


class Keeping:
    """Writes pieces as `read_apart` gives them; `places` is where each begins."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.places: list[int] = []
        self.done = 0

    def take(self, piece: Sequence[Incoming]) -> None:
        """The next piece."""
        self.places.append(self._file.tell())
        self._file.write(b"".join(map(_line, piece)))
        self.done += len(piece)


def _line(item: Incoming) -> bytes:
    box = None if item.sealed is None else base64.b64encode(item.sealed).decode()
    told = {**vars(item), "fields": dict(item.fields), "sealed": box}
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"


def _item(line: bytes) -> Incoming:
    told = json.loads(line)
    box = None if told["sealed"] is None else base64.b64decode(told["sealed"])
    return Incoming(**{**told, "tags": tuple(told["tags"]), "sealed": box})

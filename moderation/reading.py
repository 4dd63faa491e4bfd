"""A hotline file read and masked by a child process of bounded memory, piece by piece.

Masking a hundred thousand rows takes minutes of a core, and a file comes from outside: so it is done by
a process that knows none of our secrets and may be killed at its bounds. What masking took comes back
apart, and is sealed here at once (docs/decisions/0021-reading-apart.md).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from moderation.intake.refusals import FileRefused, RowRefusal, refused
from moderation.take_in import Keys, incoming
from server.domain.incoming import Incoming, MaskedNames

if TYPE_CHECKING:
    from moderation.intake.hotline_file import HotlineFile

MEMORY: Final = 400 * 1024 * 1024
SECONDS: Final = 1_800
PIECE: Final = 200
"""Items that come back at once."""
LINE_MOST: Final = 256 * 1024 * 1024
"""Bytes of one line of what the child tells."""


@dataclass(frozen=True)
class Head:
    """What a file is, known before its items are masked: `rows` are those below the header, `items` those
    that are in, `repeats` those that say what another says."""

    kind: str
    encoding: str
    sheet: str
    columns: tuple[str, ...]
    mapping: Mapping[str, str | None]
    rows: int
    items: int
    repeats: int
    refusals: tuple[RowRefusal, ...]

    def told(self) -> dict[str, Any]:
        """As JSON."""
        refusals = [[one.row, one.column, one.code, one.kept_row] for one in self.refusals]
        return {**vars(self), "columns": list(self.columns), "refusals": refusals}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Head:
        """From its JSON."""
        refusals = tuple(RowRefusal(*one) for one in told["refusals"])
        return cls(**{**told, "columns": tuple(told["columns"]), "refusals": refusals})


def read_apart(
    path: Path,
    mapping: Mapping[str, str | None] | None,
    known: Mapping[str, str | None],
    keys: Keys,
    names: MaskedNames,
    take: Callable[[Sequence[Incoming]], None],
    begun: Callable[[Head], None],
) -> Head:
    """Reads the file and gives its items to `take`, piece by piece, after its head to `begun`.

    ``mapping`` is what a person chose; without one, ``known`` is what is remembered of the source, as far
    as it speaks of columns of this file. `names`: see `incoming`. Waits: to be called in a
    thread.

    Raises :class:`FileRefused`, also for what goes beyond the child's bounds (`workbook_too_heavy`).
    """
    asked = {"mapping": mapping, "known": dict(known), "names": names}
    kept = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
    child = subprocess.Popen(
        [sys.executable, "-m", "moderation.reading", str(path), str(MEMORY)],
        cwd=Path(__file__).resolve().parents[1],
        env={name: os.environ[name] for name in kept if name in os.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with suppress(BrokenPipeError):
            child.stdin.write(json.dumps(asked).encode())
            child.stdin.close()
        told = _told(child.stdout)
        head = Head.of(next(told)["head"])
        begun(head)
        for message in told:
            if "end" in message:
                return head
            take([_sealed(one, keys) for one in message["items"]])
        raise refused("workbook_too_heavy")  # its end was not told: it was killed at a bound
    except StopIteration:
        raise refused("workbook_too_heavy") from None
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def _told(lines: IO[bytes]) -> Iterator[dict[str, Any]]:
    while (line := lines.readline(LINE_MOST)).endswith(b"\n"):
        message: dict[str, Any] = json.loads(line)
        if "refused" in message:
            raise FileRefused(*message["refused"])
        yield message


def _sealed(told: Mapping[str, Any], keys: Keys) -> Incoming:
    box = keys.seal(told["sealed"]) if told["sealed"] else None
    who = keys.person(told["person"]) if told["person"] else ""
    kept = {"sealed": box, "person": who, "digest": keys.mark(told["digest"])}
    return Incoming(**{**told, "tags": tuple(told["tags"]), **kept})


# ── In the child ─────────────────────────────────────────────────────────────────────────────


def _serve(path: str, words_in: IO[bytes], words_out: IO[bytes]) -> None:
    """The child's whole life. In: `{"mapping", "known", "names"}`. Out, a line of JSON each: `{"head":…}`, then
    `{"items":[…]}` with what is to be sealed in `sealed`, then `{"end":true}`; or `{"refused":[code,
    Chinese and English sentence, details]}`."""
    from moderation.intake.normal_form import IncomingItem

    def say(message: Mapping[str, object]) -> None:
        words_out.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")
        words_out.flush()

    asked = json.load(words_in)
    try:
        read = _read(path, asked["mapping"], asked["known"])
        items = [one for one in read.items if isinstance(one, IncomingItem)]
        head = Head(
            read.kind,
            read.encoding,
            read.sheet,
            read.columns,
            read.mapping,
            read.rows,
            len(items),
            len(read.repeats),
            read.refusals,
        )
        del read
        say({"head": head.told()})
        for start in range(0, len(items), PIECE):
            piece = []
            for one in incoming(items[start : start + PIECE], _NoKeys(), asked["names"]):
                sealed = None if one.sealed is None else json.loads(one.sealed)
                piece.append({**vars(one), "fields": dict(one.fields), "sealed": sealed})
            say({"items": piece})
        say({"end": True})
    except FileRefused as error:
        say({"refused": [error.code, error.zh, error.en, error.detail]})
    except MemoryError:
        too_heavy = refused("workbook_too_heavy")
        say({"refused": [too_heavy.code, too_heavy.zh, too_heavy.en, {}]})


def _read(
    path: str, mapping: Mapping[str, str | None] | None, known: Mapping[str, str | None]
) -> HotlineFile:
    """With what a person chose; else with what is remembered, which may be all that tells what the columns
    are."""
    from moderation.intake.columns import kept_for
    from moderation.intake.hotline_file import read_hotline_file

    try:
        read = read_hotline_file(path, mapping)
    except FileRefused as error:
        headers = error.detail.get("headers")
        kept = kept_for(headers, known) if mapping is None and isinstance(headers, list) else {}
        if not kept:
            raise
        return read_hotline_file(path, kept)
    kept = kept_for(read.columns, known) if mapping is None else {}
    return read_hotline_file(path, kept) if kept.items() - read.mapping.items() else read


class _NoKeys:
    """All is told as it is to who has the keys."""

    person = mark = staticmethod(str)

    @staticmethod
    def seal(box: Mapping[str, Any]) -> bytes:
        return json.dumps(box, ensure_ascii=False).encode()


def _limit_this_process(memory: int) -> None:
    """Bound memory and time, where the system can."""
    try:
        import resource
    except ImportError:
        return
    for what, most in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CPU, SECONDS)):
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    _limit_this_process(int(sys.argv[2]))
    _serve(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)

"""A hotline file on its way in: read and masked by a child, then taken in, told step by step.

What is known of it lies beside the file (`uploads.py`), so that its page may be reloaded, left and
opened again, at whichever process. The work goes on whether somebody looks or not.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from moderation.intake.refusals import FileRefused
from moderation.kept_items import Keeping, Kept
from moderation.reading import Head, read_apart
from server.actions.import_questions import Counted, Source, import_questions
from server.actions.ports import House
from server.domain.incoming import Incoming
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.identity.secrets import Keys
from web.pages.office.uploads import Uploads

_reading = asyncio.Semaphore(1)
"""One file is read at a time: it takes a core, and memory."""
HIDDEN = "…"
STEP_S = 0.5
GONE_S = 20.0
"""Who has not told anything for so long has ended with its process."""
AT_ONCE_S = 4.0
"""A file that is done within this is answered with the page itself."""


@dataclass(frozen=True)
class Stand:
    """How far a file is: `phase` reading → read → taking → done, or refused. `done` of `all` rows; `at`:
    when it was told, ms; `said` is why it was refused, in Chinese and English."""

    phase: str
    name: str
    source: str
    done: int = 0
    all: int = 0
    at: int = 0
    head: Head | None = None
    counted: Counted | None = None
    status: int = 422
    said: tuple[str, str] = ("", "")
    columns: Mapping[str, str | None] = field(default_factory=dict)
    """Of a file that is refused because a person has to say what they are: header → what it was taken
    for."""

    @property
    def moving(self) -> bool:
        return self.phase in {"reading", "taking"}

    @property
    def stuck(self) -> bool:
        """Whether the process that worked on it has ended."""
        return self.moving and time.time() * 1000 - self.at > GONE_S * 1000


class Imports:
    """The files on their way of one data folder."""

    def __init__(self, house: House, data: Path, keys: Keys) -> None:
        self._house, self._uploads, self._keys = house, Uploads(data), keys

    def stand(self, id_: str, owner: str) -> Stand | None:
        """How far it is; None when it is gone, or somebody else's."""
        kept = self._uploads.read(id_, owner, ".stand")
        if kept is None:
            return None
        told = json.loads(kept)
        head, counted = told["head"], told["counted"]
        return Stand(
            **{
                **told,
                "head": Head.of(head) if head else None,
                "counted": Counted(**counted) if counted else None,
                "said": tuple(told["said"]),
            }
        )

    def _tell(self, id_: str, owner: str, stand: Stand) -> Stand:
        told = {
            **vars(stand),
            "at": time.time_ns() // 1_000_000,
            "head": stand.head.told() if stand.head else None,
            "counted": vars(stand.counted) if stand.counted else None,
        }
        self._uploads.put(id_, owner, ".stand", json.dumps(told, ensure_ascii=False).encode())
        return stand

    @asynccontextmanager
    async def _moving(
        self, id_: str, owner: str, stand: Stand
    ) -> AsyncIterator[Callable[[int, int], None]]:
        """While something is done: whoever looks reads how far it is, and that somebody works on it.
        Gives what is told (done, all); it may be called by a thread."""
        now, told_at = self._tell(id_, owner, stand), 0.0

        def step(done: int, all_: int) -> None:
            nonlocal now, told_at
            now = replace(now, done=done, all=all_)
            if time.monotonic() - told_at > STEP_S:
                told_at = time.monotonic()
                self._tell(id_, owner, now)

        async def beat() -> None:
            while True:
                await asyncio.sleep(GONE_S / 4)
                self._tell(id_, owner, now)

        beating = asyncio.create_task(beat())
        try:
            yield step
        finally:
            beating.cancel()

    # ── Reading ──

    async def read(
        self,
        by: Actor,
        slug: str,
        id_: str,
        owner: str,
        named: Source,
        mapping: Mapping[str, str | None] | None,
        known: Mapping[str, str | None],
    ) -> Stand:
        """Reads and masks it, and counts what it would change. `mapping`, `known`: see `read_apart`."""
        stand = Stand("reading", named.file, named.key)
        try:
            async with self._moving(id_, owner, stand) as step:
                async with _reading:
                    head, items = await asyncio.to_thread(
                        self._read, id_, owner, mapping, known, step
                    )
                counted = await import_questions(self._house, by, slug, named, items, dry_run=True)
            stand = replace(stand, phase="read", head=head, counted=counted)
        except FileRefused as error:
            said = Refusal("file_refused", place=(error.zh, error.en))
            stand = replace(_refused(stand, said), columns=_columns(error.detail))
        except Refusal as refusal:
            stand = _refused(stand, refusal)
        return self._tell(id_, owner, stand)

    def _read(
        self,
        id_: str,
        owner: str,
        mapping: Mapping[str, str | None] | None,
        known: Mapping[str, str | None],
        step: Callable[[int, int], None],
    ) -> tuple[Head, Kept]:
        whole = 0

        def begun(head: Head) -> None:
            nonlocal whole
            whole = head.items
            step(0, whole)

        with self._uploads.write(id_, owner, ".items") as file:
            keeping = Keeping(file)

            def take(piece: Sequence[Incoming]) -> None:
                keeping.take(piece)
                step(keeping.done, whole)

            path = self._uploads.path(id_, owner)
            head = read_apart(
                path, mapping, known, self._keys, self._house.masked_names, take, begun
            )
        self._uploads.put(id_, owner, ".places", json.dumps(keeping.places).encode())
        items = self._uploads.path(id_, owner, ".items")
        return head, Kept(items, keeping.places, head.items)

    # ── Taking in ──

    async def take(self, by: Actor, slug: str, id_: str, owner: str, stand: Stand) -> Stand:
        """Takes in what was read. The file goes; what is told of it stays for an hour."""
        assert stand.head is not None
        kept = self._uploads.read(id_, owner, ".places") or b"[]"
        whole = stand.head.items
        items = Kept(self._uploads.path(id_, owner, ".items"), json.loads(kept), whole)
        taking = replace(stand, phase="taking", done=0, all=whole)
        named = Source(stand.source, stand.name, stand.head.mapping)
        try:
            async with self._moving(id_, owner, taking) as step:
                counted = await import_questions(
                    self._house,
                    by,
                    slug,
                    named,
                    items,
                    progress=lambda n, of: step(whole * n // of, whole),
                )
        except Refusal as refusal:
            self._uploads.drop(id_, owner, ".taking")
            return self._tell(id_, owner, _refused(stand, refusal))
        done = self._tell(id_, owner, replace(taking, phase="done", counted=counted))
        for what in ("", ".items", ".places", ".taking"):
            self._uploads.drop(id_, owner, what)
        return done

    async def read_and_take(
        self,
        by: Actor,
        slug: str,
        id_: str,
        owner: str,
        named: Source,
        mapping: Mapping[str, str | None] | None,
        known: Mapping[str, str | None],
    ) -> Stand:
        """Both in one, when meanings were chosen that it was not read with."""
        stand = await self.read(by, slug, id_, owner, named, mapping, known)
        if stand.phase != "read" or not self.begin_taking(id_, owner, stand):
            return stand
        return await self.take(by, slug, id_, owner, stand)

    def begin_taking(self, id_: str, owner: str, stand: Stand) -> bool:
        """Whether it is this press that takes it in: a second one does not."""
        try:
            os.link(
                self._uploads.path(id_, owner, ".places"),
                self._uploads.path(id_, owner, ".taking"),
            )
        except OSError:
            return stand.stuck
        assert stand.head is not None
        self._tell(id_, owner, replace(stand, phase="taking", all=stand.head.items))
        return True


def _columns(detail: Mapping[str, object]) -> dict[str, str | None]:
    """Those of a refusal that a person may choose; one whose header may be somebody's data is none."""
    headers, meanings = detail.get("headers"), detail.get("meanings")
    if not isinstance(headers, list) or not isinstance(meanings, list):
        return {}
    return {one: meaning for one, meaning in zip(headers, meanings, strict=True) if one != HIDDEN}


def _refused(stand: Stand, refusal: Refusal) -> Stand:
    said = (refusal.message("zh"), refusal.message("en"))
    return replace(stand, phase="refused", status=refusal.status, said=said)

"""Reads the journals of the hearings that somebody here watches, and tells every room.

A process keeps, for each hearing, its own position in the journal. When the bell rings (or every
half second, if it does not) it reads on from there, makes one frame for each channel and hands it
to the hub. The last 256 frames of a channel are kept, so that a page which comes back gets the
gap; anything else gets a snapshot, and nothing in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

import structlog

from server.domain.events import EVENTS, sentence
from server.domain.hearing import Place
from server.domain.journal import Entry
from server.domain.refusals import Refusal
from server.domain.view import HearingView, public_state, staff_state
from server.live import frames
from server.live.channels import Channel
from server.live.hub import Hub, Listener
from server.live.viewer import Viewer

KEPT = 256
AT_ONCE = 256
"""Entries of a journal that are read together."""
SHARED_S = 2.0
"""How long a snapshot is given to those who come, while its version holds."""
LOOK_S = 0.5
BREATH_S, BREATH_MOST_S = 0.05, 0.1
"""A busy hearing is read at most 20 times a second, and on a machine where that takes long half as
often, so that the acts themselves keep the greater part of it: acts that come faster share one reading
and one rendering, and the first after a pause is told at once."""
IDLE_S = 120.0
"""A hearing nobody watches for this long is forgotten."""

log = structlog.get_logger()


class Reading(Protocol):
    """What the relay reads of a hearing in one transaction."""

    place: Place

    async def view(self, now: int) -> HearingView: ...
    async def entries(self, after: int, limit: int = 256) -> tuple[Entry, ...]: ...
    async def last_seq(self) -> int: ...


class Reader(Protocol):
    """Opens readings of one moment."""

    def look(self, *, hearing: int) -> AbstractAsyncContextManager[Reading]: ...


class Renderer(Protocol):
    """Makes a room's HTML; the pages of `web` satisfy it."""

    def content(
        self,
        room: str,
        event: str,
        view: HearingView,
        lang: str,
        codes: tuple[str, ...],
        later: Collection[str] = (),
    ) -> str: ...
    def everything(self, room: str, view: HearingView, lang: str) -> str: ...


_TAKES_AWAY = frozenset({"question_removed", "question_changed"})
"""Events after which a text may no longer be told: the frames before are not kept, and whoever missed them
gets a snapshot."""
_DESKS = frozenset({"desk", "host"})
"""Rooms whose people may know why something was done."""


def _without_reasons(body: Mapping[str, Any]) -> dict[str, Any]:
    """What an act says of itself to a screen, a panelist or an official."""
    return {name: value for name, value in body.items() if name not in {"override", "lacking"}}


@dataclass
class Stream:
    """One channel: its version, and the frames by the version that each leads to."""

    version: int
    kept: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=KEPT))
    snapshot: tuple[float, str] | None = None
    """(when it was made, the snapshot's frame) of this very version."""

    def gap(self, since: int) -> list[str] | None:
        """The frames after `since`, or None when they are not all here."""
        if since == self.version:
            return []
        if since > self.version or not self.kept or self.kept[0][0] > since + 1:
            return None
        return [frame for version, frame in self.kept if version > since]


@dataclass
class Feed:
    """One hearing in this process: run, position in its journal, channels somebody watched."""

    run: int
    epoch: str
    seq: int
    versions: dict[str, int]
    streams: dict[Channel, Stream] = field(default_factory=dict)
    watched: float = field(default_factory=monotonic)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Relay:
    """The journal reader of this process."""

    def __init__(
        self, hub: Hub, reader: Reader, renderer: Renderer, now: Callable[[], int]
    ) -> None:
        self._hub, self._reader, self._renderer, self._now = hub, reader, renderer, now
        self._feeds: dict[int, Feed] = {}
        self._rung: set[int] = set()
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to read."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def heard(self, kind: str, id_: str) -> None:
        """The bell rang for a hearing."""
        if kind == "hearing":
            self._rung.add(int(id_))
            self._bell.set()

    async def _run(self) -> None:
        looked = monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, looked + LOOK_S - monotonic())):
                    await self._bell.wait()
            rung, self._rung = self._rung, set()
            self._bell.clear()
            if monotonic() - looked >= LOOK_S:  # However often the bell rings for others.
                rung, looked = set(self._feeds), monotonic()
            began = monotonic()
            for hearing in rung:
                if hearing in self._feeds:
                    try:
                        await self.catch_up(hearing)
                    except Exception as error:
                        log.error("relay_failed", hearing=hearing, error=type(error).__name__)
            self._forget()
            took = monotonic() - began
            await asyncio.sleep(min(max(BREATH_S - took, 3 * took), BREATH_MOST_S))

    def _forget(self) -> None:
        watched = self._hub.hearings()
        for hearing, feed in tuple(self._feeds.items()):
            if hearing in watched:
                feed.watched = monotonic()
            elif monotonic() - feed.watched > IDLE_S:
                del self._feeds[hearing]

    async def _feed(self, hearing: int) -> Feed:
        feed = self._feeds.get(hearing)
        if feed is None:
            async with self._reader.look(hearing=hearing) as reading:
                view = await reading.view(self._now())
                seq = await reading.last_seq()
                run, epoch = reading.place.ref.run, reading.place.epoch
            feed = self._feeds.setdefault(hearing, Feed(run, epoch, seq, dict(view.versions)))
        feed.watched = monotonic()  # Whoever asks is about to watch.
        return feed

    def epoch(self, hearing: int) -> str | None:
        """Of the run that is shown, as this process last read it; None where nobody watches."""
        feed = self._feeds.get(hearing)
        return feed.epoch if feed else None

    async def catch_up(self, hearing: int) -> None:
        """Sends everything that happened since this process last looked."""
        feed = await self._feed(hearing)
        async with feed.lock:
            while True:
                async with self._reader.look(hearing=hearing) as reading:
                    if reading.place.ref.run != feed.run:
                        view = await reading.view(self._now())
                        await self._new_run(feed, reading, view)
                        return
                    entries = await reading.entries(feed.seq, AT_ONCE)
                    if not entries:
                        return
                    view = await reading.view(self._now())
                for entry, later in zip(entries, _later(entries), strict=True):
                    self._tell(feed, entry, view, later)
                if len(entries) < AT_ONCE:  # Whatever came meanwhile rings the bell itself.
                    return

    async def _new_run(self, feed: Feed, reading: Reading, view: HearingView) -> None:
        """Another run is shown: every page gets a snapshot with the new epoch."""
        seq = await reading.last_seq()  # Whoever comes meanwhile finds the feed all old.
        feed.run, feed.epoch = reading.place.ref.run, reading.place.epoch
        feed.seq, feed.versions = seq, dict(view.versions)
        feed.streams.clear()
        for channel in self._hub.channels(view.hearing.ref.hearing):
            feed.streams[channel] = Stream(feed.versions[channel.room])
            self._hub.send(channel, self._snapshot_frame(channel, view))

    def _tell(
        self, feed: Feed, entry: Entry, view: HearingView, later: Mapping[str, frozenset[str]]
    ) -> None:
        """`later`: the events after this entry that the same reading tells, by room."""
        feed.seq = entry.seq
        for room, version in entry.rooms.items():
            feed.versions[room] = version
        for channel, stream in feed.streams.items():
            version_here = entry.rooms.get(channel.room)
            if version_here is None:
                continue
            try:
                members = self._members(channel, entry, view, later.get(channel.room, frozenset()))
            except (
                Exception
            ) as error:  # A version without its words is better than a hole for good.
                log.error("render_failed", room=channel.room, error=type(error).__name__)
                empty = {"content": "", "say": ""}
                members = empty if channel.format == "html" else {"data": {}}
            frame = frames.cue(entry.at, version_here, entry.event, **members)
            stream.version, stream.snapshot = version_here, None
            if entry.event in _TAKES_AWAY:
                stream.kept.clear()
            stream.kept.append((version_here, frame))
            self._hub.send(channel, frame)

    def _members(
        self, channel: Channel, entry: Entry, view: HearingView, later: Collection[str]
    ) -> dict[str, Any]:
        if channel.format == "html":
            codes = _codes(entry)
            return {
                "content": self._renderer.content(
                    channel.room, entry.event, view, channel.lang, codes, later
                ),
                "say": sentence(entry.event, channel.lang),
            }
        if channel.room == "public":
            return {"data": dict(entry.public or {})}
        state = staff_state(view)
        data = {m: state[m] for m in EVENTS[entry.event].members if m != "questions"}
        return {
            "data": {
                **data,
                **(entry.public or {}),
                **(entry.body if channel.room in _DESKS else _without_reasons(entry.body)),
                "queue": state["queue"],
                "counts": state["counts"],
            }
        }

    def _snapshot_frame(self, channel: Channel, view: HearingView) -> str:
        members: Mapping[str, Any]
        if channel.format == "html":
            members = {"content": self._renderer.everything(channel.room, view, channel.lang)}
        elif channel.room == "public":
            members = {"state": public_state(view)}
        else:
            members = {"state": staff_state(view)}
        return frames.snapshot(
            self._now(), view.hearing.epoch, view.versions[channel.room], **members
        )

    async def snapshot(self, channel: Channel) -> tuple[str, int, str]:
        """(epoch, version, frame) of this moment."""
        async with self._reader.look(hearing=channel.hearing) as reading:
            view = await reading.view(self._now())
        return (
            view.hearing.epoch,
            view.versions[channel.room],
            self._snapshot_frame(channel, view),
        )

    async def catch_up_with(self, listener: Listener | Viewer) -> None:
        """A snapshot for a listener that fell behind."""
        await self.welcome(listener, None, None)

    def ready(self, channel: Channel, epoch: str | None, version: int | None) -> list[str] | None:
        """What `welcome` would queue, if it is here: a crowd that comes at once shares one snapshot.
        Its numbers may be some seconds old; all of them are told with the next pulse."""
        feed = self._feeds.get(channel.hearing)
        stream = feed.streams.get(channel) if feed else None
        if feed is None or stream is None:
            return None
        if epoch == feed.epoch and version is not None:
            gap = stream.gap(version)
            if gap is not None:
                return gap
        if stream.snapshot is None or monotonic() - stream.snapshot[0] > SHARED_S:
            return None
        return [frames.stamped(stream.snapshot[1], self._now())]

    async def welcome(
        self, listener: Listener | Viewer, epoch: str | None, version: int | None
    ) -> None:
        """Queues the gap, or a snapshot, such that the next cue follows without gap or repeat.

        The caller joins the hub right after, without awaiting in between; or the listener is in it
        and fell behind, and takes no other frame before this one.
        """
        channel = listener.channel
        for _ in range(20):
            feed = await self._feed(channel.hearing)
            stream = feed.streams.setdefault(channel, Stream(feed.versions[channel.room]))
            if epoch == feed.epoch and version is not None:
                gap = stream.gap(version)
                if gap is not None:
                    listener.begin(gap)
                    return
            found_epoch, found, frame = await self.snapshot(channel)
            current = feed.streams.get(channel) is stream  # A new run begins with new ones.
            if current and (found_epoch, found) == (feed.epoch, stream.version):
                stream.snapshot = (monotonic(), frame)
                listener.begin([frame])
                return
            await self.catch_up(channel.hearing)
        raise Refusal("not_ready")


def _later(entries: tuple[Entry, ...]) -> list[dict[str, frozenset[str]]]:
    """For each entry, the events that follow it, by room."""
    after: dict[str, frozenset[str]] = {}
    found = []
    for entry in reversed(entries):
        found.append(dict(after))
        for room in entry.rooms:
            after[room] = after.get(room, frozenset()) | {entry.event}
    return found[::-1]


def _codes(entry: Entry) -> tuple[str, ...]:
    """Codes of the questions that an entry touched."""
    public = entry.public or {}
    codes = [q["code"] for q in public.get("questions", ())] + list(public.get("removed", ()))
    if not codes and "code" in entry.body:
        codes = [entry.body["code"]]
    return tuple(codes)

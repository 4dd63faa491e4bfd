"""What floods is summed and sent at most four times a second (law 9): counts, likes, viewers.

A pulse is at most 300 bytes; what does not fit goes into the next one. It carries only numbers
that changed since the last, and at least every 15 s the number of viewers, so that no socket is
silent for 20 s. Who has just come, perhaps with a page that was made some time ago, or has missed a
pulse, is told all numbers of its page once. When there is too much to do numbers thin out by the
steps of `ladder.py`, and a cue overtakes a pulse that is still being written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, Protocol

import structlog

from server.domain.fairness import Fates
from server.domain.hearing import Place
from server.domain.rounds import TAKES_BALLOTS, Round
from server.live import frames
from server.live.fan import SLICE
from server.live.hub import Hub
from server.live.ladder import OFTEN_S, SLOW_S, Ladder

TICK_S = 0.05
"""How often it looks whether a hearing's next pulse is due. One that is still writing its last frames
has its pulse as soon as they are written, not a whole turn later."""
LOOK_S = 1.0
"""How often a process looks for what other processes counted."""
LARGEST = 300
LARGEST_PART = 150
"""Of a round's counts by choice: with its id, and all else that stands around it, it fits."""
WHOLE = 40
"""Questions of each kind whose support one that has just come is told: the newest, the most
supported, those that lost their last support. A page lists 35."""
SILENCE_S = 15.0

log = structlog.get_logger()


class Numbers(Protocol):
    """What a pulse may carry, read in one moment. `turnout` is for staff rooms only:
    {round: (cast, begun, due, one letter a seat: c cast, b begun, - not begun)}; `load` the highest
    step of the ladder on which a process stands."""

    @property
    def load(self) -> int: ...
    @property
    def viewers(self) -> int: ...
    @property
    def likes(self) -> int: ...
    @property
    def rounds(self) -> Mapping[str, Round]: ...
    @property
    def support(self) -> Mapping[str, int]: ...
    @property
    def turnout(self) -> Mapping[str, tuple[int, int, int, str]]: ...
    @property
    def fates(self) -> Fates: ...


class Moment(Protocol):
    """One hearing in one moment."""

    place: Place

    async def numbers(self, now: int) -> Numbers: ...


class Counts(Protocol):
    """Reads the numbers."""

    def look(self, *, hearing: int) -> AbstractAsyncContextManager[Moment]: ...


class Beats(Protocol):
    """Keeps this process's viewers and likes, and the step of the ladder on which it stands."""

    async def beat(self, numbers: dict[int, tuple[int, int]], now: int, load: int) -> None: ...


@dataclass
class _Sent:
    """What was told of one run; another run's numbers begin anew."""

    run: int = 0
    viewers: int = -1
    likes: int = -1
    rounds: dict[tuple[str, int], Any] = field(default_factory=dict)
    support: dict[str, int] = field(default_factory=dict)
    turnout: dict[str, Any] = field(default_factory=dict)
    fates: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    load: int = 0
    at: float = 0.0
    looked: float = 0.0
    slow: float = 0.0
    due: float = 0.0
    """When the public is told next, and the console, which is on no ladder."""
    console_due: float = 0.0

    def copy(self) -> _Sent:
        """As it stands now."""
        told = ("rounds", "support", "turnout", "fates", "reasons")
        copies: dict[str, Any] = {name: dict(getattr(self, name)) for name in told}
        return replace(self, **copies)


class Pulse:
    """Pulses of every hearing that somebody here watches."""

    def __init__(
        self,
        hub: Hub,
        reader: Counts,
        beats: Beats,
        now: Callable[[], int],
        ladder: Ladder | None = None,
    ) -> None:
        self._hub, self._reader, self._beats, self._now = hub, reader, beats, now
        self.ladder = ladder or Ladder()
        self._stirred: set[int] = set()
        self._likes: dict[int, int] = {}
        self._sent: dict[int, _Sent] = {}
        self._before: dict[int, _Sent] = {}
        """What was told before the last pulse: it counts again when that one was overtaken."""
        self._runs: dict[int, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._beaten = 0.0
        self.lag_s = 0.0
        """How much later than it wished this task was woken, at most, in the last second."""
        self._lag = 0.0

    def start(self) -> None:
        """Begins to pulse."""
        self._tasks = [asyncio.create_task(one()) for one in (self._run, self._watch)]

    async def stop(self) -> None:
        """Ends; likes not yet written are written."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._beat(last=True)

    def stirred(self, hearing: int) -> None:
        """Something that is counted changed in this hearing."""
        self._stirred.add(hearing)

    def like(self, hearing: int, run: int, n: int) -> None:
        """Applause: summed here, written once a second. `run` is what the socket joined; a socket
        that stays through the start of another run claps in that one from then on."""
        self._likes[hearing] = self._likes.get(hearing, 0) + n
        self._runs.setdefault(hearing, run)

    async def _watch(self) -> None:
        """Once a second: what every socket is asked, and what must go on while a database hangs."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                self.lag_s, self._lag = self._lag, 0.0
                self.ladder.look(self._hub.total())
                # No room may be silent for 20 s: the emptiest pulse there is.
                self._hub.tell_the_quiet(SILENCE_S, frames.pulse(self._now()))
                for viewer in self._hub.too_slow():
                    viewer.close(4408, "too slow")
            except Exception as error:
                log.error("watch_failed", error=type(error).__name__)

    async def _run(self) -> None:
        while True:
            begun = monotonic()
            await asyncio.sleep(TICK_S)
            self._lag = max(self._lag, monotonic() - begun - TICK_S)
            try:
                await self._beat()
                for hearing in self._hub.hearings():
                    await self._pulse(hearing)
            except Exception as error:
                log.error("pulse_failed", error=type(error).__name__)

    async def _beat(self, *, last: bool = False) -> None:
        if not last and monotonic() - self._beaten < LOOK_S:
            return
        self._beaten = monotonic()
        watched = set() if last else set(self._hub.hearings())
        hearings = watched | set(self._likes) | (set(self._runs) if last else set())
        numbers: dict[int, tuple[int, int]] = {}
        for hearing in watched:
            async with self._reader.look(hearing=hearing) as unit:
                place: Place = unit.place
            before = self._runs.get(hearing, place.ref.run)
            if before != place.ref.run:  # A rehearsal's last applause is none of the real run's.
                numbers[before] = (0, self._likes.pop(hearing, 0))
            self._runs[hearing] = place.ref.run
        left = set(self._runs) - watched
        # Who claps while this is written claps in the next: what is written is taken out first, and
        # put back when it could not be.
        taken = {h: self._likes.pop(h, 0) for h in hearings | left if h in self._runs}
        numbers |= {
            self._runs[h]: (0 if last else self._hub.count(h, "public"), likes)
            for h, likes in taken.items()
        }
        try:
            if numbers:
                await self._beats.beat(numbers, self._now(), self.ladder.level)
        except Exception:
            for hearing, likes in taken.items():
                self._likes[hearing] = self._likes.get(hearing, 0) + likes
            raise
        self._stirred.update(hearing for hearing, likes in taken.items() if likes)
        for hearing in left - set(self._likes):
            del self._runs[hearing]

    async def _pulse(self, hearing: int) -> None:
        sent = self._sent.setdefault(hearing, _Sent())
        if self._hub.overtaken(hearing):
            # What was told before counts again. Its numbers go as soon as the cue is out, but where they
            # are told seldom anyway: there the next cue would meet them again.
            rare, sent = sent.due, self._before.get(hearing, sent)
            sent.due = rare if self.ladder.step.spread else sent.due
            self._sent[hearing] = sent
            self._stirred.add(hearing)
        now = monotonic()
        public = now >= sent.due
        console = now >= sent.console_due and self._hub.count(hearing, "host") > 0
        if not (public or console) or (hearing not in self._stirred and now - sent.looked < LOOK_S):
            return
        if self._hub.busy(hearing):
            return  # The last frames are still being written: numbers thin out first (law 9).
        sent.looked, sent.console_due = now, max(sent.console_due, now - TICK_S) + OFTEN_S
        if public:
            self._stirred.discard(hearing)
            self._before[hearing] = sent.copy()
            sent.due = max(sent.due, now - TICK_S) + self.ladder.step.until_next()
        async with self._reader.look(hearing=hearing) as unit:
            numbers, run = await unit.numbers(self._now()), unit.place.ref.run
        if sent.run != run:
            anew = _Sent(run=run, looked=sent.looked, console_due=sent.console_due)
            self._before[hearing] = anew
            sent = self._sent[hearing] = replace(anew.copy(), due=sent.due)
        told = await self._for_public(hearing, numbers, sent) if public else {}
        staff = self._for_staff(numbers, sent)
        frame = frames.pulse(self._now(), **told)
        for channel in self._hub.channels(hearing):
            if channel.room == "host" and staff:
                self._hub.send(channel, frames.pulse(self._now(), **told, **staff))
            elif told:
                self._hub.send(channel, frame, pulse=True)

    async def _for_public(self, hearing: int, numbers: Numbers, sent: _Sent) -> dict[str, Any]:
        """What everybody is told now, as far as the ladder lets it; whoever has missed numbers is told
        all of them first."""
        now, step = monotonic(), self.ladder.step
        slow = step.slow if now - sent.slow < SLOW_S else frozenset()
        if not slow:
            sent.slow = now
        support = {} if "support" in slow else _support(numbers, sent)
        members, left = self._public(numbers, numbers.rounds, support, sent, slow)
        due = self._hub.numbers_due(hearing)
        if due:
            told = self._whole(numbers, sent)
            for at in range(0, len(due), SLICE):  # Whoever acts is served in between.
                for listener in due[at : at + SLICE]:
                    listener.put_numbers(told)
                await asyncio.sleep(0)
        if left:
            self._stirred.add(hearing)
        if now - sent.at > SILENCE_S:
            members.setdefault("viewers", numbers.viewers)
        if members:
            sent.at = now
        return members

    def _public(
        self,
        numbers: Numbers,
        rounds: Mapping[str, Round],
        support: Mapping[str, int],
        sent: _Sent,
        slow: frozenset[str] = frozenset(),
    ) -> tuple[dict[str, Any], bool]:
        """The members of the next pulse but for the `slow`, and whether something did not fit."""
        members: dict[str, Any] = {}
        if numbers.viewers != sent.viewers and "viewers" not in slow:
            members["viewers"] = sent.viewers = numbers.viewers
        if numbers.likes != sent.likes and "likes" not in slow:
            members["likes"] = sent.likes = numbers.likes
        left = False
        parts = [(id_, i, p) for id_, r in rounds.items() for i, p in enumerate(_round_parts(r))]
        for id_, i, part in parts:
            if sent.rounds.get((id_, i)) == part:
                continue
            all_ = members.get("rounds", {})
            counts = {**all_.get(id_, {}).get("counts", {}), **part.get("counts", {})}
            wider = {**part, "counts": counts} if "counts" in part else part
            if not self._fits(members, "rounds", {**all_, id_: wider}):
                left = True
                break
            sent.rounds[id_, i] = part
        fates = numbers.fates
        kinds: tuple[tuple[str, Mapping[str, int], dict[str, int]], ...] = (
            ("fates", fates.numbers, sent.fates),
            ("reasons", fates.reasons, sent.reasons),
            ("support", support, sent.support),
        )
        for kind, now, before in kinds:
            for name, n in now.items():
                if before.get(name) == n:
                    continue
                if not self._fits(members, kind, {**members.get(kind, {}), name: n}):
                    left = True
                    break
                before[name] = n
        return members, left

    def _fits(self, members: dict[str, Any], kind: str, value: dict[str, Any]) -> bool:
        """Puts the member in, if the pulse does not grow too long."""
        if len(frames.pulse(self._now(), **{**members, kind: value}).encode()) > LARGEST:
            return False
        members[kind] = value
        return True

    def _whole(self, numbers: Numbers, sent: _Sent) -> list[str]:
        """All numbers that a page shows and no version tells, as pulses. (A round that takes no
        more votes moved the version when it closed.)"""
        rounds = {id_: r for id_, r in numbers.rounds.items() if r.status in TAKES_BALLOTS}
        most = sorted(numbers.support, key=numbers.support.__getitem__, reverse=True)
        gone = [code for code, n in sent.support.items() if n == 0]
        codes = (*list(numbers.support)[:WHOLE], *most[:WHOLE], *gone[-WHOLE:])
        support = {code: numbers.support.get(code, 0) for code in dict.fromkeys(codes)}
        told, one, left = [], _Sent(), True
        while left:
            members, left = self._public(numbers, rounds, support, one)
            told.append(frames.pulse(self._now(), **members))
        return told

    @staticmethod
    def _for_staff(numbers: Numbers, sent: _Sent) -> dict[str, Any]:
        """What only the host's console is told: who has cast, and how loaded the installation is."""
        changed = {}
        for name, (cast, begun, due, seats) in numbers.turnout.items():
            value = {"cast": cast, "begun": begun, "due": due, "seats": seats}
            if sent.turnout.get(name) != value:
                changed[name] = sent.turnout[name] = value
        told: dict[str, Any] = {"turnout": changed} if changed else {}
        if numbers.load != sent.load:
            told["load"] = sent.load = numbers.load
        return told


def _support(numbers: Numbers, sent: _Sent) -> dict[str, int]:
    """同问 of everything that has any, and of what had some and has none any more."""
    return {**dict.fromkeys(sent.support, 0), **numbers.support}


def _round_parts(round_: Round) -> list[dict[str, Any]]:
    """A round's numbers in parts, each short enough for a pulse."""
    if round_.audience != "public" or not round_.show_live:
        return [{"cast": round_.cast}]
    parts: list[dict[str, int]] = [{}]
    for choice, n in round_.counts.items():
        if len(str({**parts[-1], choice: n})) > LARGEST_PART:
            parts.append({})
        parts[-1][choice] = n
    return [{"cast": round_.cast, "counts": counts} for counts in parts]

"""The demonstration's simulated people: panelists who score, viewers who watch and react.

Panelists use the very actions that a tablet's request leads to; viewers are real sockets on this
machine. Nobody is simulated in a quiet room.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from server.actions.cast_ballot import begin_draft, cast_ballot
from server.actions.ports import House
from server.domain.exact import exact_text
from server.domain.hearing import Place
from server.domain.refusals import Refusal
from server.domain.roles import Actor, Grant
from server.domain.rounds import Round
from server.domain.rule_file import parse_draft
from server.domain.rules import LabelScale
from server.identity.secrets import Keys, code
from server.store.unit import HearingStore


class SimulatedPanel:
    """Casts a sheet for every simulated seat, some time after a panel round opens."""

    def __init__(
        self, house: House, store: HearingStore, slug: str, seats: list[int], seed: int = 7
    ) -> None:
        self._house, self._store, self._slug, self._seats = house, store, slug, seats
        self._chance = random.Random(seed)
        self._begun: set[str] = set()

    async def run(self) -> None:
        """Watches for rounds that open, until cancelled."""
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                await asyncio.sleep(1)
                async with self._store.look(slug=self._slug) as unit:
                    place, rounds = unit.place, await unit.rounds.all()
                for one in rounds:
                    if (
                        one.audience == "panel"
                        and one.status == "open"
                        and one.id not in self._begun
                    ):
                        self._begun.add(one.id)
                        for seat in self._seats:
                            tasks.add(asyncio.create_task(self._score(place, one, seat)))
                tasks = {task for task in tasks if not task.done()}
        finally:
            for task in tasks:
                task.cancel()

    async def _score(self, place: Place, round_: Round, seat: int) -> None:
        by = Actor(
            f"seat:{seat}",
            "",
            (Grant("panelist", place.ref.office, place.path, hearing=place.ref.hearing),),
            seat=seat,
        )
        with contextlib.suppress(Refusal):
            await asyncio.sleep(self._chance.uniform(1, 12))
            await begin_draft(self._house, by, round_.id)
            await asyncio.sleep(self._chance.uniform(3, 30))
            await cast_ballot(
                self._house, by, round_.id, self._marks(round_), (), f"sim-{code(12)}"
            )

    def _marks(self, round_: Round) -> Mapping[str, Mapping[str, Any]]:
        rules = parse_draft(dict(round_.rules or {}))
        marks: dict[str, dict[str, Any]] = {}
        for subject in round_.subjects:
            marks[subject] = {}
            for dimension in rules.dimensions:
                scale = dimension.scale
                if isinstance(scale, LabelScale):
                    marks[subject][dimension.key] = self._chance.choice(scale.labels[:2]).key
                else:
                    step = scale.step or Fraction(1)
                    steps = int((scale.maximum - scale.minimum) / step)
                    at = self._chance.randint(steps * 3 // 5, steps)
                    marks[subject][dimension.key] = exact_text(scale.minimum + step * at)
        return marks


async def simulated_viewer(url: str, keys: Keys, seed: int) -> None:
    """One viewer: watches, claps, supports, answers open public rounds, until cancelled."""
    chance = random.Random(seed)
    token = keys.viewer_token()
    while True:
        try:
            async with connect(f"{url}/socket?as=json&viewer={token}", proxy=None) as socket:
                state: dict[str, Any] = {}
                while True:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(chance.uniform(4, 20)):
                            while True:
                                frame = orjson.loads(await socket.recv())
                                state.update(frame.get("state") or frame.get("data") or {})
                    for act in wishes(chance, state):
                        await socket.send(orjson.dumps(act).decode())
        except (OSError, WebSocketException):
            await asyncio.sleep(chance.uniform(1, 5))


def wishes(chance: random.Random, state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a viewer does next."""
    acts: list[dict[str, Any]] = []
    if chance.random() < 0.5:
        acts.append({"type": "like", "n": chance.randint(1, 5)})
    questions = state.get("questions") or []
    if questions and chance.random() < 0.3:
        chosen = chance.choice(questions)["code"]
        acts.append({"type": "support", "question": chosen, "on": True, "key": f"sim-{code(12)}"})
    for one in state.get("rounds") or []:
        if one["audience"] == "public" and one["status"] == "open" and chance.random() < 0.4:
            choices = [c["key"] for c in one["choices"]]
            weights = [4, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1][: len(choices)]
            acts.append(
                {
                    "type": "vote",
                    "round": one["id"],
                    "choice": chance.choices(choices, weights)[0],
                    "key": f"sim-{code(12)}",
                }
            )
    return acts

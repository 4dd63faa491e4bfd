"""The hearing in which ballots are cast while something breaks: made in the store, driven by its API."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.app import Building
from server.demo.scene import set_scene
from server.identity.secrets import Keys
from server.settings import Settings
from server.shows.read import read_show
from tests.faults.history import Act

SEATS = 20
CHOICES = ("good", "fair", "poor")
SHOW = """
title: 岚溪县述法评议会
slug: faults
office: 岚溪县依法治县办
signers: [host]
publishers: [host]
publication: public
subjects:
  - {{key: water, name: 敖知水, post: 局长, unit: 岚溪县水务局}}
items:
  - {{key: opening, title: 开场, steps: [{{key: opening, seconds: 60}}]}}
  - key: water
    title: 水务局述法
    subject: water
    steps: [{{key: statement, seconds: 300}}, {{key: questions, seconds: 600}}]
groups:
  - {{key: deputies, name: 人大代表, weight: "0.6"}}
  - {{key: citizens, name: 群众代表, weight: "0.4"}}
seats:
{seats}
"""
RULES = {
    "version": 1,
    "scale": {"kind": "number", "min": "0", "max": "10", "step": "1"},
    "dimensions": [{"key": "duty"}, {"key": "law"}],
    "within": "mean",
    "across": "sum",
    "rounding": {"mode": "half_up", "dimension": 2, "total": 2},
}

PLACES = 12
SECRET_RULES = RULES | {
    "scale": {"kind": "number", "min": "0", "max": "100", "step": f"0.{'1':>0{PLACES}}"},
    "rounding": {"mode": "half_up", "dimension": PLACES, "total": PLACES},
}
"""Of a secret round: every mark is one that nothing else has by chance, and so is every mean."""
BEGINS = "61.80"
"""All unmistakable marks begin so: where the same few bytes begin, a search is quick."""


@dataclass
class Hall:
    """Who may do what in the hearing, and what each ballot is."""

    secret: str
    host: str
    scrutineer: str
    seats: dict[str, str]
    """The seat as the export names it → its token."""
    slug: str = "faults"
    staff: dict[str, str] = field(default_factory=dict)
    """A role's name → the token of somebody who has it."""
    tokens: dict[str, str] = field(default_factory=dict)
    """A viewer's id → his token."""
    checkpoints: list[dict[str, Any]] = field(default_factory=list)
    """Heads of the journal (`seq`, `hash`) as somebody outside saw them, oldest first."""

    given: set[str] = field(default_factory=set)
    """Unmistakable marks that were given."""

    def mark(self, chance: random.Random) -> str:
        """One that no ballot had before."""
        while (
            mark := f"{BEGINS}{chance.randrange(10**9):09d}{chance.randint(1, 9)}"
        ) in self.given:
            pass
        self.given.add(mark)
        return mark

    def viewer(self) -> str:
        """A new viewer's id."""
        token = Keys(self.secret.encode()).viewer_token()
        id_ = token.split(".")[2]
        self.tokens[id_] = token
        return id_


def votes(hall: Hall, chance: random.Random, round_: str, viewers: int, each: int) -> list[Act]:
    """`each` votes, with a key of its own, by so many new viewers."""
    found = []
    for _ in range(viewers):
        who = hall.viewer()
        found += [
            Act(round_, who, f"{chance.getrandbits(96):024x}", chance.choice(CHOICES))
            for _ in range(each)
        ]
    return found


def sheet(chance: random.Random, round_: str, seat: str) -> Act:
    """A seat's ballot, with a key of its own."""
    marks = {"water": {d: str(chance.randint(0, 10)) for d in ("duty", "law")}}
    return Act(round_, seat, f"{chance.getrandbits(96):024x}", marks=marks)


def secret_sheet(hall: Hall, chance: random.Random, round_: str, seat: str) -> Act:
    """The same in a secret round; `1` before a mark makes it too high, and the sheet is refused."""
    marks = {"duty": hall.mark(chance), "law": hall.mark(chance)}
    if chance.random() < TOO_HIGH:
        marks["law"] = f"1{marks['law']}"
    return Act(round_, seat, f"{chance.getrandbits(96):024x}", marks={"water": marks})


TOO_HIGH = 0.04
"""The share of secret sheets that must be refused, and told of nowhere."""


def show() -> Any:
    """The hearing as its office prepares it."""
    groups = ("deputies", "citizens")
    seats = "\n".join(
        f"  - {{number: {n}, name: 麴{n}鸣, group: {groups[n % 2]}}}" for n in range(1, SEATS + 1)
    )
    return read_show(SHOW.format(seats=seats))


def found_hall(data: Path, secret: str, database_url: str = "") -> Hall:
    """Makes the hearing in a new database, live, everybody signed in."""

    async def make() -> Hall:
        building = Building(Settings(data=data, secret=secret, database_url=database_url))
        await building.start()
        try:
            tokens: dict[str, Any] = (await set_scene(building, show(), "http://x")).tokens
        finally:
            await building.stop()
        seats = {f"seat-{n:03d}": token for n, token in enumerate(tokens["panel"], 1)}
        staff = {role: tokens[role] for role in ("moderator", "office", "teller", "scrutineer")}
        return Hall(secret, tokens["host"], tokens["scrutineer"], seats, staff=staff)

    return asyncio.run(make())

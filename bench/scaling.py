"""What each tier carries at 100,000, a million and ten million viewers: a simulation of a second on air,
fed with costs that were measured here.

    python -m bench.scaling            prints the table that stands in docs/scaling.md

One act commits while pulses go out everywhere. Its bell goes from Redis to every process that reads,
each waits for its turn of the event loop, asks PostgreSQL (cores that serve one query each, first come
first served), makes its frame and writes it to its viewers one after the other. In a tree one process
of each machine reads and hands the frame to the edges beside it. All costs are CPU on one core of the
machine that docs/benchmarks.md names; networks are given a latency and no limit, and what they would
have to carry stands in a column of its own.
"""

from __future__ import annotations

import heapq
import random
import sys
from dataclasses import dataclass

US = 1e-6


@dataclass(frozen=True)
class Costs:
    """Seconds of CPU, as measured (docs/scaling.md says how), and what is assumed of networks."""

    frame: float = 8.8 * US
    """One frame to one viewer, on the edge."""
    journal_sql: float = 100 * US
    """Reading on in the journal, on PostgreSQL."""
    journal_edge: float = 382 * US
    """The same on the process that reads."""
    numbers_sql: float = 260 * US
    numbers_edge: float = 948 * US
    """All numbers of a hearing, for a pulse."""
    beat_sql: float = 200 * US
    """A process says once a second how many viewers it holds."""
    vote_sql: float = 1 / 44_000
    """One vote, batched, on PostgreSQL with a million stored."""
    ring: float = 2 * US
    """Redis hands one message to one subscriber."""
    slice: int = 256
    """Viewers that one frame is written to before the loop turns."""
    hop: float = 300 * US
    """From machine to machine."""
    local: float = 60 * US
    """From process to process on one machine."""
    cue_bytes: int = 1000
    pulse_bytes: int = 220


@dataclass(frozen=True)
class Plan:
    """So many viewers, and how they are held."""

    viewers: int
    per_edge: int = 16_000
    edges_a_machine: int = 15
    pulses_s: float = 4.0
    cues_s: float = 0.5
    sql_cores: int = 8
    tree: bool = False
    pool: int = 4
    """Connections that a process keeps to PostgreSQL."""

    @property
    def edges(self) -> int:
        return -(-self.viewers // self.per_edge)

    @property
    def machines(self) -> int:
        return -(-self.edges // self.edges_a_machine)

    @property
    def readers(self) -> int:
        """Processes that ask PostgreSQL."""
        return self.machines if self.tree else self.edges


@dataclass(frozen=True)
class Outcome:
    """What one second costs, and how long a cue takes."""

    cue_p50_ms: float
    cue_p99_ms: float
    sql_cores: float
    sql_connections: int
    redis_share: float
    edge_share: float
    gbit_s: float


def simulate(plan: Plan, costs: Costs, *, cues: int = 30, seed: int = 1) -> Outcome:
    """Cues of a quiet moment and of one in which every edge is in the middle of a pulse."""
    chance = random.Random(seed)
    delays: list[float] = []
    for _ in range(cues):
        delays += _one_cue(plan, costs, chance)
    delays.sort()
    reads = plan.readers * (plan.pulses_s * costs.numbers_sql + plan.cues_s * costs.journal_sql)
    sql = reads + plan.readers * costs.beat_sql
    rings = plan.readers * (plan.cues_s + 1) * costs.ring
    edge = plan.per_edge * costs.frame * (plan.pulses_s + plan.cues_s) + costs.numbers_edge * (
        0 if plan.tree else plan.pulses_s
    )
    carried = costs.pulse_bytes * plan.pulses_s + costs.cue_bytes * plan.cues_s
    return Outcome(
        cue_p50_ms=delays[len(delays) // 2] * 1000,
        cue_p99_ms=delays[len(delays) * 99 // 100] * 1000,
        sql_cores=sql,
        sql_connections=plan.readers * plan.pool,
        redis_share=rings,
        edge_share=edge,
        gbit_s=plan.viewers * carried * 8 / 1e9,
    )


def _one_cue(plan: Plan, costs: Costs, chance: random.Random) -> list[float]:
    """Seconds from the commit to a hundred viewers of each of fifty edges."""
    order = list(range(plan.readers))
    chance.shuffle(order)
    cores = [0.0] * plan.sql_cores
    heard = sorted(
        (
            costs.hop + costs.ring * (place + 1) + _turn(costs, chance),
            reader,
        )
        for place, reader in enumerate(order)
    )
    ready = [0.0] * plan.readers
    for at, reader in heard:
        begun = max(at + costs.hop, heapq.heappop(cores))
        # Other readings come in between: pulses ask for more than cues do.
        took = costs.journal_sql * chance.expovariate(1.0) + (
            costs.numbers_sql if chance.random() < _busy(plan, costs) else 0.0
        )
        heapq.heappush(cores, begun + took)
        ready[reader] = begun + took + costs.hop + costs.journal_edge
    found = []
    for edge in chance.sample(range(plan.edges), min(50, plan.edges)):
        if plan.tree:
            beside = edge % plan.edges_a_machine
            at = ready[edge // plan.edges_a_machine] + costs.local * (beside + 1)
            at += _turn(costs, chance)
        else:
            at = ready[edge]
        found += [at + costs.frame * chance.randrange(plan.per_edge) for _ in range(100)]
    return found


def _turn(costs: Costs, chance: random.Random) -> float:
    """How long a process waits for its turn: a cue overtakes a pulse, but for the slice under way."""
    return costs.frame * costs.slice * chance.random()


def _busy(plan: Plan, costs: Costs) -> float:
    """The share of PostgreSQL's cores that pulses keep."""
    return min(1.0, plan.readers * plan.pulses_s * costs.numbers_sql / plan.sql_cores)


PLANS = (
    ("100,000", Plan(100_000, edges_a_machine=6)),
    ("1,000,000", Plan(1_000_000)),
    ("1,000,000, a tree", Plan(1_000_000, tree=True)),
    ("10,000,000", Plan(10_000_000)),
    ("10,000,000, a tree", Plan(10_000_000, tree=True)),
    ("10,000,000, a tree, one pulse a second", Plan(10_000_000, tree=True, pulses_s=1)),
)


def table() -> str:
    """The plans as Markdown."""
    lines = [
        "| viewers | edges | machines | cue p50 · p99 ms | PostgreSQL cores · connections | Redis | an edge's core | network Gbit/s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, plan in PLANS:
        one = simulate(plan, Costs())
        lines.append(
            f"| {name} | {plan.edges} | {plan.machines} | {one.cue_p50_ms:.0f} · {one.cue_p99_ms:.0f} |"
            f" {one.sql_cores:.2f} · {one.sql_connections:,} | {one.redis_share:.1%} |"
            f" {one.edge_share:.0%} | {one.gbit_s:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
    sys.exit()

"""Paper forms: keyed in by two people independently, and counted when both say the same. Pure.

Rule 1. A seat votes on paper when the host has said so before it cast: then its tablet does not.
Rule 2. A form is counted when two different people have keyed it in alike; until then either may key it
        in again, and both are told in which cells they differ.
Rule 3. In a named round a form bears the seat's number. In a secret round forms are numbered 1 to as
        many as vote on paper, and no number belongs to a seat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from server.domain.ballots import BallotRow

RECUSED = ""
"""Stands where a dimension's key would, which is never empty: the subject is recused."""


@dataclass(frozen=True)
class Entry:
    """What one person keyed in: `cells` by "subject\\ndimension", as values or as their MACs."""

    form: int
    by: str
    name: str
    at: int
    cells: Mapping[str, str]
    counted: bool = False


@dataclass(frozen=True)
class Form:
    """Where a form stands: `none`, `once` keyed in, `differs` (in these cells), or `counted`."""

    number: int
    status: str
    names: tuple[str, ...]
    differing: tuple[tuple[str, str], ...] = ()


def cells_of(rows: Sequence[BallotRow], recused: Sequence[str]) -> dict[str, str]:
    """Every value of a checked ballot by where it stands."""
    cells = {f"{row.subject}\n{row.dimension}": row.value for row in rows}
    return cells | {f"{subject}\n{RECUSED}": "recused" for subject in recused}


def form_of(number: int, entries: Sequence[Entry]) -> Form:
    """Where a form stands by what was keyed in of it."""
    names = tuple(entry.name for entry in entries)
    if any(entry.counted for entry in entries):
        return Form(number, "counted", names)
    if len(entries) < 2:
        return Form(number, "once" if entries else "none", names)
    # Whoever agrees with another makes it count at once: those that wait all differ.
    first, *others = entries
    places = {place for entry in entries for place in entry.cells}
    differing = sorted(
        place
        for place in places
        if any(entry.cells.get(place) != first.cells.get(place) for entry in others)
    )
    split = tuple((place.split("\n")[0], place.split("\n")[1]) for place in differing)
    return Form(number, "differs", names, split)

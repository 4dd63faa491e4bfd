"""Ballots that bear no name, cut apart as far as the rules allow.

Whoever asked a panelist beforehand for certain marks, decimals and all, would find that ballot again
among the others, and with it everything else that it says. So what no rule of the round looks at
together is not kept together: `Rules.needs_together` says whether a rater's whole ballot, each
sheet of it, or nothing at all has one name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from server.domain.ballots import BallotRow
from server.domain.rules import Together


def cut_apart(
    ballots: Iterable[Sequence[BallotRow]], together: Together, new_name: Callable[[], str]
) -> list[BallotRow]:
    """The rows of all ballots under new names, still in the ballots' order: whoever uses this shuffles
    them. A ballot's rows stand by subject. `new_name` never gives the same twice."""
    rows: list[BallotRow] = []
    for ballot in ballots:
        for part in _parts(ballot, together):
            name = new_name()
            rows.extend(row._replace(rater=name) for row in part)
    return rows


def _parts(ballot: Sequence[BallotRow], together: Together) -> Iterable[Iterable[BallotRow]]:
    if together == "ballot":
        return [ballot]
    if together == "sheet":
        return [list(sheet) for _, sheet in groupby(ballot, lambda row: row.subject)]
    return [[row] for row in ballot]

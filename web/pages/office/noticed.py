"""What the rounds page points out to supervisors, worked out once for each result.

Who waits for a tally fetches the page every second, and reading all ballots of a large round takes long.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from server.actions.ports import Unit
from server.actions.tally_round import rows_counted
from server.domain.outliers import Outlier, outliers
from server.domain.rounds import Round
from server.domain.rule_file import parse_draft

MOST = 256
"""Results whose notices are kept; those looked at longest ago go first."""
_kept: OrderedDict[tuple[str, str], tuple[Outlier, ...]] = OrderedDict()


async def noticed(unit: Unit, round_: Round) -> tuple[Outlier, ...]:
    """The notices of a panel round that has a result. Its ballots do not change any more."""
    name = round_.id, str((round_.result or {})["ballots_hash"])
    if name not in _kept:
        rows, rules = await rows_counted(unit, round_), parse_draft(round_.rules or {})
        _kept[name] = await asyncio.to_thread(outliers, rules, rows, named=not round_.sealed)
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    _kept.move_to_end(name)
    return _kept[name]

"""What happens to totals: bands, adjustments, grades, quotas, places, and whether the session counts.

`finish` is the last part of the tally, of one electorate and of a composite alike; each of its steps
adds to the trace what it did.

Source: the contract, "Rules and ballots"; docs/rules.md, "After the total".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from server.domain.exact import exact_text, mark_text
from server.domain.rules import (
    CHANNEL_TIE,
    COMPARED,
    DIMENSION_TIE,
    HIGHEST_MARK,
    Adjustment,
    Band,
    Ending,
    GradeRule,
    OutcomeQuota,
    Quorum,
)

Step = dict[str, Any]
"""One step of the trace."""


@dataclass(slots=True)
class Subject:
    """What is known of a subject; marks are rounded, None where there is none.

    `highest` is the best single mark where a tie key asks for it; `shares` what each band's `when`
    looks at; `channels` and `channel_marks` the totals of a composite's channels, printed and exact;
    `vetoed` that its grade was given whatever the total.
    """

    subject: str
    ballots: dict[str, int]
    dimensions: dict[str, Fraction | None] = field(default_factory=dict)
    groups: dict[str, Fraction | None] = field(default_factory=dict)
    channels: dict[str, str | None] = field(default_factory=dict)
    channel_marks: dict[str, Fraction | None] = field(default_factory=dict)
    total: Fraction | None = None
    highest: Fraction | None = None
    shares: tuple[Fraction | None, ...] = ()
    grade: str | None = None
    vetoed: bool = False
    below_floor: bool = False


def finish(
    ending: Ending, subjects: Sequence[Subject], trace: list[Step]
) -> tuple[list[tuple[int | None, str | None]], bool]:
    """Carries out what comes after the rounded totals, which it changes in place. Gives each
    subject's place and grade, and whether the session counts."""
    _bands(ending, subjects, trace)
    for one in ending.after:
        _adjust(ending, one, subjects, trace)
    _grades(ending, subjects, trace)
    for quota in ending.quotas:
        _quota(ending, quota, subjects, trace)
    valid = _session(ending, trace)
    ranks = _ranks(ending, subjects, trace)
    return [(rank, one.grade) for rank, one in zip(ranks, subjects, strict=True)], valid


# Bands and adjustments --------------------------------------------------------------------------


def _bands(ending: Ending, subjects: Sequence[Subject], trace: list[Step]) -> None:
    if not ending.bands:
        return
    for one in subjects:
        if one.total is None:
            continue
        before = one.total
        place = next((n for n, band in enumerate(ending.bands) if _band_holds(band, n, one)), None)
        one.total = None if place is None else ending.bands[place].value
        trace.append(
            {
                "step": "band",
                "subject": one.subject,
                "before": mark_text(before, ending.rounding.total),
                "shares": [mark_text(share, None) for share in one.shares],
                "band": None if place is None else place + 1,
                "total": mark_text(one.total, ending.rounding.total),
            }
        )


def _band_holds(band: Band, place: int, one: Subject) -> bool:
    if band.least is not None and (one.total is None or one.total < band.least):
        return False
    if band.when is None:
        return True
    share = one.shares[place]
    return share is not None and band.when.threshold.holds(share)


def _adjust(
    ending: Ending, what: Adjustment, subjects: Sequence[Subject], trace: list[Step]
) -> None:
    meant = [one for one in subjects if what.subject in (None, one.subject)]
    step: Step = {"step": "after", "kind": what.kind, "reason": what.reason}
    if not meant:
        trace.append({**step, "subject": what.subject, "done": False})
    for one in meant:
        if what.kind == "veto":
            if one.below_floor:
                trace.append({**step, "subject": one.subject, "done": False})
                continue
            one.grade, one.vetoed = what.grade, True
            trace.append({**step, "subject": one.subject, "done": True, "grade": what.grade})
            continue
        before = one.total
        if before is None:
            if what.subject is not None:
                trace.append({**step, "subject": one.subject, "done": False})
            continue
        if what.kind == "bonus":
            one.total = before + what.value
        elif what.kind == "deduction":
            one.total = before - what.value
        elif before > what.value:
            one.total = what.value
        else:
            continue
        trace.append(
            {
                **step,
                "subject": one.subject,
                "done": True,
                "value": exact_text(what.value),
                "before": mark_text(before, ending.rounding.total),
                "total": mark_text(one.total, ending.rounding.total),
            }
        )


# Grades and quotas ------------------------------------------------------------------------------


def _grades(ending: Ending, subjects: Sequence[Subject], trace: list[Step]) -> None:
    if not ending.grades:
        return
    for one in subjects:
        if one.total is None or one.vetoed:
            continue
        one.grade = _grade_of(ending.grades, one.total)
        trace.append(
            {
                "step": "grade",
                "subject": one.subject,
                "total": mark_text(one.total, ending.rounding.total),
                "grade": one.grade,
            }
        )


def _grade_of(rules: Sequence[GradeRule], total: Fraction) -> str | None:
    for rule in rules:
        if rule.least is None or total >= rule.least:
            return rule.grade
    return None


def _quota(
    ending: Ending, quota: OutcomeQuota, subjects: Sequence[Subject], trace: list[Step]
) -> None:
    """The best so many keep the grade; equals at the edge fall together."""
    scored = [one for one in subjects if one.total is not None]
    most = math.floor(quota.share * len(scored))
    holders = [one for one in scored if one.grade == quota.grade and not one.vetoed]
    sign = -1 if ending.order == "descending" else 1
    holders.sort(key=lambda one: sign * (one.total or Fraction(0)))
    kept, fallen = holders[:most], holders[most:]
    while fallen and kept and kept[-1].total == fallen[0].total:
        fallen.insert(0, kept.pop())
    for one in fallen:
        one.grade = quota.falls_to
    trace.append(
        {
            "step": "quota",
            "grade": quota.grade,
            "falls_to": quota.falls_to,
            "share": exact_text(quota.share),
            "subjects": len(scored),
            "most": most,
            "kept": [one.subject for one in kept],
            "fell": [one.subject for one in fallen],
        }
    )


# The session ------------------------------------------------------------------------------------


def quorum_of(quorum: Quorum, counts: Mapping[str, int]) -> tuple[Fraction, bool]:
    """(how many are needed, whether so many are present)."""
    needed = quorum.threshold.share * counts[quorum.of]
    compared = COMPARED[quorum.threshold.compare]
    return needed, compared(Fraction(counts["present"]), needed)


def _session(ending: Ending, trace: list[Step]) -> bool:
    """Whether the quorum holds and no more sheets came back than were given out."""
    counts, quorum = ending.session.counts, ending.session.quorum
    if not counts:
        return True
    step: Step = {"step": "session", **counts}
    valid = counts.get("returned", 0) <= counts.get("issued", counts.get("returned", 0))
    if quorum is not None:
        needed, holds = quorum_of(quorum, counts)
        step["of"], step["compare"] = quorum.of, quorum.threshold.compare
        step["needed"] = exact_text(needed)
        valid = valid and holds
    trace.append({**step, "valid": valid})
    return valid


# Places -----------------------------------------------------------------------------------------

_Place = tuple[bool, Fraction | int]
"""What is compared: (there is none, how far down), so that the smaller one comes first."""


def _ranks(ending: Ending, subjects: Sequence[Subject], trace: list[Step]) -> list[int | None]:
    """The place of each subject, None without a total; equals share the better place."""
    keys = {
        index: _rank_key(ending, one, index)
        for index, one in enumerate(subjects)
        if one.total is not None
    }
    ordered = sorted(keys, key=lambda index: (keys[index], index))
    often: dict[Fraction | None, int] = {}
    for one in subjects:
        often[one.total] = often.get(one.total, 0) + 1
    ranks: list[int | None] = [None] * len(subjects)
    for place, index in enumerate(ordered):
        before = ordered[place - 1]
        shares = place > 0 and keys[before] == keys[index]
        ranks[index] = ranks[before] if shares else place + 1
        one = subjects[index]
        step: Step = {
            "step": "rank",
            "subject": one.subject,
            "total": mark_text(one.total, ending.rounding.total),
            "rank": ranks[index],
        }
        if ending.ties and often[one.total] > 1:
            step["by"] = _compared(ending, one, index)
        trace.append(step)
    return ranks


def _rank_key(ending: Ending, one: Subject, index: int) -> tuple[_Place, ...]:
    sign = -1 if ending.order == "descending" else 1

    def place(value: Fraction | None) -> _Place:
        return (True, 0) if value is None else (False, sign * value)

    keys = [place(one.total)]
    for tie in ending.ties:
        if tie == HIGHEST_MARK:
            keys.append(place(one.highest))
        elif tie.startswith(DIMENSION_TIE):
            keys.append(place(one.dimensions[tie.removeprefix(DIMENSION_TIE)]))
        elif tie.startswith(CHANNEL_TIE):
            keys.append(place(one.channel_marks[tie.removeprefix(CHANNEL_TIE)]))
        else:
            keys.append((False, index))
    return tuple(keys)


def _compared(ending: Ending, one: Subject, index: int) -> list[list[object]]:
    """What each tie key looked at: [key, value], the office's order counted from 1."""
    compared: list[list[object]] = []
    for tie in ending.ties:
        if tie == HIGHEST_MARK:
            compared.append([tie, mark_text(one.highest, None)])
        elif tie.startswith(DIMENSION_TIE):
            mark = one.dimensions[tie.removeprefix(DIMENSION_TIE)]
            compared.append([tie, mark_text(mark, ending.rounding.dimension)])
        elif tie.startswith(CHANNEL_TIE):
            compared.append([tie, one.channels[tie.removeprefix(CHANNEL_TIE)]])
        else:
            compared.append([tie, index + 1])
    return compared

"""意见建议: what a panelist writes of a subject beside the marks, and when a reason is required.

A round says whether there is a field for it (`comments`), and below which total of a sheet something
must be written there (`reason_below`). Nobody reads a text before the round has closed, and then only who reviews it,
until it is released. In a secret round it goes apart from the marks and bears no name
(docs/decisions/0017-comments.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from server.domain.ballots import BallotJudge, BallotRow, marked_sheets
from server.domain.exact import decimal_of
from server.domain.refusals import Refusal
from server.domain.rounds import Round
from server.domain.rules import LabelScale, Rules

LONGEST = 300
"""Characters of one text."""
OUTCOMES = ("released", "withheld")


@dataclass(frozen=True)
class Comment:
    """One text about one subject. `seat` is the seat's number, None in a secret round; `status` is
    `waiting`, `released` or `withheld`."""

    id: str
    subject: str
    text: str
    seat: int | None
    status: str


def check_setting(rules: Rules | None, comments: bool, below: str | None) -> None:
    """`malformed` unless a round can be held so: only a panel writes, and a reason is asked for below a
    total only where marks make one."""
    if rules is None and (comments or below is not None):
        raise Refusal("malformed", place="comments")
    if below is not None and (rules is None or decimal_of(below) is None or not _has_totals(rules)):
        raise Refusal("malformed", place="reason_below")


def takes_texts(round_: Round) -> bool:
    """Whether there is anything to write on its sheets."""
    return round_.comments or round_.reason_below is not None


def _has_totals(rules: Rules) -> bool:
    return all(
        not isinstance(one.scale, LabelScale)
        or all(label.points is not None for label in one.scale.labels)
        for one in rules.dimensions
    )


def needs_reason(rules: Rules, below: str | None, rows: Iterable[BallotRow]) -> list[str]:
    """The subjects whose sheet has a mark and whose total, of what is marked, is below the figure."""
    if below is None:
        return []
    judge, figure = BallotJudge(rules), Fraction(below)
    return [
        subject
        for subject, marks in marked_sheets(rules, rows).items()
        if Fraction(judge.total(marks), judge.grain) < figure
    ]


def checked_texts(
    round_: Round,
    rules: Rules,
    rows: Sequence[BallotRow],
    given: Mapping[str, str],
    names: Mapping[str, str],
) -> dict[str, str]:
    """The texts of a ballot (cleaned by the caller) by subject, empty ones left out, or the refusal
    that says what is wrong. `names` are those of the round's subjects by their keys."""
    kept = {subject: text for subject, text in given.items() if text}
    if kept and not takes_texts(round_):
        raise Refusal("comments_not_taken")
    for subject, text in kept.items():
        if subject not in names:
            raise Refusal("subject_unknown", subject=subject)
        if len(text) > LONGEST:
            raise Refusal("text_too_long", most=LONGEST)
    asked = needs_reason(rules, round_.reason_below, rows)
    for subject in asked:
        if subject not in kept:
            raise Refusal("reason_missing", name=names[subject], below=round_.reason_below)
    return {s: text for s, text in kept.items() if round_.comments or s in asked}

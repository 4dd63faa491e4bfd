"""Numbers of what became of questions, and the comparison of the asked with the received."""

from __future__ import annotations

import random

from server.domain.fairness import LEAST, comparison, fates
from server.domain.questions import REJECTION_REASONS, STATES


def test_every_question_is_counted_once_whatever_its_state() -> None:
    chance = random.Random(5)
    for _ in range(50):
        counts = {state: chance.randrange(40) for state in (*STATES, "a state of tomorrow")}
        found = fates(counts, {"unclear": counts["rejected"]})
        told = found.numbers
        assert told.pop("received") == sum(counts.values())
        assert sum(told.values()) == sum(counts.values())
        assert sum(found.reasons.values()) == found.refused
        assert found.reasons.keys() == REJECTION_REASONS.keys()


def test_each_state_has_its_number() -> None:
    one = {state: fates({state: 1}, {}).numbers for state in STATES}
    named = {
        s: next(k for k, n in told.items() if n and k != "received") for s, told in one.items()
    }
    assert named == {
        "received": "held",
        "screened": "held",
        "approved": "shown",
        "rejected": "refused",
        "merged": "merged",
        "shortlisted": "shown",
        "queued": "shown",
        "on_stage": "shown",
        "answered": "shown",
        "withdrawn": "closed",
        "replied_in_writing": "shown",
        "converted": "shown",
        "closed": "closed",
        "escalated": "held",
        "handed_over": "closed",
    }


def test_too_few_are_told_together_only() -> None:
    found = comparison("district", [("甲区", 40, 2), ("乙区", 2, 1), ("丙区", 2, 0), (None, 5, 1)])
    assert [(s.value, s.received, s.asked) for s in found.shares] == [
        ("甲区", 40, 2),
        ("", 5, 1),
        (None, 4, 1),
    ]
    assert (found.received, found.asked) == (49, 4)


def test_a_single_one_is_not_told_by_what_is_left_over() -> None:
    found = comparison("district", [("甲区", 40, 2), ("乙区", 4, 1), ("丙区", 1, 1)])
    assert [(s.value, s.received, s.asked) for s in found.shares] == [("甲区", 40, 2), (None, 5, 2)]


def test_the_whole_is_kept_and_nobody_is_pointed_at() -> None:
    chance = random.Random(6)
    for _ in range(200):
        rows = [(f"{chance.randrange(9)}区", chance.randrange(4), 0) for _ in range(12)]
        found = comparison("district", rows)
        assert found.received == sum(n for _, n, _ in rows)
        assert sum(one.received for one in found.shares) == found.received
        assert len(found.shares) == 1 or all(one.received >= LEAST for one in found.shares)

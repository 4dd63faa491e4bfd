"""Rounds with results that the tally itself worked out, for documents. Nobody in them is real."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from server.domain.ballot_file import write_ballots
from server.domain.ballots import BallotRow
from server.domain.hearing import Item
from server.domain.journal import Entry
from server.domain.rounds import Entitled, Round
from server.domain.rule_file import parse_rules
from server.domain.rules import rules_hash
from server.domain.tally import tally
from server.domain.view import HearingView, SeatView, SubjectView
from server.reports.sheet import NONE
from tests.web import views

ROOT = "0123456789abcdef" * 4
LABELS = {
    "kind": "labels",
    "labels": [
        {"key": "good", "label": "好", "points": "20"},
        {"key": "fair", "label": "一般", "points": "17"},
        {"key": "poor", "label": "差", "points": "14"},
    ],
}
NUMBERS = {"kind": "number", "min": "0", "max": "100", "step": "0.5"}
GROUPS = [{"key": "deputies", "weight": "0.4"}, {"key": "citizens", "weight": "0.6"}]
FIVE = [
    {"key": key} for key in ("personally", "decisions", "enforcement", "findings", "rectification")
]
PLACES = {"mode": "half_up", "dimension": 2, "total": 2}
KINDS: Mapping[str, dict[str, Any]] = {
    "mean of five": {
        "version": 1, "scale": LABELS, "dimensions": FIVE, "groups": GROUPS, "rounding": PLACES,
        "grades": [{"grade": "excellent", "from": "90"}, {"grade": "plain"}],
    },
    "trimmed, not rounded": {
        "version": 1, "scale": {"kind": "number", "min": "0", "max": "100", "step": "0.5"},
        "dimensions": [{"key": "overall"}], "trim": {"high": 1, "low": 1, "from": 5},
    },
    "verdict": {
        "version": 1, "scale": LABELS, "dimensions": [{"key": "overall"}], "within": "verdict",
        "verdict": [
            {"grade": "satisfied", "positive": ["good"], "share": "1/2", "compare": ">="},
            {"grade": "basic", "positive": ["good", "fair"], "share": "1/2", "compare": ">="},
            {"grade": "unsatisfied"},
        ],
    },
    "rate": {
        "version": 1, "scale": LABELS, "dimensions": [{"key": "overall"}], "within": "rate",
        "positive": ["good"], "rounding": {"mode": "half_up", "dimension": 4, "total": 4},
    },
    "floor": {
        "version": 1, "scale": LABELS, "dimensions": FIVE[:2], "rounding": PLACES, "floor": 8,
    },
    "median with factors": {
        "version": 1, "scale": NUMBERS, "within": "median", "across": "mean",
        "dimensions": [{"key": "personally", "factor": "0.7"}, {"key": "decisions", "factor": "0.3"}],
        "rounding": {"mode": "half_even", "weighted": 1, "total": 1},
    },
    "sums, the least first": {
        "version": 1, "scale": NUMBERS, "dimensions": FIVE[:2], "within": "sum",
        "order": "ascending", "rounding": {"mode": "down", "total": 0},
    },
    "bands of a rate": {
        "version": 1, "scale": LABELS, "dimensions": [{"key": "overall"}], "within": "rate",
        "positive": ["good", "fair"], "denominator": "due",
        "session": {"present": 9, "due": 12, "members": 12},
        "bands": [{"from": "0.6", "value": "200"}, {"from": "0.4", "value": "190"}, {"value": "130"}],
    },
    "rank points": {
        "version": 1, "scale": NUMBERS, "dimensions": [{"key": "overall"}], "within": "rank_points",
        "rank_points": {"first": "200", "step": "2"}, "rounding": PLACES,
    },
    "ratio to the best": {
        "version": 1, "scale": NUMBERS, "dimensions": FIVE[:2], "groups": GROUPS,
        "within": "best_ratio", "best_ratio": {"times": "600"}, "rounding": PLACES,
    },
    "totals trimmed in groups": {
        "version": 1, "scale": NUMBERS, "dimensions": FIVE[:3], "groups": GROUPS,
        "trim": {"high": 1, "low": 1, "from": 4, "on": "total"},
        "rounding": {"mode": "half_up", "dimension": 3, "group": 2, "total": 2},
    },
    "bonus, deduction, cap, veto": {
        "version": 1, "scale": NUMBERS, "dimensions": FIVE[:2], "rounding": PLACES,
        "after": [
            {"kind": "bonus", "subject": "housing", "value": "3.5", "reason": "获省级表彰"},
            {"kind": "deduction", "subject": "city", "value": "2", "reason": "逾期未整改"},
            {"kind": "cap", "value": "160"},
            {"kind": "veto", "subject": "market", "grade": "unsatisfied", "reason": "弄虚作假"},
        ],
        "grades": [
            {"grade": "excellent", "from": "150"}, {"grade": "plain", "from": "100"},
            {"grade": "unsatisfied"},
        ],
    },
    "outcome quota and ties": {
        "version": 1, "scale": LABELS, "dimensions": FIVE[:2], "rounding": {"mode": "half_up", "total": 0},
        "grades": [{"grade": "excellent", "from": "20"}, {"grade": "plain"}],
        "quota": [{"grade": "excellent", "share": "1/3", "falls_to": "plain"}],
        "ties": ["dimension:personally", "highest_mark", "office_order"],
    },
    "void ballots, no quorum": {
        "version": 1, "scale": LABELS, "dimensions": FIVE[:2], "rounding": PLACES,
        "ballot": {"required": "all", "void_all_equal": True, "void_all_full": True},
        "session": {
            "present": 9, "due": 20, "members": 20,
            "quorum": {"share": "1/2", "compare": ">", "of": "due"},
        },
    },
}  # fmt: skip
WORDS = {
    **views.LABELS,
    "overall": "总体评价",
    "excellent": "优秀",
    "plain": "合格",
    "satisfied": "满意",
    "basic": "基本满意",
    "unsatisfied": "不满意",
}
RATERS = 9


def values_of(rules: Mapping[str, Any], seed: random.Random) -> str:
    """One value that the first scale allows, now and then none of its marks."""
    if seed.random() < 0.08:
        return seed.choice(("abstain", "dont_know"))
    scale = rules["scale"]
    if scale["kind"] == "labels":
        return str(seed.choice(scale["labels"])["key"])
    return f"{seed.randrange(120, 200) / 2:g}"


def ballots(
    rules: Mapping[str, Any], subjects: tuple[str, ...], seed: int = 1, raters: int = RATERS
) -> str:
    """BALLOTS.csv of a whole panel."""
    chance = random.Random(seed)
    rows = []
    for i, subject in enumerate(subjects):
        for rater in range(raters):
            if i == 0 and rater > 3 and rules.get("floor"):
                continue  # too few for the floor
            for dimension in rules["dimensions"]:
                group = ("deputies", "citizens")[rater % 2] if rules.get("groups") else ""
                value = values_of(rules, chance)
                rows.append(
                    BallotRow(subject, f"seat-{rater + 1:03d}", group, dimension["key"], value)
                )
    return write_ballots(rows)


def result_of(rules: Mapping[str, Any], csv: str) -> dict[str, Any]:
    """What the tally finds."""
    rows = [line.split(",") for line in csv.splitlines()[1:]]
    return dict(tally(parse_rules(dict(rules)), [BallotRow(*row) for row in rows], csv.encode()))


def as_read(kind: str, mark: str | None, what: str = "mark") -> str:
    """What people should read of a mark in a result of this kind."""
    share = kind == "rate" or (kind == "bands of a rate" and what == "mark")
    if mark is None or not share or "/" in mark:
        return NONE if mark is None else mark
    value = (Decimal(mark) * 100).normalize()
    places = max(0, len(mark.partition(".")[2]) - 2)
    return f"{value:.{places}f}%"


def panel(
    view: HearingView, rules: Mapping[str, Any], seed: int = 1, raters: int = RATERS, **more: Any
) -> tuple[Round, str]:
    """A published panel round about all subjects of the view, and its ballots."""
    subjects = tuple(s.key for s in view.subjects)
    csv = ballots(rules, subjects, seed, raters)
    values: dict[str, Any] = {
        "subjects": subjects,
        "rules": dict(rules),
        "rules_hash": rules_hash(parse_rules(dict(rules))),
        "labels": WORDS,
        "cast": raters,
        "result": result_of(rules, csv),
        "signers": ("teller", "scrutineer", "host"),
        "signed": ("teller", "scrutineer", "host"),
        "published_to": ("public",),
        "root": ROOT,
    }
    return views.panel_round("published", **(values | more)), csv


def entry(
    seq: int, event: str, at: int, public: dict[str, Any] | None = None, **body: Any
) -> Entry:
    """An entry of a journal whose chain nobody looks at."""
    return Entry(seq, at, event, "account:1", "host", body, {}, public, "", "")


def certified(round_: Round) -> tuple[Entry, ...]:
    """The entries that a document about one round reads."""
    at = views.AT
    return (
        entry(1, "round_signed", at + 1000, round=round_.id, signed_as="teller"),
        entry(2, "round_signed", at + 2000, round=round_.id, signed_as="scrutineer"),
        entry(3, "round_certified", at + 3000, round=round_.id, signed_as="host"),
    )


def run(view: HearingView, panel_round: Round) -> tuple[Entry, ...]:
    """The journal of a short hearing."""
    at, minute = views.AT, views.MINUTE
    number = iter(range(1, 100))

    def then(
        minutes: float, event: str, public: dict[str, Any] | None = None, **body: Any
    ) -> Entry:
        return entry(next(number), event, at + int(minutes * minute), public, **body)

    stage = {"stage": {"asker": "人大代表 沐青禾", "source": "12345热线", "text": views.TEXTS[0]}}
    return (
        then(-20, "hearing_changed", status="check_in"),
        then(-12, "presence_changed", seat=3),
        then(0, "hearing_changed", status="live"),
        then(0, "position_changed", item="opening", step="opening"),
        then(3, "position_changed", item="housing", step="statement"),
        then(7, "notice", id=5),
        then(7.2, "notice_seen", id=5),
        then(8, "position_changed", item="housing", step="questions"),
        then(8.5, "question_taken", stage, id=1, code="Q0001"),
        then(9, "question_phase", id=1, code="Q0001", phase="answering"),
        then(10, "question_phase", id=1, code="Q0001", phase="follow_up"),
        then(11, "question_answered", id=1, code="Q0001", outcome="answered"),
        then(12, "screen_cleared"),
        then(13, "screen_restored"),
        then(14, "position_changed", item="housing", step="evaluation"),
        then(14, "round_opened", round=panel_round.id),
        then(17, "round_closed", round=panel_round.id, cast=panel_round.cast),
        then(17, "round_tallied", round=panel_round.id),
        *certified(panel_round),
        then(20, "result_published", round=panel_round.id, audience="public"),
        then(21, "hearing_changed", status="ended"),
    )


def hearing(kind: Callable[[], HearingView] = views.full) -> HearingView:
    """The view of a hearing that is over."""
    view = kind()
    return replace(view, hearing=replace(view.hearing, status="ended"))


def crowded(subjects: int = 30, raters: int = 45) -> HearingView:
    """As many subjects and seats as a large hearing has, some with names that are too long."""
    who = tuple(
        SubjectView(
            f"s{i:02d}",
            "阿依古丽·买买提依明·托合提" if i % 11 == 3 else f"述法人{i + 1}",
            "党组书记、局长",
            "云澜市住房和城乡建设与历史文化名城保护及房屋征收补偿管理委员会办公室"
            if i % 7 == 2
            else f"云澜市第{i + 1}局",
        )
        for i in range(subjects)
    )
    seats = tuple(
        SeatView(i + 1, i + 1, f"成员{i + 1}", *views.GROUPS[i % 3][:2], "", i % 9 != 8)
        for i in range(raters)
    )
    return replace(hearing(), subjects=who, seats=seats, items=(Item("all", "测评", None, ()),))


def entitled(view: HearingView) -> tuple[Entitled, ...]:
    """Everybody on the panel's list."""
    return tuple(Entitled(s.id, s.group, s.unit, s.present) for s in view.seats)

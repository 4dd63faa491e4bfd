"""Every rule of the book worked by hand, the presets with the example that they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pytest

from server.domain.ballot_file import BallotFileInvalid, write_ballots
from server.domain.ballots import BallotRow
from server.domain.rule_file import parse_draft, parse_rule_set, with_counts, with_groups
from server.domain.rules import rules_hash
from server.domain.rules_in_words import rules_in_words
from server.domain.tally import Result, TallyRefused, tally
from server.shows.rule_presets import presets

TEN = {"kind": "number", "min": "0", "max": "10", "step": "0.5"}
HUNDRED = {"kind": "number", "min": "0", "max": "100", "step": "1"}
GRADES = [
    {"grade": "excellent", "from": "90"},
    {"grade": "good", "from": "80"},
    {"grade": "poor"},
]


def document(**keys: Any) -> dict[str, Any]:
    return {"version": 1, "scale": HUNDRED, "dimensions": [{"key": "overall"}], **keys}


def marks(
    subject: str, values: str, dimension: str = "overall", group: str = ""
) -> list[BallotRow]:
    """One row a value; raters r1, r2 … of the group."""
    return [
        BallotRow(subject, f"{group}r{n}", group, dimension, value)
        for n, value in enumerate(values.split(), start=1)
        if value != "-"
    ]


def tallied(rules: Mapping[str, Any], rows: Sequence[BallotRow]) -> Result:
    channels = "composite" in rules
    return tally(parse_rule_set(dict(rules)), rows, write_ballots(rows, channels=channels).encode())


def told(result: Result, member: str = "total") -> list[Any]:
    return [dict(one)[member] for one in result["subjects"]]


def repeated(counts: Mapping[str, int]) -> str:
    return " ".join(label for label, n in counts.items() for _ in range(n))


def steps(result: Result, step: str) -> list[dict[str, Any]]:
    return [one for one in result["trace"] if one["step"] == step]


# Presets ----------------------------------------------------------------------------------------


def preset(key: str) -> dict[str, Any]:
    return dict(presets()[key].rules)


@pytest.mark.parametrize("key", sorted(presets()))
def test_a_preset_is_whole(key: str) -> None:
    one = presets()[key]
    rules = parse_draft(one.rules)
    assert rules.canonical
    for lang in ("zh", "en"):
        assert one.name[lang]
        assert one.source[lang]
        assert set(rules.dimension_keys) <= one.words[lang].keys()
        assert rules_in_words(rules, lang, one.words[lang])  # type: ignore[arg-type]
    assert one.words["zh"].keys() == one.words["en"].keys()


def test_three_grades_as_in_hangzhou() -> None:
    """满意率 = (满意 + 基本满意) / 有效票: (61 + 29) / 94 = 0.95744… → 0.9574; of 2 who do not know
    and 1 void nothing is counted."""
    counts = {"satisfied": 61, "basic": 29, "unsatisfied": 4, "dont_know": 2, "void": 1}
    result = tallied(preset("three-grades"), marks("s1", repeated(counts)))
    assert told(result) == ["0.9574"]
    assert result["subjects"][0]["ballots"] == {
        "valid": 94,
        "abstain": 0,
        "dont_know": 2,
        "void": 1,
    }


def test_zhenhai_half_of_all_members_decides() -> None:
    """29 members were there and are all: 15 are half or more, 14 are not (14.5 is half). An absent or
    abstaining member stays in the denominator."""
    rules = with_counts(preset("zhenhai-verdict"), present=29, due=29, members=29)
    rows = [
        *marks("roads", repeated({"satisfied": 15, "basic": 10, "unsatisfied": 4})),
        *marks("schools", repeated({"satisfied": 14, "basic": 1, "unsatisfied": 14})),
        *marks("water", repeated({"satisfied": 9, "basic": 5, "unsatisfied": 1, "abstain": 14})),
    ]
    result = tallied(rules, rows)
    assert told(result, "grade") == ["satisfied", "basic", "unsatisfied"]
    assert told(result) == told(result, "rank") == [None, None, None]
    # With 28 members exactly half is decided by the stated switch, never by accident.
    rules["session"] = {"members": 28}
    rows = marks("roads", repeated({"satisfied": 14, "unsatisfied": 14}))
    assert told(tallied(rules, rows), "grade") == ["satisfied"]
    rules["verdict"] = [
        {**one, "compare": ">"} if "share" in one else one for one in rules["verdict"]
    ]
    assert told(tallied(rules, rows), "grade") == ["unsatisfied"]


def test_five_dimensions_of_20_17_14() -> None:
    """Four raters; openness 20 20 17 14 = 17.75, lawfulness 20 20 20 17 = 19.25, conduct 14 17 17 17 =
    16.25, service 20 17 17 20 = 18.5, efficiency 17 17 14 14 = 15.5: together 87.25."""
    rows = [
        *marks("s1", "good good fair poor", "openness"),
        *marks("s1", "good good good fair", "lawfulness"),
        *marks("s1", "poor fair fair fair", "conduct"),
        *marks("s1", "good fair fair good", "service"),
        *marks("s1", "fair fair poor poor", "efficiency"),
    ]
    result = tallied(preset("five-dimensions"), rows)
    assert told(result) == ["87.25"]
    assert result["subjects"][0]["dimensions"]["conduct"] == "16.25"


def test_a_trimmed_mean_and_the_plain_one_below_its_threshold() -> None:
    """Of 98 92.5 91 90 60 the 98 and the 60 leave: 273.5 / 3 = 91.1666… → 91.17. Of four nobody
    leaves: (98 + 92.5 + 91 + 60) / 4 = 85.375 → 85.38."""
    rows = [*marks("s1", "98 92.5 91 90 60"), *marks("s2", "98 92.5 91 60")]
    assert told(tallied(preset("trimmed-mean"), rows)) == ["91.17", "85.38"]


def test_weighted_groups_take_the_mean_of_each_group_first() -> None:
    """Deputies 19 18, citizens 10 of 20 in one dimension: 18.5 × 0.7 + 10 × 0.3 = 15.95. Where the
    citizens said nothing the deputies alone are counted."""
    rules = with_groups(preset("weighted-groups"), [("deputies", "0.7"), ("citizens", "0.3")])
    rows = [
        *marks("s1", "19 18", "duty", "deputies"),
        *marks("s1", "10", "duty", "citizens"),
        *marks("s2", "19 18", "duty", "deputies"),
    ]
    assert told(tallied(rules, rows)) == ["15.95", "18.50"]


@pytest.mark.parametrize(
    ("counts", "points"),
    [
        ({"excellent": 27, "competent": 3}, "200"),  # 0.9
        ({"excellent": 26, "competent": 4}, "190"),  # 0.8666…
        ({"excellent": 24, "unfit": 6}, "190"),  # 0.8
        ({"excellent": 21, "competent": 9}, "180"),  # 0.7
        ({"excellent": 18, "competent": 12}, "170"),  # 0.6
        ({"excellent": 17, "competent": 4, "basic": 5, "unfit": 4}, "160"),  # 9 / 30 < 1/3
        ({"excellent": 17, "competent": 3, "basic": 6, "unfit": 4}, "130"),  # 10 / 30 = 1/3
    ],
)
def test_ruian_bands(counts: dict[str, int], points: str) -> None:
    assert told(tallied(preset("ruian-bands"), marks("s1", repeated(counts)))) == [points]


def test_at_most_a_third_is_excellent() -> None:
    """Seven subjects: floor(7 / 3) = 2 may keep it. Third and fourth have the same total as the
    second, so that at the edge all three fall together and one is left."""
    totals = {"a": 97, "b": 93, "c": 93, "d": 93, "e": 85, "f": 70, "g": 50}
    rows = [BallotRow(key, "r", "", "overall", str(mark)) for key, mark in totals.items()]
    result = tallied(preset("excellent-third"), rows)
    grades = ["excellent", "good", "good", "good", "good", "fair", "poor"]
    assert told(result, "grade") == grades
    assert told(result, "rank") == [1, 2, 2, 2, 5, 6, 7]
    assert steps(result, "quota") == [
        {
            "step": "quota",
            "grade": "excellent",
            "falls_to": "good",
            "share": "1/3",
            "subjects": 7,
            "most": 2,
            "kept": ["a"],
            "fell": ["b", "c", "d"],
        }
    ]


def test_points_for_places() -> None:
    """r1 ranks a b c: 200 196 192. r2 gives a and b the same, both first: 200 200, c third: 192. r3
    ranks b alone: 200. a: 400 / 2 = 200; b: 596 / 3 = 198.666…; c: 384 / 2 = 192."""
    rows = [
        *marks("a", "90 80 -"),
        *marks("b", "80 80 70"),
        *marks("c", "70 60 abstain"),
    ]
    assert told(tallied(preset("rank-points"), rows)) == ["200.00", "198.67", "192.00"]


def test_ratio_to_the_best() -> None:
    """Means 90, 60 and 75 of the best, 90: 600, 400, 500."""
    rows = [*marks("a", "95 85"), *marks("b", "60 60"), *marks("c", "70 80")]
    assert told(tallied(preset("best-ratio"), rows)) == ["600.00", "400.00", "500.00"]


# Rates and denominators -------------------------------------------------------------------------

SESSION = {"present": 10, "due": 16, "members": 20}
YES_NO = {
    "kind": "labels",
    "labels": [{"key": "yes"}, {"key": "no"}],
}


@pytest.mark.parametrize(
    ("denominator", "rate"),
    [("valid", "0.75"), ("present", "0.6"), ("due", "0.375"), ("members", "0.3")],
)
def test_what_a_rate_is_taken_of(denominator: str, rate: str) -> None:
    """Six of eight said yes, two abstained."""
    rules = document(
        scale=YES_NO, within="rate", positive=["yes"], denominator=denominator, session=SESSION
    )
    rows = marks("s1", repeated({"yes": 6, "no": 2, "abstain": 2}))
    assert told(tallied(rules, rows)) == [rate]


def test_a_subject_without_a_mark_has_no_rate_but_none_of_all_members() -> None:
    rules = document(scale=YES_NO, within="rate", positive=["yes"])
    assert told(tallied(rules, marks("s1", "abstain abstain"))) == [None]
    of_all = {**rules, "denominator": "members", "session": SESSION}
    assert told(tallied(of_all, marks("s1", "abstain abstain"))) == ["0"]


def test_more_marks_than_the_denominator_has_is_no_valid_session() -> None:
    rules = document(
        scale=YES_NO, within="rate", positive=["yes"], denominator="present", session={"present": 2}
    )
    assert tallied(rules, marks("s1", "yes no"))["valid"]
    result = tallied(rules, marks("s1", "yes no no"))
    assert told(result) == ["0.5"]
    assert not result["valid"]
    below = tallied({**rules, "floor": 4}, marks("s1", "yes no no"))
    assert told(below) == [None]
    assert not below["valid"]


def test_a_verdict_over_groups_is_the_weighted_mean_of_their_shares() -> None:
    """Deputies 1 of 2 yes, citizens 3 of 4 yes: 0.5 × 0.6 + 0.75 × 0.4 = 0.6."""
    rules = document(
        scale=YES_NO,
        within="verdict",
        verdict=[{"grade": "passed", "positive": ["yes"], "share": "0.6", "compare": ">="}],
        groups=[{"key": "deputies", "weight": "0.6"}, {"key": "citizens", "weight": "0.4"}],
    )
    rows = [
        *marks("s1", "yes no", group="deputies"),
        *marks("s1", "yes yes yes no", group="citizens"),
    ]
    assert told(tallied(rules, rows), "grade") == ["passed"]
    over = {**rules, "verdict": [{**rules["verdict"][0], "compare": ">"}]}
    assert told(tallied(over, rows), "grade") == [None]
    # Without the citizens the deputies' half is the share; as zero they pull it down to 0.3.
    alone = marks("s1", "yes no", group="deputies")
    half = {**rules, "verdict": [{**rules["verdict"][0], "share": "0.5"}]}
    assert told(tallied(half, alone), "grade") == ["passed"]
    assert told(tallied({**half, "empty_group": "zero"}, alone), "grade") == [None]
    with pytest.raises(TallyRefused):
        tallied({**half, "empty_group": "refuse"}, alone)


def test_nobody_judged_is_no_grade() -> None:
    rules = document(
        scale=YES_NO,
        within="verdict",
        verdict=[
            {"grade": "passed", "positive": ["yes"], "share": "1/2", "compare": ">"},
            {"grade": "failed"},
        ],
    )
    assert told(tallied(rules, marks("s1", "abstain")), "grade") == [None]
    of_all = {**rules, "denominator": "due", "session": {"due": 3}}
    assert told(tallied(of_all, marks("s1", "abstain")), "grade") == ["failed"]


# Ballots that do not count ----------------------------------------------------------------------


def ballot(rater: str, **values: str) -> list[BallotRow]:
    return [BallotRow(subject, rater, "", "overall", value) for subject, value in values.items()]


def test_a_ballot_of_equal_marks_is_void_whole() -> None:
    rules = document(ballot={"void_all_equal": True})
    rows = [
        *ballot("r1", a="80", b="80", c="abstain"),
        *ballot("r2", a="80", b="81"),
        *ballot("r3", a="70"),
    ]
    result = tallied(rules, rows)
    assert told(result) == ["75", "81", None]
    assert told(result, "ballots")[2] == {"valid": 0, "abstain": 0, "dont_know": 0, "void": 1}
    assert steps(result, "sheets")[0]["struck"] == [[2, "ballot_all_equal"]]


def test_a_ballot_of_full_marks_is_void_whole() -> None:
    rules = document(ballot={"void_all_full": True})
    rows = [*ballot("r1", a="100", b="100"), *ballot("r2", a="100", b="99"), *ballot("r3", a="100")]
    result = tallied(rules, rows)
    assert told(result) == ["100", "99"]
    assert [one["void"] for one in told(result, "ballots")] == [2, 1]


def test_a_ballot_beyond_its_quota_is_void_whole() -> None:
    rules = document(ballot={"quota": [{"at_least": "90", "most": 1}, {"below": "70", "least": 1}]})
    rows = [
        *ballot("r1", a="90", b="89", c="69"),
        *ballot("r2", a="90", b="95", c="60"),
        *ballot("r3", a="80", b="80", c="80"),
    ]
    result = tallied(rules, rows)
    assert told(result) == ["90", "89", "69"]
    assert [one["void"] for one in told(result, "ballots")] == [2, 2, 2]
    assert {why for _, why in steps(result, "sheets")[0]["struck"]} == {"ballot_quota"}


# After the total --------------------------------------------------------------------------------


def test_bonus_deduction_cap_and_veto_in_the_order_of_the_list() -> None:
    after = [
        {"kind": "bonus", "subject": "a", "value": "4.25", "reason": "示范"},
        {"kind": "deduction", "subject": "b", "value": "1", "reason": "迟交"},
        {"kind": "cap", "value": "100"},
        {"kind": "bonus", "subject": "a", "value": "0.125"},
        {"kind": "veto", "subject": "c", "grade": "poor", "reason": "失实"},
        {"kind": "bonus", "subject": "nobody", "value": "9"},
    ]
    rules = document(after=after, grades=GRADES, rounding={"total": 2})
    rows = [*marks("a", "98"), *marks("b", "81"), *marks("c", "95"), *marks("d", "abstain")]
    result = tallied(rules, rows)
    # 98 + 4.25 = 102.25 → 100, then + 0.125: nothing is rounded any more.
    assert told(result) == ["100.125", "80.00", "95.00", None]
    assert told(result, "grade") == ["excellent", "good", "poor", None]
    assert told(result, "rank") == [1, 3, 2, None]
    assert [one["done"] for one in steps(result, "after")] == [True, True, True, True, True, False]


def test_a_cap_for_one_subject() -> None:
    rules = document(after=[{"kind": "cap", "subject": "a", "value": "60"}])
    assert told(tallied(rules, [*marks("a", "90"), *marks("b", "90")])) == ["60", "90"]


def test_a_vetoed_grade_is_no_part_of_a_quota() -> None:
    """Three subjects, one may be excellent; the best one is vetoed to it and does not use it up."""
    rules = document(
        after=[{"kind": "veto", "subject": "c", "grade": "excellent"}],
        grades=GRADES,
        quota=[{"grade": "excellent", "share": "1/3", "falls_to": "good"}],
    )
    rows = [*marks("a", "95"), *marks("b", "92"), *marks("c", "10")]
    assert told(tallied(rules, rows), "grade") == ["excellent", "good", "excellent"]


def test_a_total_that_no_band_or_grade_takes() -> None:
    bands = document(bands=[{"from": "60", "value": "1"}])
    assert told(tallied(bands, [*marks("a", "59"), *marks("b", "60")])) == [None, "1"]
    grades = document(grades=GRADES[:1])
    assert told(tallied(grades, marks("a", "89")), "grade") == [None]


# Floor, session, ties ---------------------------------------------------------------------------


def test_below_the_floor_nothing_is_told() -> None:
    rules = document(floor=3, grades=GRADES, groups=[{"key": "g"}, {"key": "h"}])
    rows = [
        *marks("a", "90 91 92", group="g"),
        *marks("a", "80 81 82", group="h"),
        *marks("b", "90 91 92", group="g"),
        *marks("b", "80 81 abstain", group="h"),
    ]
    result = tallied(rules, rows)
    assert told(result) == ["86", None]
    assert told(result, "groups")[1] == {"g": None, "h": None}
    assert told(result, "dimensions")[1] == {"overall": None}
    assert told(result, "grade") == ["good", None]
    assert told(result, "rank") == [1, None]
    kinds = {one["step"] for one in result["trace"] if one.get("subject") == "b"}
    assert kinds == {"sheets", "floor"}


def test_the_floor_hides_the_best_too() -> None:
    """The best that others are compared with is the best of those that are shown."""
    rules = document(floor=2, within="best_ratio", best_ratio={"times": "100"})
    rows = [*marks("a", "100"), *marks("b", "80 80"), *marks("c", "40 40")]
    assert told(tallied(rules, rows)) == [None, "100", "50"]


@pytest.mark.parametrize(
    ("session", "valid"),
    [
        ({"present": 23, "due": 45}, True),
        ({"present": 22, "due": 44}, False),
        ({"present": 22, "due": 45}, False),
        ({"present": 40, "due": 45, "returned": 41, "issued": 40}, False),
        ({"present": 40, "due": 45, "returned": 40, "issued": 40}, True),
    ],
)
def test_whether_the_session_counts(session: dict[str, int], valid: bool) -> None:
    """More than half of those due must be present; no more sheets may come back than were issued."""
    quorum = {"share": "1/2", "compare": ">", "of": "due"}
    result = tallied(document(session={**session, "quorum": quorum}), marks("a", "90"))
    assert result["valid"] is valid
    assert told(result) == ["90"]


def test_the_best_single_mark_breaks_a_tie_both_ways() -> None:
    rows = [*marks("a", "80 60"), *marks("b", "75 65"), *marks("c", "90 50")]
    assert told(tallied(document(ties=["highest_mark"]), rows), "rank") == [2, 3, 1]
    ranks = document(ties=["highest_mark"], order="ascending")
    assert told(tallied(ranks, rows), "rank") == [2, 3, 1]


def test_a_best_mark_of_zero_is_nothing_to_compare_with() -> None:
    rules = document(within="best_ratio", best_ratio={"times": "600"})
    with pytest.raises(TallyRefused) as caught:
        tallied(rules, [*marks("a", "0"), *marks("b", "0")])
    assert caught.value.code == "best_is_zero"


def test_a_deduction_is_a_dimension_with_a_factor_below_zero() -> None:
    """The mark stays what was given; it is taken off."""
    rules = document(
        dimensions=[{"key": "overall"}, {"key": "overtime", "factor": "-0.5", "scale": TEN}]
    )
    rows = [*marks("a", "90"), *marks("a", "4", "overtime")]
    result = tallied(rules, rows)
    assert told(result) == ["88"]
    assert told(result, "dimensions") == [{"overall": "90", "overtime": "4"}]


# Composites -------------------------------------------------------------------------------------


def channel(rows: Sequence[BallotRow], key: str) -> list[BallotRow]:
    return [row._replace(channel=key) for row in rows]


COMPOSITE: dict[str, Any] = {
    "version": 1,
    "composite": [
        {"channel": "panel", "weight": "0.7", "rules": document(rounding={"total": 1})},
        {"channel": "report", "weight": "0.3", "rules": document()},
        {
            "channel": "online",
            "weight": "0",
            "rules": document(scale=YES_NO, within="rate", positive=["yes"]),
        },
    ],
    "rounding": {"mode": "half_up", "total": 2},
    "grades": GRADES,
    "ties": ["channel:panel", "office_order"],
}


def test_channels_to_one_total() -> None:
    """a: panel 90 85 = 87.5, report 91: 87.5 × 0.7 + 91 × 0.3 = 61.25 + 27.3 = 88.55. b has no
    report: the panel's 80 alone. Online is shown and weighs nothing."""
    rows = [
        *channel(marks("a", "90 85"), "panel"),
        *channel(marks("a", "91"), "report"),
        *channel(marks("a", "yes no"), "online"),
        *channel(marks("b", "80"), "panel"),
    ]
    result = tallied(COMPOSITE, rows)
    assert told(result) == ["88.55", "80.00"]
    assert told(result, "rank") == [1, 2]
    assert told(result, "grade") == ["good", "good"]
    assert told(result, "channels") == [
        {"panel": "87.5", "report": "91", "online": "0.5"},
        {"panel": "80.0", "report": None, "online": None},
    ]
    assert told(result, "ballots")[0]["valid"] == 5
    assert result["rules_hash"] == rules_hash(parse_rule_set(COMPOSITE))
    assert {one.get("channel") for one in result["trace"]} == {"panel", "report", "online", None}


def test_an_empty_channel_counts_as_zero_or_refuses_where_the_rules_say_so() -> None:
    rows = channel(marks("b", "80"), "panel")
    assert told(tallied({**COMPOSITE, "empty_group": "zero"}, rows)) == ["56.00"]
    with pytest.raises(TallyRefused) as caught:
        tallied({**COMPOSITE, "empty_group": "refuse"}, rows)
    assert caught.value.code == "channel_empty"


def test_a_channel_below_its_floor_leaves_the_subject_without_a_total() -> None:
    floored = {**COMPOSITE["composite"][0], "rules": document(floor=2)}
    rules = {**COMPOSITE, "composite": [floored, *COMPOSITE["composite"][1:]]}
    rows = [*channel(marks("a", "90"), "panel"), *channel(marks("a", "91"), "report")]
    assert told(tallied(rules, rows)) == [None]


def test_a_channel_that_the_rules_do_not_know() -> None:
    rows = [*channel(marks("a", "90"), "panel"), *channel(marks("a", "90"), "tv")]
    with pytest.raises(BallotFileInvalid) as caught:
        tallied(COMPOSITE, rows)
    assert (caught.value.code, caught.value.row, caught.value.column) == (
        "channel_unknown",
        3,
        "channel",
    )


# Counting as it is read -------------------------------------------------------------------------


def test_rows_in_any_order_give_the_same_result() -> None:
    """Raters in order are counted as they come, others are gathered first."""
    rules = document(
        dimensions=[{"key": "overall"}, {"key": "more"}],
        trim={"high": 1, "low": 1, "on": "total"},
        ballot={"void_all_equal": True, "required": "all"},
    )
    rows = [
        BallotRow(subject, f"r{rater}", "", key, str(50 + (rater * 7 + n * 3 + len(key)) % 40))
        for rater in range(1, 8)
        for n, subject in enumerate("abc")
        for key in ("overall", "more")
    ]
    by_subject = sorted(rows, key=lambda row: (row.subject, row.rater, row.dimension))
    one, other = tallied(rules, rows), tallied(rules, by_subject)
    assert {s["subject"]: s for s in one["subjects"]} == {
        s["subject"]: s for s in other["subjects"]
    }
    assert Fraction(one["subjects"][0]["total"] or 0)

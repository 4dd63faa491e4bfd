"""Rule documents and ballots of every kind, drawn from a source of randomness.

The source is `random.Random` in the benches and Hypothesis's own (`st.randoms()`) in the tests, so
that an example that fails is made small.
"""

from __future__ import annotations

from random import Random
from typing import Any

SUBJECTS = ("周局长", "s2", "s,3", 's"4', "s5", "s6")
DIMENSIONS = ("履职", "answers", "d3")
GROUPS = ("deputies", "citizens", "专家")
LABELS = ("good", "fair", "poor", "bad")
WORDS = ("abstain", "dont_know", "void", "")
SHARES = ("1/3", "1/2", "0.5", "2/3", "0.6", "0.25", "1", "0")
COMPARE = (">", ">=", "<", "<=")


def scale(r: Random, labels: bool, points: bool = True) -> dict[str, Any]:
    """A scale of labels, or of numbers."""
    if labels:
        many = r.randint(2, 4)
        rows: list[dict[str, Any]] = [{"key": key, "label": key} for key in LABELS[:many]]
        if points:
            for row, value in zip(rows, (20, 17, 14, 0), strict=False):
                row["points"] = r.choice((str(value), f"{value}.5"))
        return {"kind": "labels", "labels": rows}
    least, most = r.choice((("0", "10"), ("-2", "3.5"), ("60", "100"), ("1", "5")))
    made = {"kind": "number", "min": least, "max": most}
    if r.random() < 0.7:
        made["step"] = r.choice(("1", "0.5", "0.25"))
    return made


def value(r: Random, of: dict[str, Any], pool: dict[str, list[str]]) -> str:
    """A value on the scale: most often a mark, and often one that stood before."""
    if r.random() < 0.12:
        return r.choice(WORDS)
    if of["kind"] == "labels":
        return str(r.choice(of["labels"])["key"])
    own = pool.setdefault(repr(of), [])
    if own and r.random() < 0.4:
        return r.choice(own)
    step = float(of.get("step", "0.125"))
    least = float(of["min"])
    top = int((float(of["max"]) - least) / step)
    made = f"{least + step * r.randint(0, top):.3f}".rstrip("0").rstrip(".")
    own.append(made)
    return made


def share_rule(r: Random) -> dict[str, str]:
    """A share and how it is compared."""
    return {"share": r.choice(SHARES[:-2]), "compare": r.choice(COMPARE[:2])}


def rounding(r: Random, composite: bool = False) -> dict[str, Any]:
    """Every step may be rounded or not."""
    made: dict[str, Any] = {"mode": r.choice(("half_up", "half_even", "down"))}
    for step in ("total",) if composite else ("dimension", "weighted", "group", "total"):
        if r.random() < 0.6:
            made[step] = r.choice((None, 0, 1, 2, 2, 3))
    return made


def weights(r: Random, n: int) -> tuple[str, ...]:
    """Weights of n groups: shares that add up to 1, or a ratio."""
    return r.choice(
        {
            1: (("1",),),
            2: (("0.4", "0.6"), ("2", "1"), ("0", "1"), ("1", "1")),
            3: (("0.2", "0.3", "0.5"), ("1", "2", "3"), ("0.5", "0.5", "0")),
        }[n]
    )


def after(r: Random, grades: list[str]) -> list[dict[str, Any]]:
    """Bonus, deduction, cap and veto."""
    made: list[dict[str, Any]] = []
    for _ in range(r.randint(1, 3)):
        kind = r.choice(("bonus", "deduction", "cap", "veto" if grades else "cap"))
        one: dict[str, Any] = {"kind": kind}
        if kind != "cap" or r.random() < 0.3:
            one["subject"] = r.choice((*SUBJECTS, "nobody"))
        if kind == "veto":
            one["grade"] = r.choice(grades)
        else:
            one["value"] = r.choice(("1", "0.125", "2.5", "7"))
        if kind != "cap":
            one["reason"] = "因为"
        made.append(one)
    return made


def ending(r: Random, made: dict[str, Any], ties: tuple[str, ...], top: float) -> None:
    """Bands, grades, quota, after, order and ties, on a document that has totals."""
    limits = [f"{top * part:.2f}" for part in (0.8, 0.6, 0.4)]
    if r.random() < 0.25:
        bands: list[dict[str, Any]] = [
            {"from": limit, "value": str(200 - 10 * i)} for i, limit in enumerate(limits)
        ]
        if r.random() < 0.7:
            bands.append({"value": "130"})
        made["bands"] = bands
        limits = ["190", "180", "150"]
    grades: list[str] = []
    if r.random() < 0.6:
        made["grades"] = [
            {"grade": "excellent", "from": limits[0]},
            {"grade": "fine", "from": limits[2]},
            {"grade": "poor"},
        ][: r.randint(2, 3)]
        grades = [one["grade"] for one in made["grades"]]
        if r.random() < 0.6:
            made["quota"] = [
                {"grade": "excellent", "share": r.choice(SHARES), "falls_to": "fine"},
                {"grade": "fine", "share": "1/3", "falls_to": grades[-1]},
            ][: 2 if "poor" in grades and r.random() < 0.3 else 1]
    if r.random() < 0.4:
        made["after"] = after(r, grades)
    if r.random() < 0.4:
        made["order"] = r.choice(("descending", "ascending"))
    if r.random() < 0.5:
        keys = [key for key in ties if r.random() < 0.6]
        made["ties"] = keys or "shared"


def document(r: Random) -> dict[str, Any]:
    """One rule set."""
    within = r.choice(
        ("mean", "mean", "sum", "median", "rate", "verdict", "rank_points", "best_ratio")
    )
    counts = within in ("rate", "verdict")
    several = 1 if within == "verdict" else r.choice((1, 1, 2, 3))
    made: dict[str, Any] = {"version": 1, "scale": scale(r, counts or r.random() < 0.3, not counts)}
    if counts and within == "rate" and r.random() < 0.3:
        made["scale"] = scale(r, labels=True)
    dimensions: list[dict[str, Any]] = [{"key": key} for key in DIMENSIONS[:several]]
    for one in dimensions:
        if within != "verdict" and r.random() < 0.4:
            one["factor"] = r.choice(("0.8", "0.5", "2", "-1", "0.333333333333"))
        if not counts and r.random() < 0.2:
            one["scale"] = scale(r, r.random() < 0.5)
    made["dimensions"] = dimensions
    groups = r.choice((0, 1, 2, 2, 3))
    if groups:
        made["groups"] = [
            {"key": key, "weight": weight}
            for key, weight in zip(GROUPS, weights(r, groups), strict=False)
        ]
        made["empty_group"] = r.choice(("renormalise", "renormalise", "zero", "refuse"))
    if within != "mean" or r.random() < 0.5:
        made["within"] = within
    if r.random() < 0.5:
        made["across"] = r.choice(("sum", "mean"))
    if within in ("mean", "sum", "median", "best_ratio") and r.random() < 0.5:
        trim: dict[str, Any] = {"high": r.randint(0, 2), "low": r.randint(0, 2)}
        trim["from"] = trim["high"] + trim["low"] + r.randint(1, 3)
        trim["on"] = r.choice(("dimension", "total", "total", "none"))
        made["trim"] = trim
    if r.random() < 0.7:
        made["rounding"] = rounding(r)
    _ballot(r, made, counts)
    _counting(r, made, within, groups)
    if within != "verdict":
        ties = ("highest_mark", f"dimension:{DIMENSIONS[several - 1]}", "office_order")
        top = {"rate": 1.0, "best_ratio": 600.0, "rank_points": 200.0}.get(within, 12.0)
        ending(r, made, ties if not counts else ties[1:], top * several)
    elif r.random() < 0.3:
        made["after"] = [
            {"kind": "veto", "subject": "s2", "grade": made["verdict"][-1]["grade"], "reason": "r"}
        ]
    if r.random() < 0.3:
        made["floor"] = r.choice((1, 2, 3, 5))
    return made


def _ballot(r: Random, made: dict[str, Any], counts: bool) -> None:
    ballot: dict[str, Any] = {}
    if r.random() < 0.3:
        ballot["required"] = r.choice(("any", "all"))
    if r.random() < 0.2:
        ballot["void_all_equal"] = True
    if r.random() < 0.15 and not counts:
        ballot["void_all_full"] = True
    if r.random() < 0.15 and not counts:
        side = r.choice(("at_least", "below"))
        ballot["quota"] = [{side: r.choice(("5", "17", "3.5")), r.choice(("most", "least")): 2}]
    if ballot:
        made["ballot"] = ballot


def _counting(r: Random, made: dict[str, Any], within: str, groups: int) -> None:
    """The keys of `rate`, `verdict`, `rank_points` and `best_ratio`, and the session."""
    if within == "rate":
        made["positive"] = ["good"] if r.random() < 0.6 else ["good", "fair"]
    if within == "verdict":
        made["verdict"] = [
            {"grade": "satisfied", "positive": ["good"], **share_rule(r)},
            {"grade": "basic", "positive": ["good", "fair"], **share_rule(r)},
            {"grade": "unsatisfied"},
        ][: r.randint(2, 3)]
    if within == "rank_points":
        made["rank_points"] = {"first": "200", "step": r.choice(("2", "0.5", "4"))}
    if within == "best_ratio":
        made["best_ratio"] = {"times": r.choice(("600", "1", "100"))}
    session = {"present": r.randint(3, 14), "due": 15, "members": 16}
    if r.random() < 0.3:
        session |= {"returned": r.randint(2, 9), "issued": r.randint(4, 9)}
    if r.random() < 0.4:
        session["quorum"] = {
            "share": r.choice(("1/2", "2/3")),
            "compare": r.choice((">", ">=")),
            "of": r.choice(("due", "members")),
        }
    if within in ("rate", "verdict"):
        made["denominator"] = r.choice(
            ("valid", "present", "due", "members") if groups < 2 else ("valid",)
        )
    if made.get("denominator", "valid") != "valid" or r.random() < 0.3:
        made["session"] = session
    if within == "rate" and len(made["dimensions"]) == 1 and r.random() < 0.4:
        made["bands"] = [
            {"from": "0.5", "value": "200"},
            {
                "when": {"of": ["fair"], "share": "1/3", "compare": r.choice(COMPARE)},
                "value": "160",
            },
            {"value": "130"},
        ]


def composite(r: Random) -> dict[str, Any]:
    """Two or three rule sets put together."""
    n = r.randint(2, 3)
    shares = r.choice((("0.7", "0.3", "0"), ("0.5", "0.5", "0"))) if n == 3 else ("0.6", "0.4")
    parts = []
    for channel, weight in zip(("panel", "online", "written"), shares, strict=False):
        own = document(r)
        while own.get("within") == "verdict":
            own = document(r)
        parts.append({"channel": channel, "weight": weight, "rules": own})
    made: dict[str, Any] = {"version": 1, "composite": parts}
    if r.random() < 0.7:
        made["rounding"] = rounding(r, composite=True)
    ending(r, made, ("channel:panel", "channel:online", "office_order"), 20.0)
    if r.random() < 0.5:
        made["empty_group"] = r.choice(("renormalise", "zero", "refuse"))
    if r.random() < 0.2:
        made["floor"] = r.choice((2, 6))
    return made


def ballots(r: Random, rules: dict[str, Any], most: int = 9) -> list[tuple[str, ...]]:
    """Rows that fit the rules, in the order of subjects, then of raters."""
    if "composite" in rules:
        rows = [
            (*row, one["channel"])
            for one in rules["composite"]
            for row in ballots(r, one["rules"], most)
        ]
        r.shuffle(rows)
        return rows
    groups = [one["key"] for one in rules.get("groups", ())]
    n = r.randint(1, most)
    raters = [(f"seat-{i:03d}-3f9a1c7e5b02", r.choice(groups) if groups else "") for i in range(n)]
    pool: dict[str, list[str]] = {}
    rows = []
    for subject in SUBJECTS[: r.randint(1, len(SUBJECTS))]:
        for rater, group in raters:
            if r.random() < 0.1:
                continue
            for one in rules["dimensions"]:
                if r.random() < 0.1:
                    continue
                on = one.get("scale") or rules["scale"]
                rows.append((subject, rater, group, one["key"], value(r, on, pool)))
    return rows

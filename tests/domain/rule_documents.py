"""Rule sets of each kind, and how a test changes one place of them."""

import copy
from typing import Any

NUMBER = {"kind": "number", "min": "0", "max": "10", "step": "0.25"}
LABELS = {
    "kind": "labels",
    "labels": [
        {"key": "good", "label": "好", "points": "20"},
        {"key": "fair", "label": "一般", "points": "17"},
        {"key": "poor", "label": "差", "points": "14"},
    ],
}
LEAST: dict[str, Any] = {"version": 1, "scale": NUMBER, "dimensions": [{"key": "skating"}]}
FULL: dict[str, Any] = {
    "version": 1,
    "scale": NUMBER,
    "dimensions": [{"key": "skating", "factor": "0.8"}, {"key": "answers", "scale": LABELS}],
    "groups": [{"key": "deputies", "weight": "0.4"}, {"key": "citizens", "weight": "0.6"}],
    "empty_group": "zero",
    "ballot": {"required": "all", "void_all_equal": False, "void_all_full": False},
    "within": "median",
    "across": "mean",
    "trim": {"high": 1, "low": 2, "from": 5, "on": "total"},
    "denominator": "valid",
    "rounding": {"mode": "half_even", "dimension": 2, "weighted": 3, "group": None, "total": 1},
    "order": "ascending",
    "ties": ["dimension:skating", "highest_mark", "office_order"],
    "floor": 0,
}
PLAIN_LABELS = {
    "kind": "labels",
    "labels": [{"key": "good"}, {"key": "fair"}, {"key": "poor"}],
}
RATE: dict[str, Any] = {
    "version": 1,
    "scale": PLAIN_LABELS,
    "dimensions": [{"key": "overall"}],
    "within": "rate",
    "positive": ["good"],
    "denominator": "due",
    "session": {
        "present": 29,
        "due": 45,
        "members": 50,
        "returned": 29,
        "issued": 29,
        "quorum": {"share": "1/2", "compare": ">", "of": "due"},
    },
    "bands": [
        {"from": "0.9", "value": "200"},
        {"from": "0.6", "value": "170"},
        {"when": {"of": ["fair", "poor"], "share": "1/3", "compare": "<"}, "value": "160"},
        {"value": "130"},
    ],
    "after": [
        {"kind": "bonus", "subject": "s1", "value": "2", "reason": "示范"},
        {"kind": "deduction", "subject": "s2", "value": "1", "reason": "迟交"},
        {"kind": "cap", "value": "200"},
        {"kind": "cap", "subject": "s1", "value": "190"},
        {"kind": "veto", "subject": "s3", "grade": "unfit", "reason": "失实"},
    ],
    "grades": [
        {"grade": "excellent", "from": "190"},
        {"grade": "fit", "from": "160"},
        {"grade": "unfit"},
    ],
    "quota": [{"grade": "excellent", "share": "1/3", "falls_to": "fit"}],
    "floor": 3,
}
VERDICT: dict[str, Any] = {
    "version": 1,
    "scale": PLAIN_LABELS,
    "dimensions": [{"key": "overall"}],
    "within": "verdict",
    "denominator": "members",
    "session": {"members": 29},
    "verdict": [
        {"grade": "satisfied", "positive": ["good"], "share": "1/2", "compare": ">="},
        {"grade": "basic", "positive": ["good", "fair"], "share": "0.5", "compare": ">="},
        {"grade": "unsatisfied"},
    ],
}
COMPOSITE: dict[str, Any] = {
    "version": 1,
    "composite": [
        {"channel": "panel", "weight": "0.7", "rules": LEAST},
        {"channel": "online", "weight": "0.3", "rules": {**RATE, "denominator": "valid"}},
        {"channel": "room", "weight": "0", "rules": LEAST},
    ],
    "rounding": {"total": 2},
    "ties": ["channel:panel", "office_order"],
}
DROP = object()


def changed(*steps: Any, base: dict[str, Any] = FULL) -> dict[str, Any]:
    """A copy of `base` where the last of `steps` stands at the path of those before it."""
    *path, last, value = steps
    document = copy.deepcopy(base)
    place: Any = document
    for step in path:
        place = place[step]
    if value is DROP:
        del place[last]
    else:
        place[last] = value
    return document

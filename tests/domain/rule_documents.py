"""Two rule sets, the fullest and the least, and how a test changes one place of them."""

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

"""Five rounds that stand for all: grouped, plain, secret, of several channels, and the public's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any

from server.reports.bundle import Bundle, Material
from tests.reports.making import TOOLS, bundle, panel_material, public_material

NUMBER = {"kind": "number", "min": "0", "max": "10", "step": "0.5"}
LABELS = {
    "kind": "labels",
    "labels": [
        {"key": key, "label": label, "points": points}
        for key, label, points in (
            ("good", "好", "20"),
            ("fair", "一般", "17"),
            ("poor", "差", "14"),
        )
    ],
}
STEPS = {"mode": "half_up", "dimension": 2, "weighted": 2, "group": None, "total": 2}
GROUPED: dict[str, Any] = {
    "version": 1,
    "scale": NUMBER,
    "dimensions": [{"key": "履职", "factor": "0.6"}, {"key": "答复", "factor": "0.4"}],
    "groups": [
        {"key": "deputies", "weight": "0.4"},
        {"key": "citizens", "weight": "0.4"},
        {"key": "专家", "weight": "0.2"},
    ],
    "trim": {"high": 1, "low": 1, "from": 5, "on": "dimension"},
    "rounding": STEPS,
    "grades": [{"grade": "优秀", "from": "5"}, {"grade": "一般"}],
    "quota": [{"grade": "优秀", "share": "1/3", "falls_to": "一般"}],
}
PLAIN: dict[str, Any] = {
    "version": 1,
    "scale": LABELS,
    "dimensions": [{"key": "总体"}],
    "trim": {"high": 2, "low": 2, "on": "total"},
    "rounding": STEPS,
    "ties": ["highest_mark", "office_order"],
}
SECRET: dict[str, Any] = {
    "version": 1,
    "scale": {"kind": "labels", "labels": [{"key": key} for key in ("满意", "基本满意", "不满意")]},
    "dimensions": [{"key": "总体"}],
    "within": "verdict",
    "denominator": "due",
    "session": {"present": 14, "due": 15, "members": 20},
    "verdict": [
        {"grade": "满意", "positive": ["满意"], "share": "1/2", "compare": ">="},
        {"grade": "不满意"},
    ],
    "floor": 5,
}
CHANNELS: dict[str, Any] = {
    "version": 1,
    "composite": [
        {"channel": "panel", "weight": "0.7", "rules": GROUPED},
        {"channel": "online", "weight": "0.3", "rules": PLAIN},
    ],
    "rounding": {"mode": "half_even", "total": 3},
}
SUBJECTS = ("周局长", "李,主任", 's"3')
SEATS = (("deputies", 7), ("citizens", 6), ("专家", 2))


def rows_of(r: Random, rules: Mapping[str, Any], channel: tuple[str, ...] = ()) -> list[Any]:
    """Every seat's marks."""
    scale = rules["scale"]
    values = (
        [str(n / 2) for n in range(8, 21)]
        if scale["kind"] == "number"
        else [one["key"] for one in scale["labels"]]
    )
    seats = [group for group, n in SEATS for _ in range(n)]
    return [
        (
            subject,
            f"seat-{seat:02d}-8c31f07ad2e94b56",
            group,
            one["key"],
            r.choice(values),
            *channel,
        )
        for subject in SUBJECTS
        for seat, group in enumerate(seats)
        for one in rules["dimensions"]
        if r.random() < 0.95
    ]


def material_of(name: str, tools: Mapping[str, bytes] = TOOLS) -> Material:
    """What the round `name` is made from."""
    r = Random(7)
    if name == "public":
        return public_material(r, [r.choice(("good", "fair", "poor")) for _ in range(60)], tools)
    if name == "channels":
        rows = rows_of(r, GROUPED, ("panel",)) + rows_of(r, PLAIN, ("online",))
        return panel_material(r, CHANNELS, rows, tools=tools)
    rules = {"grouped": GROUPED, "plain": PLAIN, "secret": SECRET}[name]
    secrecy = "secret" if name == "secret" else "named"
    return panel_material(r, rules, rows_of(r, rules), secrecy, tools)


@cache
def bundle_of(name: str) -> Bundle:
    """The bundle of the round `name`."""
    return bundle(material_of(name))


ROUNDS = ("grouped", "plain", "secret", "channels", "public")
EDITIONS = ("public", "sealed")

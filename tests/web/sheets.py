"""Sheets of every kind that a tablet must show well: one official and thirty, numbers, labels, quotas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from server.domain.view import HearingView, SubjectView
from tests.web.views import RULES, panel_open, panel_round

_SURNAMES = "糜亓郗逄阚郏宓麴訾澹"
_GIVEN = ("知屿", "砚舟", "望棠")
OFFICIALS = tuple(
    SubjectView(
        f"s{i + 1:02d}", _SURNAMES[i % 10] + _GIVEN[i // 10], "党组书记、局长", f"云澜市第{i + 1}局"
    )
    for i in range(30)
)
HUNDRED = {"kind": "number", "min": "0", "max": "100", "step": "1"}
QUOTAS = {
    "version": 1,
    "scale": HUNDRED,
    "dimensions": [{"key": "overall"}],
    "ballot": {
        "quota": [{"at_least": "90", "most": 3}, {"below": "70", "least": 1}],
        "void_all_equal": True,
    },
    "within": "mean",
}
VERDICT = {
    "version": 1,
    "scale": {
        "kind": "labels",
        "labels": [
            {"key": "excellent", "label": "优秀"},
            {"key": "competent", "label": "称职"},
            {"key": "basic", "label": "基本称职"},
            {"key": "unfit", "label": "不称职"},
        ],
    },
    "dimensions": [{"key": "overall"}],
    "within": "verdict",
    "verdict": [
        {"grade": "excellent", "positive": ["excellent"], "share": "2/3", "compare": ">="},
        {"grade": "competent"},
    ],
}
FACTORS = {
    "version": 1,
    "scale": {"kind": "number", "min": "0", "max": "10"},
    "dimensions": [
        {"key": "work", "factor": "0.7"},
        {"key": "conduct", "factor": "0.3"},
        {"key": "fined", "factor": "-1", "scale": HUNDRED},
    ],
    "within": "mean",
    "across": "mean",
}
WORDS = {"overall": "综合评分", "work": "工作实绩", "conduct": "作风", "fined": "扣分"}


def _held(officials: tuple[SubjectView, ...], rules: Mapping[str, Any], **more: Any) -> HearingView:
    round_ = panel_round(
        subjects=tuple(one.key for one in officials),
        rules=rules,
        labels={**panel_round().labels, **WORDS},
        **more,
    )
    return replace(panel_open(), subjects=officials, rounds=(round_,))


SHEETS: Mapping[str, Callable[[], HearingView]] = {
    "sheet_one": lambda: _held(OFFICIALS[:1], RULES),
    "sheet_thirty": lambda: _held(OFFICIALS, RULES, secrecy="secret"),
    "sheet_quotas": lambda: _held(OFFICIALS[:8], QUOTAS),
    "sheet_verdict": lambda: _held(OFFICIALS[:3], VERDICT),
    "sheet_texts": lambda: _held(
        OFFICIALS[:2], RULES, comments=True, reason_below="60", secrecy="secret"
    ),
    "sheet_factors": lambda: _held(OFFICIALS[:2], FACTORS),
}

"""A rate is read as a percentage; what is no rate any more is not."""

from typing import Any

import pytest

from server.domain.marks_shown import reading
from tests.domain.rule_documents import FULL, PLAIN_LABELS, RATE

TWO = [{"key": "overall"}, {"key": "answers"}]
PLAIN: dict[str, Any] = {
    "version": 1,
    "scale": PLAIN_LABELS,
    "dimensions": [{"key": "overall"}],
    "within": "rate",
    "positive": ["good"],
}


@pytest.mark.parametrize(
    ("document", "total", "mark"),
    [
        (PLAIN, "85.71%", "85.71%"),
        (PLAIN | {"dimensions": TWO, "across": "mean"}, "85.71%", "85.71%"),
        (PLAIN | {"after": RATE["after"][:1]}, "0.8571", "85.71%"),
        (PLAIN | {"bands": RATE["bands"]}, "0.8571", "85.71%"),
        (PLAIN | {"dimensions": TWO}, "0.8571", "0.8571"),
        (PLAIN | {"dimensions": [{"key": "overall", "factor": "100"}]}, "0.8571", "0.8571"),
        (FULL, "0.8571", "0.8571"),
        (None, "0.8571", "0.8571"),
    ],
    ids=["rate", "mean of rates", "bonus", "bands", "sum of rates", "factor", "marks", "no rules"],
)
def test_a_rate_is_read_as_a_percentage(
    document: dict[str, Any] | None, total: str, mark: str
) -> None:
    read = reading(document)
    assert (read.total("0.8571"), read.mark("0.8571")) == (total, mark)

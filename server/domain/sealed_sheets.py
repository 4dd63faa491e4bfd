"""A panelist's sheet as it goes into its box: all of one round have the same size.

A box tells how much is in it. So each sheet is filled up to the size of the longest that the round's
rules allow, and a box says nothing about what a seat has written, not even how much.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from server.domain.comments import LONGEST
from server.domain.exact import MOST_PLACES
from server.domain.rules import WORDS, Dimension, LabelScale, Rules

FILLER = b" "
_SIGN_AND_POINT = 2
MOST_BYTES = 6
"""Bytes of one character in JSON, at most: four in UTF-8, six where it is escaped."""


def pack(
    rules: Rules,
    subjects: Sequence[str],
    marks: Mapping[str, Mapping[str, str]],
    recused: Sequence[str],
    texts: Mapping[str, str] | None = None,
) -> bytes:
    """The checked sheet (`ballots.rows_of`) in the one size of its round. `texts` are None where
    nothing is written beside the marks."""
    sheet: dict[str, object] = {"marks": marks, "recused": list(recused)}
    if texts is not None:
        sheet["texts"] = texts
    content = _bytes(sheet)
    size = _size(rules, subjects, texts=texts is not None)
    if len(content) > size:
        raise ValueError("a sheet is longer than its round's longest")
    return content.ljust(size, FILLER)


def unpack(content: bytes) -> tuple[Mapping[str, Mapping[str, Any]], tuple[str, ...]]:
    """(marks, recused) of a packed sheet, still to be checked. Raises `ValueError`."""
    try:
        sheet = json.loads(content)
        return sheet["marks"], tuple(sheet["recused"])
    except (TypeError, KeyError) as error:
        raise ValueError("this is no sheet") from error


def texts_of(content: bytes) -> Mapping[str, str]:
    """subject → text of a packed sheet. Raises `ValueError`."""
    found = json.loads(content).get("texts", {})
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise ValueError("this is no sheet")
    return found


def _size(rules: Rules, subjects: Sequence[str], *, texts: bool = False) -> int:
    """Bytes of a sheet that marks every dimension of every subject with the longest value there is,
    names every subject as recused too, and has the longest text of each where there are any."""
    longest = {d.key: "x" * _longest(d) for d in rules.dimensions}
    sheet: dict[str, object] = {
        "marks": dict.fromkeys(subjects, longest),
        "recused": list(subjects),
    }
    if texts:
        sheet["texts"] = dict.fromkeys(subjects, "x" * LONGEST * MOST_BYTES)
    return len(_bytes(sheet))


def _longest(dimension: Dimension) -> int:
    """Bytes of the longest value."""
    scale = dimension.scale
    if isinstance(scale, LabelScale):
        return max(len(_quoted(key)) for key in (*scale.keys, *WORDS))
    whole = max(abs(int(scale.minimum)), abs(int(scale.maximum)))
    digits = len(str(whole)) + MOST_PLACES + _SIGN_AND_POINT
    return max(digits, *(len(word) for word in WORDS))


def _quoted(key: str) -> bytes:
    """A key in JSON without its quotes, in UTF-8."""
    return json.dumps(key, ensure_ascii=False).encode()[1:-1]


def _bytes(sheet: object) -> bytes:
    return json.dumps(sheet, ensure_ascii=False, separators=(",", ":")).encode()

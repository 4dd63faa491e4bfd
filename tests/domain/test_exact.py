"""Exact numbers and their text: nothing is lost on the way there and back."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.exact import as_percent, decimal_of, exact_text, places_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(20), "20"),
        (Fraction(-20), "-20"),
        (Fraction(15, 2), "7.5"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(1, 200), "0.005"),
        (Fraction(260, 3), "260/3"),
        (Fraction(-1, 3), "-1/3"),
        (Fraction(1, 10**12), "0.000000000001"),
        (Fraction(1, 2**12), "0.000244140625"),
        (Fraction(1, 2**13), "1/8192"),
        (Fraction(1, 10**13), "1/10000000000000"),
    ],
)
def test_exact_text(value: Fraction, text: str) -> None:
    assert exact_text(value) == text


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (Fraction(15, 2), 2, "7.50"),
        (Fraction(0), 2, "0.00"),
        (Fraction(0), 0, "0"),
        (Fraction(-3), 0, "-3"),
        (Fraction(-1, 100), 2, "-0.01"),
        (Fraction(1, 100), 3, "0.010"),
        (Fraction(12345, 100), 2, "123.45"),
    ],
)
def test_places_text(value: Fraction, places: int, text: str) -> None:
    assert places_text(value, places) == text


@given(st.fractions())
def test_text_reads_back(value: Fraction) -> None:
    assert Fraction(exact_text(value)) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=0, max_value=10**15))
def test_decimals_read_back(value: Any) -> None:
    assert decimal_of(f"{value:f}") == Fraction(value)


@pytest.mark.parametrize(
    ("mark", "read"),
    [
        ("0.8571", "85.71%"),
        ("0.85", "85%"),
        ("0.5", "50%"),
        ("1", "100%"),
        ("1.0000", "100.00%"),
        ("0", "0%"),
        ("0.050", "5.0%"),
        ("-0.0050", "-0.50%"),
        ("6/7", "6/7"),
        ("—", "—"),
    ],
)
def test_a_share_is_read_as_a_percentage_with_its_own_places(mark: str, read: str) -> None:
    assert as_percent(mark) == read

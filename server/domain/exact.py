"""Exact numbers: as text and back, a plain decimal where there is one, else a reduced fraction; and the
named roundings."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal

RoundingMode = Literal["half_up", "half_even", "down"]

MOST_PLACES = 12
"""Decimal places that a decimal, a value or a rounding step may have."""

_DECIMAL = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,12})?", re.ASCII)


def decimal_of(text: str) -> Fraction | None:
    """The number that a plain decimal such as `-0.25` names; None when it is anything else.

    No sign but `-`, no exponent, no bare point, at most 18 digits before it and 12 after.
    """
    return Fraction(text) if _DECIMAL.fullmatch(text) else None


def exact_text(value: Fraction) -> str:
    """An unrounded mark: the decimal without trailing zeros where it ends within 12 places,
    else the reduced fraction, e.g. `7.5`, `20`, `260/3`."""
    twos, fives, rest = 0, 0, value.denominator
    while rest % 2 == 0:
        twos, rest = twos + 1, rest // 2
    while rest % 5 == 0:
        fives, rest = fives + 1, rest // 5
    places = max(twos, fives)
    if rest != 1 or places > MOST_PLACES:
        return f"{value.numerator}/{value.denominator}"
    return places_text(value, places)


def places_text(value: Fraction, places: int) -> str:
    """A mark that was rounded to `places`: exactly so many places, e.g. `7.50`.

    `value` must end within `places`; zero has no sign.
    """
    scaled = value * 10**places
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    sign = "-" if scaled < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def rounded(value: Fraction, places: int | None, mode: RoundingMode) -> Fraction:
    """`value` at `places` decimal places, as it is when `places` is None.

    `half_up` takes an exact half away from zero, `half_even` to the even digit, `down` towards 0.
    """
    if places is None:
        return value
    scale = 10**places
    whole, rest = divmod(abs(value.numerator) * scale, value.denominator)
    twice = 2 * rest
    if mode == "half_up":
        whole += twice >= value.denominator
    elif mode == "half_even":
        whole += twice > value.denominator or (twice == value.denominator and whole % 2 == 1)
    return Fraction(-whole if value < 0 else whole, scale)


def mark_text(value: Fraction | None, places: int | None) -> str | None:
    """A mark as a result prints it: with exactly its places where it fits within them, else (a total
    that a band, bonus or cap has changed, or one that is not rounded) exactly."""
    if value is None:
        return None
    if places is None or (value * 10**places).denominator != 1:
        return exact_text(value)
    return places_text(value, places)


def percent(part: int, whole: int) -> str:
    """A share with one place, rounded half up, e.g. `66.7%`; `0.0%` of nothing."""
    if not whole:
        return "0.0%"
    tenths = (2000 * part + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10}%"


def as_percent(mark: str) -> str:
    """A share as people read it, with the places that it has: `0.8571` is `85.71%`. What is no plain
    decimal (`6/7`, `—`) stays as it is."""
    value = decimal_of(mark)
    if value is None:
        return mark
    _, _, places = mark.partition(".")
    return f"{places_text(value * 100, max(0, len(places) - 2))}%"


def number_of(text: str | None) -> Fraction | None:
    """The number that a mark in a result names, a decimal or a reduced fraction; None where there is
    none."""
    try:
        return None if text is None else Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None

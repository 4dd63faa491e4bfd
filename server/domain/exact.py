"""Exact numbers as text, and back: a plain decimal where there is one, else a reduced fraction."""

from __future__ import annotations

import re
from fractions import Fraction

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

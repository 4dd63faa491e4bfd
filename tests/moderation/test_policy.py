"""The one cleaning of texts, and their limits."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.policy import (
    PolicyRefusal,
    check_imported_text,
    check_question_text,
    check_stage_text,
    clean_public_text,
)

FAMILY = "👨\u200d👩\u200d👧"
HEART_ON_FIRE = "❤\ufe0f\u200d🔥"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  何时\u3000通水？\n", "何时\u3000通水？"),
        ("一\r\n二\r三\u2028四", "一\n二\n三\n四"),
        ("一\n\n\n\n二\n \t\n\u3000\n三", "一\n\n二\n\n三"),
        ("甲\t乙", "甲 乙"),
        ("甲\u0000\u0007\u001b乙", "甲乙"),
        ("甲\u202e\u2066\u200f\u061c乙", "甲乙"),
        ("甲\ufeff\u200b\u2060\u00ad\u180e乙", "甲乙"),
        ("甲\U000e0041乙\ufdd0\uffff", "甲乙"),
        ("甲\ud800乙", "甲乙"),
        ("e\u0301 \u212b", "é Å"),
        ("\u3164\u2800\u115f", ""),
        (FAMILY, FAMILY),
        (HEART_ON_FIRE, HEART_ON_FIRE),
        ("甲\u200d乙", "甲乙"),
        ("👨\u200d甲", "👨甲"),
        ("\u200d👨\u200d", "👨"),
        ("x" + "\u0335" * 9, "x\u0335\u0335"),
        ("で\u3099\u3099\u3099", "で\u3099\u3099"),
        ("བསྒྲུབས", "བསྒྲུབས"),
        ("ภาษาที่", "ภาษาที่"),
    ],
)
def test_clean(text: str, clean: str) -> None:
    assert clean_public_text(text) == clean


SPICE = st.sampled_from("\u200d\ufe0f👨👩\u0301\u0335e\n\r\t \u3000\u202e\ufeff\u3164甲1")


@given(st.text(SPICE | st.characters(), max_size=40))
def test_cleaning_holds_its_promises(text: str) -> None:
    clean = clean_public_text(text)
    assert clean_public_text(clean) == clean
    assert clean == clean.strip()
    assert unicodedata.is_normalized("NFC", clean)
    assert "\n\n\n" not in clean
    kinds = [unicodedata.category(char) for char in clean if char not in "\n\u200d"]
    assert not {"Cc", "Cf", "Cs"} & set(kinds)
    clean.encode()


@pytest.mark.timeout(10)
@pytest.mark.parametrize("text", [" " * 60_000 + "x", "\n " * 30_000, "e" + "\u0301" * 60_000])
def test_no_text_takes_long(text: str) -> None:
    clean_public_text(text)


@pytest.mark.parametrize(
    ("check", "low", "high", "too_long"),
    [
        (check_question_text, 2, 500, "text_too_long"),
        (check_imported_text, 1, 20_000, "text_too_long"),
        (check_stage_text, 1, 600, "text_too_long_for_stage"),
    ],
)
def test_limits(check, low: int, high: int, too_long: str) -> None:  # type: ignore[no-untyped-def]
    assert check(f"  {'字' * low}\n") == "字" * low
    assert len(check("字" * high)) == high
    with pytest.raises(PolicyRefusal) as short:
        check(" \u200b" + "字" * (low - 1))
    assert (short.value.code, short.value.detail) == (
        "text_too_short",
        {"length": low - 1, "min": low},
    )
    with pytest.raises(PolicyRefusal) as long:
        check("字" * (high + 1))
    assert (long.value.code, long.value.detail) == (too_long, {"length": high + 1, "max": high})

"""The one cleaning of texts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.policy import clean_public_text

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

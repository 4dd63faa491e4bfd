"""Word lists flag whole words of a segmented text, tell the place, and leave the text as it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.screening.words import (
    WORD_LONGEST,
    Flag,
    WordLists,
    flags_of,
    keys_of,
    read_word_lists,
)

LISTS = read_word_lists(
    {
        "insults": "# 脏话\n王八蛋\n他妈的  # 常见\n性\n奶\n妈妈的\n\nＡＢＣ\n",
        "politics": "强拆\n王八蛋\n还我血汗钱\n",
        "allow-names": "强拆办公室\n",
    }
)


def said(text: str, lists: WordLists = LISTS) -> list[tuple[str, str]]:
    return [(flag.list, text[flag.start : flag.end]) for flag in flags_of(text, lists)]


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("他妈的，路灯又坏了", [("insults", "他妈的")]),
        ("王八蛋才不修", [("insults", "王八蛋"), ("politics", "王八蛋")]),
        ("他们强拆了我的房子", [("politics", "强拆")]),
        ("请还我血汗钱！", [("politics", "还我血汗钱")]),
        ("ａｂｃ是什么", [("insults", "ａｂｃ")]),
        ("abc 是什么", [("insults", "abc")]),
        ("写了一个“性”字", [("insults", "性")]),
        # What only holds a word's characters, not the word.
        ("公益性岗位的可能性", []),
        ("牛奶和奶粉", []),
        ("妈妈的房子", []),
        ("abcd 和 xabc", []),
        ("路灯不亮", []),
        # An allowed phrase takes the flag of what lies within it.
        ("强拆办公室在哪里", []),
        ("", []),
    ],
)
def test_whole_words_are_flagged(text: str, flagged: list[tuple[str, str]]) -> None:
    assert said(text) == flagged


def test_of_two_that_overlap_the_longer_counts() -> None:
    lists = read_word_lists({"a": "血汗钱\n还我血汗钱"})
    assert said("请还我血汗钱！", lists) == [("a", "还我血汗钱")]


def test_an_allowed_word_is_never_flagged() -> None:
    assert said("他们强拆了", read_word_lists({"a": "强拆", "allow": "强拆"})) == []


def test_what_is_kept_names_list_and_word_once() -> None:
    flags = flags_of("他妈的！ＡＢＣ，abc", LISTS)
    assert keys_of(flags) == ("insults:他妈的", "insults:abc")
    assert flags[0] == Flag(0, 3, "insults", "他妈的")


def test_nothing_in_a_list_is_an_error() -> None:
    text = "\ufeff\n#\n # 只有注释\n12345\n。。\n" + "字" * (WORD_LONGEST + 1) + "\n强拆\r\n强拆\n"
    lists = read_word_lists({"a": text})
    assert list(lists.words) == ["强拆"]
    assert not read_word_lists({})
    assert flags_of("强拆", read_word_lists({"a": ""})) == ()


PIECES = st.sampled_from(["他妈的", "ＡＢＣ", "王八蛋", "强拆办公室", "性", "İ", "，", " ", "路灯"])


@given(st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join))
def test_every_flag_tells_its_place(text: str) -> None:
    for flag in flags_of(text, LISTS):
        assert 0 <= flag.start < flag.end <= len(text)
        assert text[flag.start : flag.end].lower() in (flag.word, "ａｂｃ")
        assert flag.list in LISTS.words[flag.word]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["他妈的" * 7_000, "性" * 20_000, "强拆办公室" * 4_000])
def test_no_text_takes_long(text: str) -> None:
    flags_of(text, LISTS)


@pytest.mark.alone
def test_a_text_without_a_listed_word_costs_little_more_than_reading_it() -> None:
    """Segmenting is many times as dear, so only texts in which something occurs are segmented."""
    plain, hit = "路灯不亮，请尽快派人来看。" * 30, "他们强拆了房子，请尽快派人来看。" * 25
    spent = []
    for text in (plain, hit):
        began = time.perf_counter()
        for _ in range(2_000):
            flags_of(text, LISTS)
        spent.append(time.perf_counter() - began)
    assert spent[0] * 4 < spent[1]

"""A refusal tells a state by the word that people have for it; programs find its code in the detail."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from server.domain import hearing, questions, rounds, words
from server.domain.refusals import CATALOGUE, Refusal
from server.domain.words import Words

STATED = [
    (code, name, key)
    for code, row in CATALOGUE.items()
    for name, called in row.words.items()
    for key in called
]
LIVE = hearing.Hearing(hearing.Ref(1, 1, 1), "slug", "title", "live", 1, "real", "epoch")
CODE = re.compile(r"[a-z]+_[a-z_]+")


@pytest.mark.parametrize(("code", "name", "key"), STATED)
def test_a_state_is_said_in_words(code: str, name: str, key: str) -> None:
    row = CATALOGUE[code]
    refusal = Refusal(code, **{**{n: next(iter(w)) for n, w in row.words.items()}, name: key})
    zh, en = row.words[name][key]
    assert f"“{zh}”" in refusal.message("zh")
    assert f"“{en}”" in refusal.message("en")
    assert not re.search("[a-z]", refusal.message("zh"))
    assert not CODE.search(refusal.message("en"))
    assert refusal.detail_in("zh")[name] == refusal.detail_in("en")[name] == key


def test_every_sentence_that_tells_a_state_has_its_words() -> None:
    telling = {
        (code, name)
        for code, row in CATALOGUE.items()
        for name in ("now", "wanted", "lease")
        if f"{{{name}}}" in row.zh + row.en and code != "roles_conflict"  # told as pairs of names
    }
    assert telling == {(code, name) for code, row in CATALOGUE.items() for name in row.words}


@pytest.mark.parametrize(
    ("called", "states"),
    [
        (words.HEARING, hearing.STATUS_NEXT),
        (words.QUESTION, questions.STATES),
        (words.PHASE, questions.PHASES),
        (words.ROUND, rounds.STATES),
        (words.LEASE, hearing.LEASES),
    ],
)
def test_every_state_has_a_word(called: Words, states: Iterable[str]) -> None:
    assert set(called) == set(states)


def test_a_step_that_the_rules_refuse_is_told_in_words() -> None:
    with pytest.raises(Refusal) as caught:
        hearing.change_status(LIVE, "archived")
    assert caught.value.message("zh") == "场次现在是“进行中”，不能变为“已归档”。"
    assert caught.value.message("en") == "The hearing is “Live”: it cannot become “Archived”."
    assert caught.value.detail == {"now": "live", "wanted": "archived"}


def test_a_text_is_short_whatever_it_is() -> None:
    """It is said of messages, titles and names too, so it speaks of no question."""
    assert Refusal("text_too_short", least=2).message("zh") == "至少 2 个字。"

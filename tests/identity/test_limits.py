"""Signing in: a full hall behind one address gets in, and guessing gets nowhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import time_machine

from server.domain.refusals import Refusal
from server.identity.limits import AT_ONCE, Limiter
from server.settings import Settings

pytestmark = pytest.mark.anyio
HALL = "10.8.0.1"


@pytest.fixture
def limiter(tmp_path: Path) -> Limiter:
    """A fresh count."""
    return Limiter(Settings(data=tmp_path, trusted_nets=("192.168.0.0/16",)))


async def right(limiter: Limiter, address: str, login: str) -> bool:
    """Whether a right password gets its owner in."""
    try:
        async with limiter.guess(address, login):
            return True
    except Refusal as refusal:
        assert refusal.code == "too_many"
        assert refusal.detail["retry_after"] > 0
        return False


async def wrong(limiter: Limiter, address: str, login: str) -> bool:
    """Whether a wrong password is looked at at all."""
    try:
        async with limiter.guess(address, login):
            await asyncio.sleep(0)  # As long as the real look takes, others come in between.
            raise Refusal("bad_login")
    except Refusal as refusal:
        return refusal.code == "bad_login"


async def test_a_hall_signs_in_from_one_address_at_nine(limiter: Limiter) -> None:
    entered = await asyncio.gather(*(right(limiter, HALL, f"person-{n}") for n in range(200)))
    again = [await right(limiter, HALL, "person-1") for _ in range(20)]
    assert all(entered)
    assert all(again)


async def test_one_account_is_not_guessed_at(limiter: Limiter) -> None:
    spelled = ("root", "ROOT", " root", "root ", "Root", "root")
    assert [await wrong(limiter, HALL, one) for one in spelled] == [True] * 5 + [False]
    assert not await right(limiter, HALL, "root")
    assert await right(limiter, HALL, "somebody-else")
    assert await right(limiter, "10.8.0.2", "root")


async def test_one_account_is_not_guessed_at_from_everywhere(limiter: Limiter) -> None:
    tries = [await wrong(limiter, f"10.9.{n // 4}.1", "root") for n in range(101)]
    assert tries == [True] * 100 + [False]
    assert await right(limiter, "10.9.200.1", "somebody-else")


async def test_one_address_does_not_try_all_accounts(limiter: Limiter) -> None:
    tries = [await wrong(limiter, HALL, f"person-{n}") for n in range(61)]
    assert tries == [True] * 60 + [False]
    assert not await right(limiter, HALL, "honest")
    assert await right(limiter, "10.8.0.2", "honest")
    trusted = [await wrong(limiter, "192.168.3.4", f"person-{n}") for n in range(61)]
    assert all(trusted)


async def test_a_burst_does_not_overtake_its_own_failures(limiter: Limiter) -> None:
    looked_at = await asyncio.gather(*(wrong(limiter, HALL, "root") for _ in range(50)))
    assert 5 <= sum(looked_at) < 5 + AT_ONCE


async def test_who_mistyped_waits_and_is_let_in_again(limiter: Limiter) -> None:
    with time_machine.travel("2026-03-02 09:00:00+08:00", tick=False) as clock:
        for _ in range(5):
            await wrong(limiter, HALL, "host")
        assert not await right(limiter, HALL, "host")
        clock.shift(16 * 60)
        assert await right(limiter, HALL, "host")


async def test_an_act_sent_again_is_no_further_act_of_its_person(limiter: Limiter) -> None:
    for n in range(6):
        limiter.check("ask", HALL, "v1", f"key-{n}")
    with pytest.raises(Refusal, match="too_many"):
        limiter.check("ask", HALL, "v1", "key-6")
    for _ in range(20):  # Whoever heard no answer asks for the first one.
        limiter.check("ask", HALL, "v1", "key-3")
    with pytest.raises(Refusal, match="too_many"):  # Refused once, it is no known key.
        limiter.check("ask", HALL, "v1", "key-6")
    limiter.check("ask", HALL, "v2", "key-3")
    with pytest.raises(Refusal, match="too_many"):
        for _ in range(20):
            limiter.check("ask", HALL, "v1", "key-3")

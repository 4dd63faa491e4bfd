"""The road of the public's acts: what was put in is answered, whatever happens around it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from server.domain.public_acts import Done, PublicAct, Vote
from server.domain.refusals import Refusal
from server.live import ballot_box
from server.live.ballot_box import BallotBox

pytestmark = pytest.mark.anyio
VOTE = Vote("v1", "key-00001", "ROUND", "good", 0)


class Slow:
    """Carries a batch out in a tenth of a second."""

    async def carry_out(self, batch: Sequence[PublicAct]) -> list[Done | Refusal]:
        await asyncio.sleep(0.1)
        return [Done({"n": 1}, 7, entry=True) for _ in batch]


def stirred(hearing: int) -> None:
    del hearing


async def test_an_act_that_is_being_committed_is_answered_before_the_end() -> None:
    async def ring(hearing: int) -> None:
        del hearing

    box = BallotBox(Slow(), ring, stirred)
    box.start()
    act = asyncio.create_task(box.put(VOTE))
    await asyncio.sleep(0.05)  # Its batch is on its way: nothing waits.
    assert box.waiting == 0
    await box.stop()
    assert act.done()
    assert (await act).answer == {"n": 1}


async def test_one_slow_batch_is_told_of_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ring(hearing: int) -> None:
        del hearing

    monkeypatch.setattr(ballot_box, "SLOWEST_S", 0.3)
    box = BallotBox(Slow(), ring, stirred)
    box.start()
    await box.put(VOTE)
    assert 0.1 <= box.slowest_s < 0.3
    await asyncio.sleep(0.35)
    assert box.slowest_s == 0
    await box.stop()


async def test_a_bell_that_fails_ends_nothing() -> None:
    async def ring(hearing: int) -> None:
        raise RuntimeError(hearing)

    box = BallotBox(Slow(), ring, stirred)
    box.start()
    for _ in range(2):
        async with asyncio.timeout(2):
            await box.put(VOTE)
    await box.stop()


async def test_a_socket_that_cannot_be_answered_holds_nobody_up() -> None:
    async def ring(hearing: int) -> None:
        del hearing

    def told(outcome: object) -> None:
        raise RuntimeError(outcome)

    box = BallotBox(Slow(), ring, stirred)
    box.start()
    box.submit(VOTE, told)
    async with asyncio.timeout(2):
        assert (await box.put(VOTE)).answer == {"n": 1}
        assert (await box.put(VOTE)).answer == {"n": 1}
    await box.stop()

"""People who act at once, or in an odd order: what all of them were told is what stands after."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from tests.running import Client, Running


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each act gave, all begun at the same moment."""
    barrier, given = threading.Barrier(len(acts)), [None] * len(acts)

    def run(i: int) -> None:
        barrier.wait()
        given[i] = acts[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


def standing(demo: Running, desk: Client) -> dict[int, tuple[Any, ...]]:
    """What merging moves, of the approved questions on the first page of the desk and of those that
    were."""
    page = [
        *desk.get(f"{demo.here}/desk/questions?status=approved")["items"],
        *desk.get(f"{demo.here}/desk/questions?status=merged")["items"],
    ]
    return {
        q["id"]: (q["status"], q["merged_into"], q["askers"], q["likes"], q["support"])
        for q in page
    }


def test_a_merge_taken_back_leaves_nothing_behind_however_the_target_went_on(
    shared_demo: Running,
) -> None:
    demo, desk = shared_demo, shared_demo.as_("moderator")
    before = standing(demo, desk)
    one, two, three, four = list(before)[:4]

    def merge(id_: int, into: int) -> int:
        path = f"{demo.here}/desk/questions/{id_}/merging"
        return desk.call("POST", path, {"into": into}).status_code

    def unmerge(id_: int) -> int:
        return desk.call("DELETE", f"{demo.here}/desk/questions/{id_}/merging").status_code

    # One went into two, two into three, three into four; the first is taken out from below.
    assert [merge(one, two), merge(two, three), merge(three, four)] == [200, 200, 200]
    assert (
        standing(demo, desk)[four][2]
        == sum(before[i][2] + before[i][4] for i in (one, two, three)) + before[four][2]
    )
    assert [unmerge(one), unmerge(two), unmerge(three)] == [200, 200, 200]
    assert standing(demo, desk) == before

    # Crosswise and in a ring at once: whatever was agreed to comes apart again.
    ring = [(one, two), (two, one), (two, three), (three, one), (three, four)]
    for _ in range(2):
        told = at_once([lambda p=pair: merge(*p) for pair in ring])
        assert set(told) <= {200, 409}
        merged = [i for i, q in standing(demo, desk).items() if q[0] == "merged"]
        assert len(merged) == told.count(200) > 0
        assert set(at_once([lambda i=i: unmerge(i) for i in merged])) == {200}
        assert standing(demo, desk) == before

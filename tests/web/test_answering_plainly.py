"""A public round answered by the plain form, where no script runs: which presses are acts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.running import Running, new_key

pytestmark = [pytest.mark.system]


def opened(demo: Running, **more: Any) -> str:
    """The id of an open round with the choices `yes` and `no`."""
    host = demo.as_("host")
    choices = [{"key": key, "label": key} for key in ("yes", "no")]
    body = {"title": "现场整改，您满意吗？", "audience": "public", "choices": choices, **more}
    round_ = host.do("POST", f"{demo.here}/rounds", body, new_key())
    host.do("POST", f"/rounds/{round_['id']}/opening")
    return str(round_["id"])


def standing(demo: Running, round_id: str) -> tuple[int, dict[str, int]]:
    """(how many answered, the counts but zeros)."""
    now = next(r for r in demo.state()["rounds"] if r["id"] == round_id)
    return now["cast"], {choice: n for choice, n in now["counts"].items() if n}


def press(demo: Running, round_id: str, choice: str, viewer: str) -> int:
    """The status after one press of a browser that is this viewer."""
    return httpx2.post(
        f"{demo.url}/h/{demo.slug}/rounds/{round_id}/vote",
        data={"choice": choice},
        headers={"Cookie": f"pingyi_viewer={viewer}"},
        timeout=30,
        trust_env=False,
    ).status_code


def test_every_change_of_mind_counts_however_soon_it_comes(shared_demo: Running) -> None:
    round_id = opened(shared_demo, show_live=True)
    viewer = shared_demo.viewer().token or ""
    for choice in ("yes", "yes", "no", "no", "yes", "no", "yes"):
        assert press(shared_demo, round_id, choice, viewer) == 303
        assert standing(shared_demo, round_id) == (1, {choice: 1})


def test_pressed_twice_is_received_where_the_first_answer_counts(shared_demo: Running) -> None:
    round_id = opened(shared_demo, show_live=True, replacing="first")
    viewer = shared_demo.viewer().token or ""
    with ThreadPoolExecutor(8) as hands:
        presses = [hands.submit(press, shared_demo, round_id, "yes", viewer) for _ in range(8)]
    assert [one.result() for one in presses] == [303] * 8
    assert press(shared_demo, round_id, "yes", viewer) == 303
    assert press(shared_demo, round_id, "no", viewer) == 409
    assert standing(shared_demo, round_id)[0] == 1

"""A question asked in the hall stands on the public list once its text is typed, not before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import Running, frames_until

pytestmark = [pytest.mark.system]


@pytest.fixture
def demo(everywhere: Running) -> Running:
    """In one process and in several: every page, act and socket behaves the same."""
    return everywhere


def listed(demo: Running) -> dict[str, str]:
    """code → text of the public list's first page."""
    items = demo.anyone().get(f"{demo.here}/questions")["items"]
    return {one["code"]: one["text"] for one in items}


def in_state(demo: Running) -> dict[str, str]:
    """code → text of `state.questions`."""
    return {one["code"]: one["text"] for one in demo.state()["questions"]}


def test_it_comes_to_the_list_with_its_text(demo: Running) -> None:
    host = demo.as_("host")
    with demo.socket() as socket:
        frames_until(socket, lambda f: f["type"] == "snapshot")
        asked = host.do("PUT", f"{demo.here}/stage", {"asker": 12})
        code = asked["code"]

        def cue(event: str) -> Any:
            return frames_until(socket, lambda f: f.get("event") == event)[-1]["data"]

        assert cue("question_taken")["questions"] == []
        assert demo.state()["stage"]["code"] == code
        assert code not in listed(demo) | in_state(demo)
        host.do("DELETE", f"{demo.here}/stage", {"outcome": "answered"})
        assert cue("question_answered")["questions"] == []
        assert code not in listed(demo) | in_state(demo)
        one = f"{demo.here}/desk/questions/{asked['id']}"
        version = demo.as_("moderator").get(one)["version"]
        text = "处罚决定应在几天内公开？"
        host.do("PATCH", one, {"version": version, "text": text})
        changed = cue("question_changed")
        assert [q["text"] for q in changed["questions"]] == [text]
        assert "removed" not in changed
    assert listed(demo)[code] == in_state(demo)[code] == text
    assert "" not in listed(demo).values()

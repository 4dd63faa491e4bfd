"""The demonstration is alive: simulated people act, `--crowd` brings exactly its viewers, a quiet
room is quiet, and whoever was started ends with it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2

from tests.nursery import ROOT
from tests.running import PINGYI, Client, running


def wait_for(what: Callable[[], Any], seconds: float = 25) -> Any:
    """The first true answer of `what`, or a failure."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come about")


@contextlib.contextmanager
def told(data: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`pingyi demo` for people, and all that it printed until it was ready."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PINGYI_")}
    process = subprocess.Popen(
        [*PINGYI, "demo", "--port", "0", "--data", str(data), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    said = ""
    try:
        while "Ctrl+C" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield process, said
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()


def children(pid: int) -> list[int]:
    """The processes that this one started."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if int(folder.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(folder.name))
    return found


def test_twenty_panelists_and_viewers_act_and_the_table_opens_every_page(tmp_path: Path) -> None:
    with told(tmp_path / "data") as (process, said):
        links = dict(re.findall(r"· (\w+)[ ()1]+(http://127\.0\.0\.1:\d+/\S+)", said))
        people = {"public", "panel", "desk", "host", "card", "stage", "overlay", "podium", "office"}
        assert set(links) == people, said
        assert "█" in said  # QR codes.
        base, slug = links["public"].split("/h/")
        slug = slug.split("?")[0]
        anyone = Client(base)

        def state() -> Any:
            return anyone.get(f"/hearings/{slug}")["state"]

        for link in links.values():
            with httpx2.Client(follow_redirects=True, trust_env=False) as browser:
                assert browser.get(link).status_code == 200, link
        round_ = next(r for r in state()["rounds"] if r["audience"] == "panel")
        with httpx2.Client(trust_env=False, headers={"Origin": base}) as host:
            seat = host.get(links["host"]).headers["location"].split("seat=")[1].split("&")[0]
            opened = host.post(
                f"{base}/api/v1/rounds/{round_['id']}/opening", headers={"X-Pingyi-Seat": seat}
            )
            assert opened.status_code == 200, opened.text
            numbers = f"{base}/h/{slug}/host/numbers"

            def begun() -> Any:
                told = host.get(numbers, headers={"X-Pingyi-Seat": seat}).json()
                one = told["turnout"][round_["id"]]
                return one if one["begun"] + one["cast"] == 20 and one["cast"] >= 3 else None

            assert wait_for(begun, 40)["due"] == 21
        assert wait_for(lambda: state()["likes"] > 0 and state()["viewers"] >= 12)
        assert not children(process.pid)


def test_a_crowd_is_exactly_as_large_as_asked_acts_and_ends_with_the_demonstration(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "data", "--crowd", "40") as demo:
        started = children(demo.process.pid)
        assert len(started) == 1
        wait_for(lambda: demo.state()["viewers"] == 40)
        votes = next(r["id"] for r in demo.state()["rounds"] if r["status"] == "open")

        def acted() -> bool:
            now = demo.state()
            cast = next(r["cast"] for r in now["rounds"] if r["id"] == votes)
            return bool(cast + now["likes"])

        wait_for(acted, 40)
        assert demo.state()["viewers"] == 40
    wait_for(lambda: not Path(f"/proc/{started[0]}").exists(), 10)


def test_in_a_quiet_room_nobody_acts(tmp_path: Path) -> None:
    with told(tmp_path / "data", "--quiet-room") as (process, said):
        base = re.findall(r"http://127\.0\.0\.1:\d+", said)[0]
        slug = re.findall(r"/h/([\w-]+)", said)[0]
        time.sleep(5)
        now = Client(base).get(f"/hearings/{slug}")["state"]
        assert (now["viewers"], now["likes"]) == (0, 0)
        assert all(not one["cast"] for one in now["rounds"])
        assert not children(process.pid)

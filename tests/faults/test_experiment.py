"""The frame of experiments: figures, limits, groups that go on, and what a history's lines are."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.clients import batches, framed
from tests.faults.experiment import (
    FULL,
    QUICK,
    Experiment,
    Limit,
    Report,
    bound,
    carry_out,
    in_groups,
    percentile,
    summary,
)
from tests.faults.history import Act, History


def tried(report: Report) -> Experiment:
    """An experiment that comes out like this."""
    return Experiment(
        "one", "Something holds.", "kills", lambda *_: report, {}, [Limit("took_s", "p99", 1.0)]
    )


def test_percentiles_and_the_rule_of_three() -> None:
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, "p50") == 50
    assert percentile(values, "p99") == 99
    assert percentile(values, "max") == 100
    assert percentile([7.0], "p99") == 7
    assert bound(1000) == "< 0.003 at 95 %"


def test_a_limit_that_is_not_kept_or_not_measured_is_a_failure_of_a_full_run() -> None:
    slow = Report(Counter(kills=3), samples={"took_s": [0.5, 2.0]})
    assert summary(tried(slow), slow, FULL)["failures"] == 1
    assert summary(tried(slow), slow, QUICK)["failures"] == 0
    none = Report(Counter(kills=3))
    assert summary(tried(none), none, FULL)["faults"] == ["took_s was not measured"]


def test_the_report_keeps_seed_commit_and_machine(tmp_path: Path) -> None:
    told = carry_out(tried(Report(Counter(kills=4))), tmp_path / "one", 17, QUICK)
    assert told == json.loads((tmp_path / "one" / "report.json").read_text())
    assert (told["n"], told["seed"], told["says"]) == (4, 17, "< 0.75 at 95 %")
    assert told["commit"]
    assert told["machine"]["cores"]


def test_a_run_that_was_broken_off_goes_on_with_the_groups_that_are_missing(tmp_path: Path) -> None:
    begun: list[int] = []

    def run(place: Path, group: int, n: int) -> Report:
        begun.append(group)
        assert not (place / "left").exists()
        (place / "left").touch()
        if group == 1 and len(begun) == 2:
            raise KeyboardInterrupt
        report = Report(Counter(kills=n))
        report.sample("took_s", group)
        return report

    with pytest.raises(KeyboardInterrupt):
        in_groups(tmp_path, 25, 10, run)
    whole = in_groups(tmp_path, 25, 10, run)
    assert begun == [0, 1, 1, 2]
    assert whole.counted["kills"] == 25
    assert whole.samples == {"took_s": [0, 1, 2]}


def test_a_history_has_a_line_for_what_is_sent_and_one_for_what_is_told(tmp_path: Path) -> None:
    act = Act("WEB", "ann", "key-00001", "good")
    with History(tmp_path / "h" / "c.jsonl") as history:
        history.invoke("c", act)
        history.ok("c", act, {"type": "ack", "at": 5, "key": "key-00001", "choice": "good"})
        history.info("c", act, "cut")
        history.fail("c", act, "round_closed")
        history.closing("host", "WEB")
    lines = [json.loads(line) for line in (tmp_path / "h" / "c.jsonl").read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["invoke", "ok", "info", "fail", "closing"]
    assert lines[0]["choice"] == "good"
    assert lines[1]["answer"] == {"choice": "good"}
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)


def test_a_connection_says_no_more_than_it_may() -> None:
    acts = [Act("WEB", f"viewer {n // 3}", str(n), "good") for n in range(100)]
    pieces = batches(acts, most=20)
    assert [act for piece in pieces for act in piece] == acts
    assert all(len({act.who for act in piece}) + len(piece) <= 20 for piece in pieces)


def test_a_clients_frame_is_masked_and_says_its_length() -> None:
    assert framed(b"abc") == b"\x81\x83\0\0\0\0abc"
    assert framed(b"x" * 200)[:8] == b"\x81\xfe\x00\xc8\0\0\0\0"

"""What was to be reached, and what one run reached: the table at the end of `make bench`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Line = tuple[str, str, str]
"""(what, reach, measured)"""
BOX = {
    ("votes", "sqlite"): "≥ 40,000/s",
    ("votes", "postgresql"): "≥ 25,000/s",
    **{
        (kind, on): "≥ 10,000/s"
        for kind in ("supports", "questions")
        for on in ("sqlite", "postgresql")
    },
}


def lines(report: dict[str, Any]) -> Iterator[Line]:
    """One for each figure that the report has."""
    for crowd, here in report["delivery"].items():
        yield from _delivery(crowd, here)
    if len(report["delivery"]) > 1:
        costs = [here["pingyi"]["us_a_frame"] for here in report["delivery"].values()]
        yield "µs a frame as the crowd grows", "± 15 %", " → ".join(map(str, costs))
    for one in report.get("box", ()):
        reach = BOX[one["kind"], one["database"]]
        stored = f", {one['stored']:,} stored" if "stored" in one else ""
        yield f"{one['kind']} on {one['database']}{stored}", reach, f"{one['per_s']:,}/s"
    for one in report.get("votes", ()):
        what = f"{one['votes']:,} votes over sockets"
        if one["within_s"]:
            yield f"{what} within {one['within_s']:g} s", "p99 ≤ 250 ms", f"{one['p99_ms']} ms"
            panel = one["panel"]
            yield (
                f"{panel['n']} panel ballots meanwhile",
                "p99 ≤ 300 ms",
                f"{panel['p99_ms']} ms, {panel['refused']} refused",
            )
        else:
            yield what, "≥ 40,000/s", f"{one['per_s']:,}/s, {one['us_a_vote']} µs each"
    if "arrivals" in report:
        yield from _arrivals(report["arrivals"])
    if "machine_100k" in report:
        yield from _machine(report["machine_100k"])


def _delivery(crowd: str, here: dict[str, Any]) -> Iterator[Line]:
    own, floor = here["pingyi"], here["bare C, 220 B"]["us_a_frame"]
    cost = own["us_a_frame"]
    yield f"{crowd} viewers, × bare C", "≤ 1.2", f"{cost / floor:.2f} ({cost} / {floor} µs)"
    for name, reach in (("nchan", "≤ 1"), ("Django Channels", "≤ 1/40")):
        other = here[name]
        if isinstance(other, dict):
            share = cost / other["us_a_frame"]
            told = f"{share:.2f}" if share > 0.1 else f"1/{1 / share:.0f}"
            yield f"{crowd} viewers, × {name}", reach, f"{told} ({other['us_a_frame']} µs)"
    if int(crowd) < 16_000:
        return
    per_s = own["frames_per_s"] / own["viewers"]
    yield f"{crowd} viewers, cue p99", "≤ 300 ms", f"{own['cue_p99_ms']} ms"
    share = (
        f"{own['share_of_core']:.0%} at {per_s:.1f} frames/s each, acts {own['share_of_acts']:.0%}"
    )
    yield f"{crowd} viewers, share of the core", "≤ 65 %", share
    yield "memory of a viewer", "≤ 3 KB", f"{own['kb_a_viewer']} KB"
    yield "a join", "≤ 130 µs, ≥ 5,000/s", f"{own['us_a_join']} µs, {own['joins_per_s']:,}/s"


def _arrivals(one: dict[str, Any]) -> Iterator[Line]:
    told = f"{one['here']:,} of {one['people']:,} in {one['took_s']} s, one core {one['share_of_core']:.0%}"
    yield "arriving with a cold cache", "16,000 in ≤ 30 s on two cores", told
    page = one["page"]
    yield "the first page meanwhile", "p99 ≤ 100 ms", f"{page['p99_ms']} ms, p50 {page['p50_ms']}"


def _machine(one: dict[str, Any]) -> Iterator[Line]:
    crowd = f"{one['viewers']:,} on one machine"
    yield f"{crowd}, all up", "≤ 60 s", f"{one['up_s']} s"
    lost = f"{one['gaps']} gaps, {one['repeats']} repeats, {one['lost']} lost"
    yield f"{crowd}, a cue a second, p99", "≤ 1.2 s", f"{one['cue_p99_ms'] / 1000:.2f} s, {lost}"
    pulses = one["pulses_per_viewer_s"]
    yield f"{crowd}, pulses", "≤ 1 in 4 s", f"1 in {1 / pulses:.0f} s" if pulses else "none"
    memory = " / ".join(
        str(max(edge[kind] for edge in one["memory_mb"])) for kind in ("pss", "rss")
    )
    yield f"{crowd}, an edge", "≤ 120 MB", f"{memory} MB (Pss / RSS)"


def table(report: dict[str, Any]) -> str:
    """The lines as a table for a terminal or a page."""
    rows = [("what", "reach", "measured"), ("---", "---", "---"), *lines(report)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)

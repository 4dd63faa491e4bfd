"""Visits to an Open311 endpoint: its service requests become questions, and what became of them there is
told here.

The specification lets nobody ask what has changed, only what was requested since when. So each visit
asks for what came since the last one, with an overlap for clocks and for requests that are filed late;
and once a day for the whole quarter that a server keeps at hand, for what has changed in it.
What has more pages than one visit reads is read on by the next ones, until all of it is in.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from moderation.intake.endpoint import Endpoint
from moderation.intake.open311 import read_requests
from moderation.intake.refusals import FileRefused
from moderation.screening.burden import ANSWER_MOST, check_burden
from moderation.take_in import incoming
from server.actions.ports import House
from server.actions.take_pulled import end_pull, take_pulled
from server.domain.incoming import Incoming
from server.domain.refusals import Refusal
from server.visit import Visit

DAY_MS: Final = 24 * 3_600_000
OVERLAP_MS: Final = DAY_MS
WHOLE_MS: Final = 90 * DAY_MS
"""What is asked for once a day: servers answer no more than ninety days at once."""
PAGE: Final = 200
PAGES_MOST: Final = 100
"""Pages that one visit reads of one stretch of time."""
ENDLESS: Final = 10_000
"""Pages after which what is left is given up, and the office is told: two million requests."""
_reading = threading.Lock()
"""One page is read and masked at a time: a large one takes a while."""


async def poll_open311(visit: Visit) -> None:
    """Asks for what is new, page by page. Refused with what is wrong with the endpoint."""
    house, source = visit.house, visit.source
    now, told = house.now(), source.settings
    place = f"{told['url']} {told['jurisdiction']}"
    place = hashlib.sha256(place.encode()).hexdigest()[:16]
    stood = source.state if source.state.get("place") == place else {}
    rest = stood.get("rest")
    # A quarter that is still being read is not begun again.
    whole = "since" not in stood or (now - stood["whole_at"] >= DAY_MS and rest is None)
    since = now - WHOLE_MS if whole else stood["since"] - OVERLAP_MS
    counts = Counter({"new": 0, "updated": 0, "unchanged": 0, "refused": 0})
    left, news = await _pages(visit, since, 1, counts)
    if rest is None:
        rest = None if left is None else [since, left]
    else:
        begun, page = rest
        on, _ = await _pages(visit, begun, page, counts)
        if left is not None and news:  # So much came meanwhile that it pushed the rest back.
            on = left if on is None else min(left, on)
        rest = None if on is None else [begun, on]
    endless = rest is not None and rest[1] > ENDLESS
    at = {
        "place": place,
        "since": now,
        "whole_at": now if whole else stood["whole_at"],
        "rest": None if endless else rest,
    }
    await end_pull(house, visit.hearing, source.key, counts, at)
    await visit.done("open311_endless" if endless else "")


async def _pages(
    visit: Visit, since: int, first: int, counts: Counter[str]
) -> tuple[int | None, bool]:
    """Takes in every page of what was requested since then, beginning with the page `first`, and adds up
    what came of them. A server that knows no pages gives the same one again: that is the end, as is
    an empty one. Where it did not come to the end: the page to go on with (the last one that was read,
    because what is requested or withdrawn meanwhile moves the others along), and whether that one
    brought anything new.
    """
    house, source = visit.house, visit.source
    endpoint = Endpoint(source.settings, visit.secrets.get("api_key", ""))
    start = datetime.fromtimestamp(since // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    seen: set[str] = set()
    before = b""
    for page in range(first, first + PAGES_MOST):
        asked = {"start_date": start, "page": str(page), "page_size": str(PAGE)}
        try:
            body = await _fetched(endpoint, asked)
        except Refusal as refusal:
            if page > 1 and refusal.detail.get("status") == 404:
                return None, False  # some have no page beyond the last
            raise
        items, refused = await _read(body, source.settings["format"], house)
        fresh = [one for one in items if one.external_id not in seen]
        if body == before or not (fresh or refused):
            return None, False
        before = body
        seen |= {one.external_id for one in fresh}
        counted = await take_pulled(house, visit.hearing, source.key, fresh)
        for name, n in {**vars(counted), "refused": refused}.items():
            counts[name] += n
    return page, counted.new > 0


async def _fetched(endpoint: Endpoint, asked: Mapping[str, str]) -> bytes:
    try:
        return await asyncio.to_thread(endpoint.get, asked)
    except asyncio.CancelledError:
        endpoint.drop()
        raise


async def _read(body: bytes, form: str, house: House) -> tuple[list[Incoming], int]:
    """The items of a page, masked, and how many were refused. `open311_answer` for what is none."""

    def read() -> tuple[list[Incoming], int]:
        with _reading:
            found = read_requests(body, form)
            check_burden(found.items, ANSWER_MOST)
            items = incoming(found.items, house, house.masked_names)
            return items, len(found.refusals)

    try:
        return await asyncio.to_thread(read)
    except FileRefused as error:
        # Numbers alone: nothing of what the endpoint said is repeated.
        place = {name: n for name, n in error.detail.items() if isinstance(n, int)}
        raise Refusal("open311_answer", why=error.code, **place) from None

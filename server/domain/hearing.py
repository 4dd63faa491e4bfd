"""The hearing and its run of show: statuses, agenda, position and countdown. Pure.

Times are milliseconds since 1970 and are passed in: nothing here reads a clock (law 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from server.domain.refusals import Refusal
from server.domain.roles import Actor, roles_at
from server.domain.show import Publication, Publisher, Signer

STATUS_NEXT: Mapping[str, frozenset[str]] = {
    "draft": frozenset({"ready"}),
    "ready": frozenset({"draft"}),  # `check_in` is reached only by starting a run.
    "check_in": frozenset({"live"}),
    "live": frozenset({"paused", "ended"}),
    "paused": frozenset({"live", "ended"}),
    "ended": frozenset({"certified"}),
    "certified": frozenset({"archived"}),
    "archived": frozenset(),
}
RUN_KINDS = ("preparation", "rehearsal", "real")
STEPS = (
    "opening",
    "rules",
    "film",
    "statement",
    "questions",
    "comment",
    "evaluation",
    "result",
    "break",
    "closing",
)
LEASES = ("show", "screens", "rounds")
"""The three control leases: run of show, screens, rounds."""


@dataclass(frozen=True)
class Ref:
    """Where a thing belongs: no repository can be called without it (law 16)."""

    office: int
    hearing: int
    run: int


@dataclass(frozen=True)
class Place:
    """A hearing found by its slug (or by a round or a code): where it belongs, what it shows.

    `path` is the path of its office in the tree; `status`, `kind` and `epoch` are the run's.
    """

    ref: Ref
    path: str
    slug: str
    title: str
    status: str
    kind: str
    epoch: str

    def roles(self, by: Actor | None) -> tuple[str, ...]:
        """The roles that somebody holds here, in the table's order; the public has none."""
        if by is None:
            return ()
        return roles_at(by, self.ref.office, self.path, self.ref.hearing)


class Where(TypedDict, total=False):
    """How somebody names the hearing that is meant: by one of these. `line` asks for the run that
    real questions belong to, even while a rehearsal is shown."""

    slug: str
    round: str
    code: str
    source: str
    hearing: int
    line: bool


class HearingSettings(TypedDict):
    """What a hearing was given by its show; `show` holds `language`, `rehearsal_allowed`,
    `contest_days`, `reviews` and `shortlist_in_advance`."""

    note: str
    stream_url: str | None
    signers: list[Signer]
    publishers: list[Publisher]
    publication: Publication
    show: dict[str, Any]


class NewHearing(HearingSettings):
    """A hearing to be made, with the epoch of its preparation run."""

    office_id: int
    slug: str
    title: str
    epoch: str
    at: int


@dataclass(frozen=True)
class Step:
    """One step of an agenda item; `seconds` 0 = no countdown; `script` is the host's line."""

    key: str
    seconds: int = 0
    script: str = ""


@dataclass(frozen=True)
class Item:
    """An agenda item, with an official (`subject` is a key) or without. `deputy` speaks instead."""

    id: str
    title: str
    subject: str | None
    steps: tuple[Step, ...]
    status: str = "coming"
    deputy: str = ""

    def step(self, key: str) -> Step:
        """The step called `key`, or `step_unknown`."""
        for one in self.steps:
            if one.key == key:
                return one
        raise Refusal("step_unknown", step=key)


@dataclass(frozen=True)
class Position:
    """Where the show stands. `ends_at` runs, or `remaining` (ms) stands still while paused.

    `remaining` below zero is an overrun. `version` is `state.slot.version`.
    """

    item: str
    step: str
    version: int
    started_at: int
    ends_at: int | None
    remaining: int | None


@dataclass(frozen=True)
class Hearing:
    """The hearing's own row in its present run."""

    ref: Ref
    slug: str
    title: str
    status: str
    version: int
    run_kind: str
    epoch: str


def change_status(hearing: Hearing, wanted: str) -> Hearing:
    """The hearing with the new status, or `hearing_step_illegal`; `malformed` for none."""
    if wanted not in STATUS_NEXT:
        raise Refusal("malformed", place="status")
    if wanted not in STATUS_NEXT.get(hearing.status, frozenset()):
        raise Refusal("hearing_step_illegal", now=hearing.status, wanted=wanted)
    return replace(hearing, status=wanted, version=hearing.version + 1)


def check_under_way(hearing: Hearing) -> None:
    """Acts of the show need a hearing that has begun and has not ended."""
    if hearing.status not in {"live", "paused"}:
        raise Refusal("hearing_not_live", now=hearing.status)


def check_run(current: Hearing, kind: str, *, rehearsals: bool = True) -> None:
    """A run begins from `ready`, or after (or instead of) a rehearsal; the show may allow none."""
    if kind not in {"rehearsal", "real"}:
        raise Refusal("malformed", place="kind")
    if kind == "rehearsal" and not rehearsals:
        raise Refusal("rehearsal_not_allowed")
    if current.run_kind == "preparation" and current.status == "ready":
        return
    if current.run_kind == "rehearsal":
        return
    raise Refusal("run_illegal", now=current.status)


def move(
    items: Sequence[Item], position: Position | None, item: str, step: str, now: int, running: bool
) -> tuple[tuple[Item, ...], Position]:
    """Go to `step` of `item`: the items with their statuses, and the new position.

    Items before the new one count as done, or as skipped when they were never begun. With the
    hearing paused the countdown is set and stands still.
    """
    index = next((i for i, one in enumerate(items) if one.id == item), None)
    if index is None:
        raise Refusal("item_unknown", item=item)
    seconds = items[index].step(step).seconds
    length = seconds * 1000 if seconds else None
    at = Position(
        item=item,
        step=step,
        version=(position.version if position else 0) + 1,
        started_at=now,
        ends_at=now + length if length and running else None,
        remaining=length if length and not running else None,
    )
    return tuple(_with_status(one, i, index) for i, one in enumerate(items)), at


def _with_status(item: Item, i: int, current: int) -> Item:
    if i == current:
        return replace(item, status="current")
    if i > current:
        return replace(item, status="done" if item.status == "done" else "coming")
    return replace(item, status="skipped" if item.status in {"coming", "skipped"} else "done")


def pause(position: Position | None, now: int) -> Position | None:
    """The countdown stands still; the position's version does not move."""
    if position is None or position.ends_at is None:
        return position
    return replace(position, ends_at=None, remaining=position.ends_at - now)


def resume(position: Position | None, now: int) -> Position | None:
    """The countdown goes on from where it stood."""
    if position is None or position.remaining is None:
        return position
    return replace(position, ends_at=now + position.remaining, remaining=None)


def following(items: Sequence[Item], position: Position | None) -> tuple[str, str] | None:
    """(item, step) that Next leads to, or None at the end of the show."""
    if not items:
        return None
    if position is None:
        return items[0].id, items[0].steps[0].key
    index = next(i for i, one in enumerate(items) if one.id == position.item)
    keys = [s.key for s in items[index].steps]
    after = keys.index(position.step) + 1 if position.step in keys else len(keys)
    if after < len(keys):
        return position.item, keys[after]
    if index + 1 < len(items):
        return items[index + 1].id, items[index + 1].steps[0].key
    return None


def preceding(items: Sequence[Item], position: Position | None) -> tuple[str, str] | None:
    """(item, step) that Back leads to, or None at the start."""
    if position is None:
        return None
    index = next(i for i, one in enumerate(items) if one.id == position.item)
    keys = [s.key for s in items[index].steps]
    before = keys.index(position.step) - 1 if position.step in keys else -1
    if before >= 0:
        return position.item, keys[before]
    if index > 0:
        return items[index - 1].id, items[index - 1].steps[-1].key
    return None


def reorder(items: Sequence[Item], order: Sequence[str]) -> tuple[Item, ...]:
    """The agenda with what is still to come in a new order; `order` names exactly those items."""
    coming = [one for one in items if one.status == "coming"]
    if len(order) != len(set(order)) or {one.id for one in coming} != set(order):
        fixed = {one.id for one in items if one.status != "coming"}
        raise Refusal("item_past" if fixed & set(order) else "order_incomplete")
    by_id = {one.id: one for one in coming}
    ordered = iter(by_id[key] for key in order)
    return tuple(next(ordered) if one.status == "coming" else one for one in items)

"""One leak for each attacker, planted into the real code for as long as a block lasts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
import structlog

from server.actions import cast_ballot as casting
from server.actions import open_boxes as opening
from server.actions import perform as performing
from server.domain.ballots import BallotRow
from server.domain.cutting import cut_apart
from server.domain.journal import canonical
from server.identity.seals import Seals
from server.store.rows import upsert
from server.store.sealed import Sealed
from server.store.tables import CountRow
from server.store.unit import Unit
from tests.secrecy.game import SUBJECT, TARGET

Plant = Callable[[pytest.MonkeyPatch], None]
Boxes = dict[int, tuple[bytes, str]]


def row_order(patch: pytest.MonkeyPatch) -> None:
    """Marks are written as the boxes are read, under ids that count up."""
    _counted_ids(patch)


def ids(patch: pytest.MonkeyPatch) -> None:
    """The same, with the boxes read in the order of the ballots."""
    _counted_ids(patch)
    read = Sealed.boxes

    async def by_time(self: Sealed, round_id: str) -> Boxes:
        boxes = await read(self, round_id)
        cast = {seat: await self.cast(round_id, seat) for seat in boxes}
        return dict(sorted(boxes.items(), key=lambda one: cast[one[0]].at))  # type: ignore[union-attr]

    patch.setattr(Sealed, "boxes", by_time)


def _counted_ids(patch: pytest.MonkeyPatch) -> None:
    numbers = count()
    patch.setattr(opening._Names, "new", lambda self: f"{self._prefix}{next(numbers):016x}")
    patch.setattr(opening, "_chance", _NoShuffle())


class _NoShuffle:
    def shuffle(self, rows: list[Any]) -> None:
        """As they are."""


def names(patch: pytest.MonkeyPatch) -> None:
    """A rater's name is the hash of its receipt."""
    _named(patch, lambda seat, receipt, at: hashlib.sha256(receipt.encode()).hexdigest()[:16])


def times(patch: pytest.MonkeyPatch) -> None:
    """A rater's name begins with the time of its ballot."""
    _named(patch, lambda seat, receipt, at: f"{at:012x}{seat:04x}")


def _named(patch: pytest.MonkeyPatch, name: Callable[[int, str, int], str]) -> None:
    """Raters are named by what is known of their seats."""
    read, told = Sealed.boxes, list[str]()

    async def boxes(self: Sealed, round_id: str) -> Boxes:
        found = await read(self, round_id)
        told.clear()
        for seat, (_, receipt) in found.items():
            cast = await self.cast(round_id, seat)
            assert cast is not None
            told.append(name(seat, receipt, cast.at))
        return found

    def cut(
        ballots: Iterable[Sequence[BallotRow]], together: Any, new_name: Any
    ) -> list[BallotRow]:
        return [
            row._replace(rater=f"r-{rater}")
            for rater, ballot in zip(told, ballots, strict=True)
            for row in ballot
        ]

    patch.setattr(Sealed, "boxes", boxes)
    patch.setattr(opening, "cut_apart", cut)


def sizes(patch: pytest.MonkeyPatch) -> None:
    """Sheets go into their boxes without being filled up."""
    pack = casting.pack  # type: ignore[attr-defined]
    patch.setattr(casting, "pack", lambda *of: pack(*of).rstrip(b" "))


def kept_hashes(patch: pytest.MonkeyPatch) -> None:
    """What is kept under a key is a plain hash of the body, for secret rounds too."""

    async def plain(_house: Any, _unit: Any, asked: Any, where: Any) -> str:
        return hashlib.sha256(canonical([asked.verb, dict(where), asked.body])).hexdigest()

    patch.setattr(performing, "_digest", plain)


def running_counts(patch: pytest.MonkeyPatch) -> None:
    """A running count by mark is kept beside the boxes."""
    last = _packed(patch)
    put = Sealed.put

    async def counted(self: Sealed, round_id: str, *of: Any) -> None:
        await put(self, round_id, *of)
        key = {"round_id": round_id, "choice": last[0]}
        await upsert(self._c, CountRow, key)
        await self._c.exec_driver_sql(
            "UPDATE vote_counts SET n = n + 1 WHERE round_id = ? AND choice = ?",
            (round_id, last[0]),
        )

    patch.setattr(Sealed, "put", counted)


def log_pages(patch: pytest.MonkeyPatch) -> None:
    """The box is no box."""
    patch.setattr(casting, "closed_box", lambda house, round_, seat, receipt, sheet: sheet)
    patch.setattr(opening, "_opened", lambda seal, seat, receipt, box: box)


def log_lines(patch: pytest.MonkeyPatch) -> None:
    """Somebody left a line of logging in."""
    _packed(patch, lambda value: structlog.get_logger().info("sheet", **{TARGET: value}))


def _packed(patch: pytest.MonkeyPatch, told: Callable[[str], Any] = str) -> list[str]:
    """What the latest sheet says of the fifth dimension."""
    pack, last = casting.pack, [""]  # type: ignore[attr-defined]

    def packed(rules: Any, subjects: Any, marks: Any, away: Any, texts: Any) -> bytes:
        last[0] = marks[SUBJECT][TARGET]
        told(last[0])
        return pack(rules, subjects, marks, away, texts)

    patch.setattr(casting, "pack", packed)
    return last


def journal(patch: pytest.MonkeyPatch) -> None:
    """The entry of the closing lists the marks as the boxes were read."""
    cut, record, read = opening.cut_apart, Unit.record, list[str]()  # type: ignore[attr-defined]

    def noted(ballots: list[Sequence[BallotRow]], together: Any, new_name: Any) -> Any:
        read[:] = [row.value for ballot in ballots for row in ballot if row.dimension == TARGET]
        return cut(ballots, together, new_name)

    def recorded(self: Unit, event: str, **more: Any) -> None:
        if event == "round_closed":
            more["marks"] = list(read)
        record(self, event, **more)

    patch.setattr(opening, "cut_apart", noted)
    patch.setattr(Unit, "record", recorded)


def copies(patch: pytest.MonkeyPatch) -> None:
    """The seal is not destroyed."""
    patch.setattr(Seals, "wipe", lambda self, public: None)
    patch.setattr(Seals, "forget", lambda self, public: None)


def fingerprint(patch: pytest.MonkeyPatch) -> None:
    """All marks of a ballot bear one name."""
    patch.setattr(
        opening, "cut_apart", lambda ballots, together, name: cut_apart(ballots, "ballot", name)
    )


PLANTS: Mapping[str, Plant] = {
    plant.__name__: plant
    for plant in (
        row_order, ids, names, sizes, times, kept_hashes, running_counts, log_pages, log_lines,
        journal, copies, fingerprint,
    )
}  # fmt: skip


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The leak that the attacker of this name must find."""
    with pytest.MonkeyPatch.context() as patch:
        PLANTS[name](patch)
        yield

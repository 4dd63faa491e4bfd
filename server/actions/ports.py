"""What actions need of the world: stores, the bell, the clock, chance. All by shape.

`server/store` and `server/live` satisfy these protocols without knowing them; `app.py` joins
them. A protocol names only what actions call.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, Unpack

from server.domain.ballots import BallotRow
from server.domain.bundles import BundleSource, MadeBundle
from server.domain.contests import Contest
from server.domain.hearing import (
    Hearing,
    HearingSettings,
    Item,
    NewHearing,
    Place,
    Position,
    Ref,
    Where,
)
from server.domain.journal import Entry
from server.domain.public_acts import Done, PublicAct
from server.domain.questions import NewQuestion, Question
from server.domain.refusals import OutcomeUnknown, Refusal
from server.domain.rounds import Cast, CastBallot, Round
from server.domain.view import (
    HearingView,
    Lease,
    Screens,
    SeatView,
    Staged,
    StageView,
    SubjectView,
)


class Hearings(Protocol):
    """The run of show."""

    async def get(self, *, lock: bool = False) -> Hearing: ...
    async def hold(self) -> None: ...
    async def save(self, hearing: Hearing) -> None: ...
    async def settings(self) -> HearingSettings: ...
    async def items(self) -> tuple[Item, ...]: ...
    async def save_items(self, items: Sequence[Item]) -> None: ...
    async def add_items(self, items: Sequence[Item]) -> None: ...
    async def position(self, *, lock: bool = False) -> Position | None: ...
    async def save_position(self, at: Position) -> None: ...
    async def leases(self) -> tuple[Lease, ...]: ...
    async def take_lease(self, lease: Lease) -> None: ...
    async def screens(self) -> Screens: ...
    async def clear_screens(self, cleared: bool) -> None: ...
    async def show_round(self, round_: str | None) -> None: ...
    async def add_notice(self, text: str, at: int) -> int: ...
    async def notice_seen(self, id_: int, at: int) -> bool: ...
    async def notice_seen_at(self, id_: int) -> int | None: ...


class People(Protocol):
    """Subjects, groups, seats, presence."""

    async def subjects(self) -> tuple[SubjectView, ...]: ...
    async def groups(self) -> tuple[tuple[str, str, str], ...]: ...
    async def seats(self) -> tuple[SeatView, ...]: ...
    async def check_in(self, seat_id: int, at: int) -> bool: ...
    async def leave(self, seat_id: int) -> bool: ...
    async def add_subject(self, ordinal: int, subject: SubjectView) -> None: ...
    async def add_group(self, ordinal: int, key: str, name: str, weight: str) -> None: ...
    async def add_seat(self, number: int, name: str, group: str, unit: str) -> int: ...


class Questions(Protocol):
    """Questions and their wordings."""

    async def get(self, id_: int, *, lock: bool = False) -> Question | None: ...
    async def by_code(self, code: str, *, lock: bool = False) -> Question | None: ...
    async def secret_hash(self, id_: int) -> str: ...
    async def set_rating(self, id_: int, rating: str) -> None: ...
    async def add(self, **values: Unpack[NewQuestion]) -> Question: ...
    async def seal(self, question: int, box: bytes, version: int = 1) -> None: ...
    async def save(self, question: Question) -> None: ...
    async def keep_wording(self, question: Question, actor: str, at: int) -> None: ...
    async def set_appeal(self, id_: int, text: str) -> bool: ...
    async def screen_received(self, limit: int) -> int: ...
    async def by_source(self, source_key: str) -> dict[str, tuple[int, str]]: ...
    async def likes_carried_into(self, code: str) -> int: ...
    async def update_fields(self, id_: int, values: Mapping[str, object]) -> None: ...
    async def add_import(
        self, source_key: str, file_name: str, counts: Mapping[str, int], actor: str, at: int
    ) -> None: ...


class Floor(Protocol):
    """The queue, the stage, panelists' requests to speak."""

    async def queue(self, *, lock: bool = False) -> tuple[int, tuple[int, ...], dict[int, int]]: ...
    async def save_queue(
        self, version: int, ids: Sequence[int], given: Mapping[int, int]
    ) -> None: ...
    async def stage(self, *, lock: bool = False) -> Staged | None: ...
    async def save_stage(
        self,
        question: int | None,
        asker: str = "",
        seat: int | None = None,
        phase: str = "asking",
        taken_at: int = 0,
    ) -> None: ...
    async def request(self, seat_id: int, kind: str, text: str, at: int) -> int: ...
    async def close_request(self, id_: int, status: str) -> bool: ...
    async def put_away(self) -> None: ...


class Rounds(Protocol):
    """Rounds, ballots, votes."""

    async def get(self, id_: str, *, lock: bool = False, share: bool = False) -> Round | None: ...
    async def all(self) -> tuple[Round, ...]: ...
    async def add(self, round_: Round) -> None: ...
    async def save(self, round_: Round) -> None: ...
    async def last_ordinal(self) -> int: ...
    async def ballot(self, round_id: str, seat_id: int) -> CastBallot | None: ...
    async def put_ballot(self, round_id: str, seat_id: int, ballot: CastBallot) -> None: ...
    async def ballots(self, round_id: str) -> tuple[CastBallot, ...]: ...
    async def progress(self, round_id: str) -> tuple[set[int], set[int]]: ...
    async def receipts(self, round_id: str) -> tuple[str, ...]: ...
    async def begin_draft(self, round_id: str, seat_id: int, at: int) -> None: ...


class Sealed(Protocol):
    """The ballots of secret rounds."""

    async def cast(self, round_id: str, seat_id: int) -> Cast | None: ...
    async def put(
        self, round_id: str, seat_id: int, owner: str, box: bytes, cast: Cast
    ) -> None: ...
    async def boxes(self, round_id: str) -> dict[int, tuple[bytes, str]]: ...
    async def put_marks(self, round_id: str, rows: Sequence[tuple[str, BallotRow]]) -> None: ...
    async def drop(self, round_id: str, prefix: str) -> None: ...
    async def marks(self, round_id: str) -> tuple[BallotRow, ...]: ...
    async def receipts(self, round_id: str) -> tuple[str, ...]: ...
    async def histogram(self, round_id: str) -> dict[tuple[str, str, str, str], int]: ...
    async def sheets(self, round_id: str) -> dict[tuple[str, str], int]: ...


class Votes(Protocol):
    """The public's votes."""

    async def recount(self, round_id: str) -> tuple[dict[str, int], int]: ...
    async def counted(self, round_id: str) -> tuple[tuple[str, str], ...]: ...


class Journal(Protocol):
    """First answers to idempotency keys."""

    async def first_answer(
        self, owner: str, key: str
    ) -> tuple[str, int, dict[str, Any]] | None: ...
    async def keep_answer(
        self, owner: str, key: str, body_hash: str, status: int, answer: Mapping[str, Any], at: int
    ) -> None: ...


class Runs(Protocol):
    """The runs of a hearing."""

    async def add(self, kind: str, epoch: str, status: str, at: int) -> Ref: ...
    async def hold_line(self) -> None: ...
    async def preparation(self) -> Ref | None: ...
    async def take_over(self, prepared: Ref, run: Ref) -> None: ...
    async def copy_show(self, prepared: Ref, run: Ref, new_id: Callable[[], str]) -> None: ...


class Contests(Protocol):
    """Contests of published results."""

    async def all(self) -> tuple[Contest, ...]: ...
    async def of(self, round_id: str) -> tuple[Contest, ...]: ...
    async def add(
        self, round_id: str, at: int, by: str, name: str, role: str, grounds: str
    ) -> int: ...
    async def decide(
        self,
        id_: int,
        status: str,
        at: int,
        by: str,
        role: str,
        reason: str,
        correction: str | None,
    ) -> None: ...
    async def add_file(self, contest: int, number: int, name: str, content: bytes) -> None: ...
    async def file(self, contest: int, number: int) -> tuple[str, bytes] | None: ...


class Bundles(Protocol):
    """Bundles of certified rounds."""

    async def edition(self, round_id: str, edition: str) -> bytes | None: ...
    async def keep(self, round_id: str, made: MadeBundle, at: int) -> None: ...


class Unit(Protocol):
    """One hearing, one transaction."""

    place: Place

    @property
    def hearings(self) -> Hearings: ...
    @property
    def people(self) -> People: ...
    @property
    def questions(self) -> Questions: ...
    @property
    def floor(self) -> Floor: ...
    @property
    def rounds(self) -> Rounds: ...
    @property
    def sealed(self) -> Sealed: ...
    @property
    def contests(self) -> Contests: ...
    @property
    def bundles(self) -> Bundles: ...
    @property
    def votes(self) -> Votes: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def runs(self) -> Runs: ...

    def record(
        self,
        event: str,
        *,
        touched: Sequence[Question] = (),
        ids: dict[str, Any] | None = None,
        **body: Any,
    ) -> None: ...
    async def write_down(self, *, actor: str, role: str, at: int) -> int: ...
    async def view(self, now: int) -> HearingView: ...
    async def entries(self, after: int, limit: int = 256) -> tuple[Entry, ...]: ...
    async def stage(self) -> StageView | None: ...


class Store(Protocol):
    """Opens units of work; raises `RolledBack` and `OutcomeUnknown` as they happen."""

    def act(self, **where: Unpack[Where]) -> AbstractAsyncContextManager[Unit]: ...
    def look(self, **where: Unpack[Where]) -> AbstractAsyncContextManager[Unit]: ...
    def new_hearing(self, **new: Unpack[NewHearing]) -> AbstractAsyncContextManager[Unit]: ...


class Bell(Protocol):
    """Says that something happened; carries nothing (law 1)."""

    async def ring(self, hearing: int) -> None:
        """The hearing's journal has grown."""

    async def stir(self, round_id: str) -> None:
        """A panel round's turnout has changed: no entry, but consoles show it."""


class Box(Protocol):
    """The ballot box: the road of the public's acts, many in one transaction."""

    async def put(self, act: PublicAct) -> Done:
        """The act's outcome after its commit. Raises `Refusal` or `OutcomeUnknown`."""

    def submit(
        self, act: PublicAct, told: Callable[[Done | Refusal | OutcomeUnknown], None]
    ) -> None:
        """The same for who does not wait: `told` is called once, after the commit."""


class Seal(Protocol):
    """What opens the boxes of one secret round."""

    def open(self, box: bytes) -> bytes:
        """What the box holds. Raises `SealBroken`."""

    def mac(self, text: str) -> str:
        """The same for the same text, and nothing that anybody could try texts against."""


class Seals(Protocol):
    """The seals in this process's data folder. What makes or ends one waits for
    the disk."""

    def make(self) -> str:
        """A new seal; gives its public half."""

    def box(self, public: str, content: bytes) -> bytes:
        """A box around the content, which only this seal opens."""

    def find(self, public: str) -> Seal | None:
        """The seal, where this process has it."""

    def holds(self, public: str) -> bool:
        """Whether there is anything of it here: the seal, or the sign that it was wiped."""

    def wipe(self, public: str) -> None:
        """Nobody can open its boxes any more."""

    def forget(self, public: str) -> None:
        """Nothing of it is left."""


class MaskedText(Protocol):
    """A text with personal data taken out; `sealed` is what was taken, ready to be put away."""

    @property
    def text(self) -> str: ...
    @property
    def sealed(self) -> Mapping[str, str]: ...


class Masker(Protocol):
    """Takes personal data out of a text; `name` and `phone` are its requester's, where known."""

    def __call__(self, text: str, name: str = "", phone: str = "") -> MaskedText: ...


@dataclass(frozen=True)
class House:
    """Everything an action may use beside the pure rules."""

    store: Store
    bell: Bell
    now: Callable[[], int]
    """Milliseconds since 1970."""
    code: Callable[[], str]
    """A short random public code for a question, a round or an epoch."""
    receipt: Callable[[], str]
    """A receipt code, random, which says nothing about what was cast."""
    clean: Callable[[str], str]
    """Text as it may be shown: normalised, no control or bidi characters, trimmed."""
    mask: Masker
    """Text without personal data."""
    seal: Callable[[Mapping[str, str]], bytes]
    """A secret box around what masking took away."""
    author_secret: Callable[[str, str], str]
    """The secret that the author of a question gets, the same each time, by (viewer, key)."""
    box: Box
    seals: Seals
    bundle: Callable[[BundleSource], MadeBundle]
    """Makes a round's bundle, with randomness of the machine's; takes a while."""
    later: Callable[[Coroutine[Any, Any, object]], None]
    """Runs something right after this act, outside its transaction."""

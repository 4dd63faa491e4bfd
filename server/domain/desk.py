"""What moderators look for: the filters of the desk's list and the order of its groups. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from server.domain.questions import Question
from server.domain.refusals import Refusal

HOUR_MS = 3_600_000
HOURS = 100_000
"""Of an age that is asked for, at most: eleven years."""
PAGE = 50
"""Questions in one page of the list."""
SORTS = ("newest", "oldest", "heat")
ON_THE_WAY = ("received", "screened", "approved", "shortlisted", "queued")
"""States of questions that somebody may still do something about: groups are made of these."""
IDS = 1 << 31
"""Every id is smaller. A cursor of the list by heat holds people and id in one number."""


@dataclass(frozen=True)
class Filters:
    """A list of the desk. Empty members do not filter. `source` is a kind or which of them; `subject`
    is a key, or `-` for nobody's; `heat` the least people; `fresh` and `old` the age in hours, at most
    and at least; `appealed` those whose author's appeal waits; `mine` the actor who holds the claims;
    `hidden` lets escalated ones in."""

    status: tuple[str, ...] = ()
    source: str = ""
    tag: str = ""
    topic: str = ""
    subject: str = ""
    district: str = ""
    cluster: int | None = None
    merged_into: str = ""
    asker: str = ""
    heat: int = 0
    fresh: int = 0
    old: int = 0
    flagged: bool = False
    unsolved: bool = False
    appealed: bool = False
    mine: str = ""
    search: str = ""
    sort: str = "newest"
    cursor: int | None = None
    size: int = PAGE
    hidden: bool = False

    def __post_init__(self) -> None:
        if self.sort not in SORTS:
            raise Refusal("malformed", place="sort")


def cursor_of(last: Question, sort: str) -> int:
    """Where the next page of a list begins, after its last question."""
    return last.people * IDS + last.id if sort == "heat" else last.id


def place_of(cursor: int, sort: str) -> tuple[int, int]:
    """(people, id) of the last question before a cursor; the people count in a list by heat alone. A
    cursor that nobody made leads somewhere too."""
    return divmod(cursor, IDS) if sort == "heat" else (0, min(cursor, IDS - 1))


def people_behind(questions: Iterable[Question], askers: Mapping[int, str]) -> int:
    """How many people stand behind all of these: who asked several is one (`askers`, by id; empty where
    nobody knows), and who was merged into one or supports it counts with it."""
    asked = list(questions)
    known = {askers[one.id] or one.id for one in asked}
    return len(known) + sum(one.people - 1 for one in asked)


@dataclass(frozen=True)
class Group:
    """Questions of one official that ask alike: how many there are, how many people stand behind them
    (one who wrote ninety times is one), how many the source calls unsolved and solved, and a typical
    one: the newest of them."""

    cluster: int
    subject: str | None
    questions: int
    people: int
    unsolved: int
    solved: int
    newest: int
    text: str = ""
    title: str = ""

    @property
    def repeated(self) -> bool:
        """Whether somebody asked more than once."""
        return self.questions > self.people


@dataclass(frozen=True)
class Done:
    """One entry of a question's history: when (ms since 1970), what (an event), by whom, as what, and
    what the journal tells of it."""

    at: int
    event: str
    actor: str
    name: str
    role: str
    body: Mapping[str, object]

"""What the public does, as the ballot box carries it: votes, supports, questions. Pure shapes.

`viewer` is the viewer token's id, `key` the idempotency key that the browser made before sending,
`epoch` that of the run which the act is meant for, where the sender said it. (Named tuples: a frozen
dataclass takes three times as long to make, and these are made 40,000 times a second.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from server.domain.work import Owed


class Vote(NamedTuple):
    """A choice in a public round (网络评价)."""

    viewer: str
    key: str
    round: str
    choice: str
    at: int
    epoch: str | None = None


class Support(NamedTuple):
    """同问, put on or taken back. `slug` is the hearing's."""

    viewer: str
    key: str
    slug: str
    code: str
    on: bool
    at: int
    epoch: str | None = None


class Ask(NamedTuple):
    """A question from the public, already cleaned and masked; `sealed` is what masking took."""

    viewer: str
    key: str
    slug: str
    text: str
    subject: str | None
    code: str
    secret: str
    digest: str
    """A mark of what was sent, to tell a repeat of the key from another question under it."""
    sealed: bytes | None
    at: int
    epoch: str | None = None
    owed: Owed | None = None
    """Work without which it is no more than a repeat; its text was not even masked."""


Sent = tuple[str, str, str]
"""What a viewer has sent in the hearing: (round, key, choice). In order, so that a vote replaced
another one when an earlier one stands in the same round, and the last one of a round counts."""


def first_of(sent: Sequence[Sent], key: str) -> tuple[Sent, bool] | None:
    """What was sent first with this key, and whether it replaced another vote."""
    for n, one in enumerate(sent):
        if one[1] == key:
            return one, any(before[0] == one[0] for before in sent[:n])
    return None


def last_in(sent: Sequence[Sent], round_: str) -> str | None:
    """The choice that counts in a round, or None."""
    for one in reversed(sent):
        if one[0] == round_:
            return one[2]
    return None


PublicAct = Vote | Support | Ask


class Done(NamedTuple):
    """The act is committed; `answer` is what its ack says. The next pulse of `hearing` shows it;
    with an `entry` in the journal its bell rings as well."""

    answer: Mapping[str, Any]
    hearing: int
    entry: bool = False

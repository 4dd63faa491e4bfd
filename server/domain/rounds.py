"""A round's life (panel round 测评, public round 网络评价), as a table of states and acts.

Rule 1. An act that is not in `NEXT` for the present state is refused and changes nothing.
Rule 2. Who is entitled, with which weight, and the rules are frozen at opening: a seat that was not
        present then is on the list and takes part from the next round.
Rule 3. A ballot is taken while the round is `open` or `closing`, never after.
Rule 4. A round is voided only before it is published; the round held again is linked to it.
Rule 5. Every publication names its audience and is an act of its own.
Rule 6. A secret round is opened only when each group that weighs something is as large as the rules'
        floor: what a smaller one said would be what its few members said.
Rule 7. What tells a secret round's ballots apart under their keys can be worked out only with its
        seal, and only while it takes ballots: `same_ballot`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

from server.domain.refusals import Refusal
from server.domain.roles import has_right
from server.domain.rules import Together, document_hash

STATES = (
    "ready",
    "open",
    "closing",
    "closed",
    "tallied",
    "certified",
    "published",
    "contested",
    "upheld",
    "corrected",
    "voided",
)

NEXT: Mapping[str, Mapping[str, str]] = {
    "open": {"ready": "open"},
    "begin_closing": {"open": "closing"},
    "close": {"open": "closed", "closing": "closed"},
    "tally": {"closed": "tallied"},
    "certify": {"tallied": "certified"},
    "publish": {"certified": "published", "published": "published", "upheld": "upheld"},
    "contest": {"published": "contested", "upheld": "contested"},
    "uphold": {"contested": "upheld"},
    "correct": {"contested": "corrected"},
    "void": dict.fromkeys(("open", "closing", "closed", "tallied", "certified"), "voided"),
}
"""act → {state it is legal in: state it leads to}."""

AFTER_PUBLICATION = frozenset({"published", "contested", "upheld", "corrected"})
"""States that tell of a publication: to whom it was not published the round is `certified`."""
HELD = AFTER_PUBLICATION | {"certified"}
"""States of a panel round that has, or is about to have, a bundle."""
TAKES_BALLOTS = frozenset({"open", "closing"})
AUDIENCES = ("internal", "hall", "public")
"""Audiences of a publication, narrow to wide; a wider one includes the narrower."""


@dataclass(frozen=True)
class Entitled:
    """One seat of the panel as the round's list froze it: only one `present` then may cast. `own` are
    the subjects who head its unit, whom it does not rate."""

    seat: int
    group: str
    unit: str
    present: bool
    own: tuple[str, ...] = ()


def own_subjects(unit: str, heads: Mapping[str, str]) -> tuple[str, ...]:
    """Of the subjects, `heads` = subject → unit in their order, those of this unit: nobody rates his
    own (docs/decisions/0018-own-units.md). Full-width letters and spaces make no other unit of one."""
    own = _plain(unit)
    return tuple(key for key, one in heads.items() if own and _plain(one) == own)


def _plain(unit: str) -> str:
    """What is read of it: letters and figures, no signs, spaces or characters that nobody sees."""
    letters = (
        c for c in unicodedata.normalize("NFKC", unit) if unicodedata.category(c)[0] in "LNM"
    )
    return "".join(letters).casefold()


@dataclass(frozen=True)
class Round:
    """One round. `subjects` are keys in the office's order.

    A panel round has `rules` (the RULES.json document) and `groups`; a public round has
    `choices` ((key, label) pairs); `labels` are the words for dimensions and
    grades. Times are milliseconds since 1970. `cast` counts ballots. `tally_refused` is the sentence
    by language with which the rules refused the tally: the round stays `closed` and may be voided.
    `about` is the code of the question whose answer a light round is about. `rules_given` are the rules
    before the opening added the counts of the hall, where it added any. `overrides` says of a signer who
    was missing who signed instead, and why. `root` is what its bundle stands under (docs/bundle.md),
    empty where none can be made. `contest_until` is until when a published result may be contested,
    `correction` what a corrected round and the one that replaces it say of each other
    (domain/contests.py).
    `unsent` is what becomes of a sheet that is whole and not sent when the round closes: `discard`, or
    `send`, when the tablet sends it by itself at the end of the countdown.
    `comments` and `reason_below`: what may and must be written beside the marks (domain/comments.py).
    `seal` is the public half of a secret round's seal since its opening, `seal_destroyed_at` when its
    end stood in the journal.
    """

    id: str
    title: str
    audience: str
    secrecy: str
    replacing: str
    subjects: tuple[str, ...]
    status: str
    version: int
    ordinal: int = 0
    item: str | None = None
    choices: tuple[tuple[str, str], ...] = ()
    rules: Mapping[str, Any] | None = None
    rules_hash: str | None = None
    rules_given: Mapping[str, Any] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    show_live: bool = False
    unsent: str = "discard"
    comments: bool = False
    reason_below: str | None = None
    entitled: tuple[Entitled, ...] = ()
    cast: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    opened_at: int | None = None
    closes_at: int | None = None
    closed_at: int | None = None
    result: Mapping[str, Any] | None = None
    signers: tuple[str, ...] = ("host",)
    publishers: tuple[str, ...] = ("approver",)
    signed: tuple[str, ...] = ()
    published_to: tuple[str, ...] = ()
    reveal: int = 0
    void_reason: str | None = None
    tally_refused: Mapping[str, str] | None = None
    replaces: str | None = None
    about: str | None = None
    seal: str | None = None
    seal_destroyed_at: int | None = None
    root: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    contest_until: int | None = None
    correction: Mapping[str, Any] | None = None

    @property
    def rules_before(self) -> Mapping[str, Any] | None:
        """The rules as they were given: without the counts of the hall that its opening added."""
        return self.rules if self.rules_given is None else self.rules_given

    def status_for(self, audience: str) -> str:
        """The status as `audience` may know it."""
        hidden = self.status in AFTER_PUBLICATION and not self.published_for(audience)
        return "certified" if hidden else self.status

    @property
    def after_closing(self) -> bool:
        """Whether it was held and takes no ballot any more."""
        return self.status not in {"ready", *TAKES_BALLOTS}

    @property
    def sealed(self) -> bool:
        """Whether its ballots are sealed while it is open, and bear no name afterwards."""
        return self.audience == "panel" and self.secrecy == "secret"

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of its choices."""
        return frozenset(key for key, _ in self.choices)

    def published_for(self, audience: str) -> bool:
        """Whether the result may be shown to `audience`: a wider publication includes it."""
        wide = AUDIENCES.index(audience)
        return any(AUDIENCES.index(one) >= wide for one in self.published_to)


@dataclass(frozen=True)
class CastBallot:
    """A named ballot as stored: `marks` is {subject: {dimension: value}}, values as strings.

    `seat` is the seat's number, `replacements` how often the seat sent another one before.
    """

    seat: int
    marks: Mapping[str, Mapping[str, Any]]
    recused: tuple[str, ...]
    key: str
    receipt: str
    at: int
    replacements: int
    comments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cast:
    """What is known of a seat's ballot in a secret round: that it was cast, and its receipt."""

    receipt: str
    at: int
    replacements: int


class SealBroken(Exception):
    """A box that its round's seal does not open, or what is no seal."""


@dataclass(frozen=True)
class SealedRound:
    """A secret round as those who keep seals see it. `shown`: its run is the one that people see."""

    id: str
    seal: str
    status: str
    seal_destroyed_at: int | None
    shown: bool

    @property
    def over(self) -> bool:
        """Whether its seal has no more use: it takes no ballots, or its run is left."""
        return self.status not in TAKES_BALLOTS or not self.shown


def step(round_: Round, act: str) -> Round:
    """The round after `act`, or `round_step_illegal` (rule 1)."""
    after = NEXT[act].get(round_.status)
    if after is None:
        raise Refusal("round_step_illegal", now=round_.status, act=act)
    return replace(round_, status=after, version=round_.version + 1)


def open_round(round_: Round, entitled: Sequence[Entitled], now: int) -> Round:
    """Open, with the list of the entitled frozen (rule 2). A public round has no list."""
    opened = step(round_, "open")
    return replace(opened, entitled=tuple(entitled), opened_at=now)


def begin_closing(round_: Round, now: int, seconds: int) -> Round:
    """`closing`, still taking ballots, until `now` + `seconds`."""
    return replace(step(round_, "begin_closing"), closes_at=now + seconds * 1000)


def close(round_: Round, now: int) -> Round:
    """Closed: from this row on no ballot is taken (rule 3)."""
    return replace(step(round_, "close"), closed_at=now)


def certify(round_: Round, roles: Sequence[str]) -> tuple[Round, str]:
    """One signature. `certified` once all signers that the show names have signed.

    `roles` are what the person holds; the first of them that still has to sign signs. Gives the
    round and the role that signed.
    """
    if round_.status != "tallied":
        raise Refusal("round_step_illegal", now=round_.status, act="certify")
    if not set(roles) & set(round_.signers):
        raise Refusal("not_a_signer")
    role = next((one for one in awaited(round_) if one in roles), None)
    if role is None:
        raise Refusal("already_signed")
    signed = (*round_.signed, role)
    if set(signed) >= set(round_.signers):
        return replace(step(round_, "certify"), signed=signed), role
    return replace(round_, signed=signed, version=round_.version + 1), role


def certify_instead(round_: Round, missing: str, role: str, reason: str, now: int) -> Round:
    """The signature of a signer who is missing, given by another in his own name, with the reason."""
    if round_.status != "tallied":
        raise Refusal("round_step_illegal", now=round_.status, act="certify")
    if missing not in awaited(round_):
        raise Refusal("already_signed" if missing in round_.signed else "not_a_signer")
    told = {**round_.overrides, missing: {"as": role, "reason": reason, "at": now}}
    signed, _ = certify(round_, (missing,))
    return replace(signed, overrides=told)


def awaited(round_: Round) -> tuple[str, ...]:
    """The signers whose signature is still to come, in the show's order."""
    return tuple(role for role in round_.signers if role not in round_.signed)


def may_sign(round_: Round, roles: Sequence[str]) -> bool:
    """Whether one of the roles has to sign the tally now."""
    return round_.status == "tallied" and bool(set(roles) & set(awaited(round_)))


def may_publish(round_: Round, roles: Sequence[str]) -> bool:
    """Whether the show lets one of the roles publish the certified result."""
    return round_.status in NEXT["publish"] and bool(set(roles) & set(round_.publishers))


def may_see_result(round_: Round, roles: Sequence[str]) -> bool:
    """The public (no roles) sees what was published to it; signers and publishers what they answer
    for."""
    if round_.published_for("public"):
        return True
    if round_.published_for("hall") and has_right(roles, "see_hall_result"):
        return True
    if round_.published_for("internal") and has_right(roles, "see_internal_result"):
        return True
    return bool(set(roles) & {*round_.signers, *round_.publishers})


def may_see_ballots(round_: Round, roles: Sequence[str]) -> bool:
    """Whoever supervises may read the ballots, once no more are taken."""
    return has_right(roles, "see_ballots") and round_.after_closing


def publish(round_: Round, audience: str, roles: Sequence[str]) -> Round:
    """Published to `audience` (rule 5). Needs no narrower publication before it."""
    if audience not in AUDIENCES:
        raise Refusal("malformed", place="audience")
    published = step(round_, "publish")
    if not set(roles) & set(round_.publishers):
        raise Refusal("not_a_publisher")
    if audience in round_.published_to:
        raise Refusal("already_published")
    return replace(published, published_to=(*round_.published_to, audience))


def void(round_: Round, reason: str) -> Round:
    """Voided before publication, with the reason (rule 4)."""
    return replace(step(round_, "void"), void_reason=reason)


def check_known_by_absence(entitled: Sequence[Entitled], together: Together) -> None:
    """`own_unit_known` where a secret round's whole ballots stay together: one in which the head of a
    unit is missing says that somebody of that unit cast it."""
    known = sorted({one.unit for one in entitled if one.own and one.present})
    if known and together == "ballot":
        raise Refusal("own_unit_known", units="、".join(known))


def check_floor(
    floor: int,
    weights: Mapping[str, Fraction],
    entitled: Sequence[Entitled],
    names: Mapping[str, str],
) -> None:
    """`group_below_floor` with the first group of weight that has fewer present who may rate each subject
    (rule 6): a mark of few is known by whoever is not of the unit. Without groups in the rules the whole
    panel is one."""
    here = [one for one in entitled if one.present]
    groups = [key for key, weight in weights.items() if weight] if weights else [""]
    for key in groups:
        group = [one for one in here if not weights or one.group == key]
        own = Counter(subject for one in group for subject in one.own)
        present = len(group) - max(own.values(), default=0)
        if present < floor:
            name = names.get(key, key)
            told = (f"“{name}”", f"group “{name}”") if key else ("评议团", "the panel")
            raise Refusal("group_below_floor", group=told, present=present, floor=floor)


def same_ballot(round_: Round, mac: str = "") -> str:
    """What is kept of a secret round's ballot under its key, instead of a hash of what was sent, which
    anybody could try out. At closing the MAC goes and what stood before it stays (rule 7)."""
    return f"sealed:{round_.id}:{mac}"


def held_again(round_: Round, id_: str, ordinal: int) -> Round:
    """The round that is held in the place of this one, `ready` and linked to it. It counts the hall anew."""
    given = round_.rules_before
    return replace(
        round_,
        id=id_,
        rules=given,
        rules_hash=None if given is None else document_hash(given),
        rules_given=None,
        status="ready",
        version=1,
        ordinal=ordinal,
        entitled=(),
        cast=0,
        counts={},
        opened_at=None,
        closes_at=None,
        closed_at=None,
        result=None,
        signed=(),
        published_to=(),
        reveal=0,
        void_reason=None,
        tally_refused=None,
        replaces=round_.id,
        seal=None,
        seal_destroyed_at=None,
        root=None,
        overrides={},
        contest_until=None,
        correction=None,
    )


def refusal_of(round_: Round) -> Refusal | None:
    """Why this round takes no ballot now, or None."""
    if round_.status in TAKES_BALLOTS:
        return None
    return Refusal("round_not_open" if round_.status == "ready" else "round_closed")


def entitled_seat(round_: Round, seat: int) -> Entitled:
    """The frozen entry of this seat; `not_entitled`, or `came_late` when it was not present."""
    for one in round_.entitled:
        if one.seat == seat:
            if not one.present:
                raise Refusal("came_late")
            return one
    raise Refusal("not_entitled")


def check_choice(round_: Round, choice: str) -> None:
    """`choice_unknown` unless the round offers it."""
    if choice not in round_.keys:
        raise Refusal("choice_unknown", choice=choice)

"""A show: all that is settled about a hearing (述法评议会) before anybody enters the hall.

A show says who states, in which order, who marks by which rules, what the audience is asked and
which questions from citizens are already there. It is what an office prepares, rehearses and keeps;
a run of the hearing is started from it and never changes it.

These are plain values: nothing here reads a clock, a file or a database, and nothing checks itself.
`server/shows/` reads a show from YAML, checks every rule of the format and writes it back;
the format, written for the person who fills one in, is `docs/show-file.md`. A field here and its
key in the file have the same name.

Shapes that hold for every show that came out of a file:

* a *key* (`subject.key`, `item.key` …) is 1–40 of `[a-z0-9_-]` and unique in its list; whatever
  points to a key (`item.subject`, `seat.group`, `round.item` …) points to one that exists;
* a text has no blank first or last character, is not empty, and stands in one line unless its
  field says "lines"; an absent text is `None`, never `""`;
* a duration is in whole seconds; a time is the office's own wall clock, without a zone;
* a decimal is a string such as `"0.25"`: binary fractions never come near a mark;
* every list keeps the order of the file, which is the office's order: people never stand by score.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Literal, TypeAlias, get_args

from server.domain.rule_file import with_groups

BEIJING = timezone(timedelta(hours=8))
"""The one clock on which hearings are held and a show's times are written; it has no summer time."""

Language: TypeAlias = Literal["zh", "en"]

StepKey: TypeAlias = Literal[
    "opening",  # 开场
    "rules",  # 宣布规则
    "film",  # 短片
    "statement",  # 述法
    "questions",  # 提问与答复
    "comment",  # 点评
    "evaluation",  # 测评
    "result",  # 结果
    "break",  # 休息
    "closing",  # 总结讲话
]
RoundAudience: TypeAlias = Literal["panel", "public"]
Secrecy: TypeAlias = Literal["named", "secret"]
Replacing: TypeAlias = Literal["first", "last"]
Unsent: TypeAlias = Literal["discard", "send"]
Publication: TypeAlias = Literal["internal", "hall", "public"]
SourceKind: TypeAlias = Literal["hotline", "mailbox", "live"]
SeedStatus: TypeAlias = Literal["received", "approved", "shortlisted", "queued"]
Signer: TypeAlias = Literal["teller", "scrutineer", "host", "approver"]
Review: TypeAlias = Literal["second", "verification"]
Publisher: TypeAlias = Literal["approver", "office", "host"]

LANGUAGES: tuple[Language, ...] = get_args(Language)
STEP_KEYS: tuple[StepKey, ...] = get_args(StepKey)
ROUND_AUDIENCES: tuple[RoundAudience, ...] = get_args(RoundAudience)
SECRECIES: tuple[Secrecy, ...] = get_args(Secrecy)
UNSENTS: tuple[Unsent, ...] = get_args(Unsent)
REPLACINGS: tuple[Replacing, ...] = get_args(Replacing)
PUBLICATIONS: tuple[Publication, ...] = get_args(Publication)
SOURCE_KINDS: tuple[SourceKind, ...] = get_args(SourceKind)
CONTEST_DAYS = 5
SEED_STATUSES: tuple[SeedStatus, ...] = get_args(SeedStatus)
SIGNERS: tuple[Signer, ...] = get_args(Signer)
PUBLISHERS: tuple[Publisher, ...] = get_args(Publisher)
REVIEWS: tuple[Review, ...] = get_args(Review)

JsonValue: TypeAlias = "str | int | bool | list[JsonValue] | dict[str, JsonValue] | None"
RulesDocument: TypeAlias = Mapping[str, JsonValue]
"""The contract's RULES.json: decimals are strings, counts and places integers."""


@dataclass(frozen=True, slots=True)
class ShowSubject:
    """Somebody who makes a statement and is evaluated (述法人)."""

    key: str
    name: str
    """The person's name."""
    post: str
    """The post held, such as 党组书记、局长."""
    unit: str
    """The unit that the person heads, in full."""
    aliases: tuple[str, ...] = ()
    """Other names under which work orders know the unit."""


@dataclass(frozen=True, slots=True)
class ShowStep:
    """One step of an agenda item."""

    key: StepKey
    """What is done; at most once in an item, in any order."""
    seconds: int = 0
    """Time allowed, in seconds (0–86,400); 0 = no countdown."""
    script: str | None = None
    """Lines for the host in front of the camera, shown on the card page only. Lines."""


@dataclass(frozen=True, slots=True)
class ShowItem:
    """An agenda item, with an official (a statement) or without one (opening, film, break …)."""

    key: str
    title: str
    subject: str | None
    """Key of the subject whose item it is; None = nobody's."""
    steps: tuple[ShowStep, ...]
    """At least one."""


@dataclass(frozen=True, slots=True)
class ShowGroup:
    """A part of the panel that counts with a weight of its own (人大代表, 政协委员 …)."""

    key: str
    name: str
    weight: str
    """A decimal ≥ 0, such as "0.3". Weights need not sum to 1: the tally divides by their sum."""


@dataclass(frozen=True, slots=True)
class ShowSeat:
    """A place on the panel and the panelist (评议团成员) who takes it."""

    number: int
    """Number on the desk, 1–999, unique."""
    name: str
    """Empty for an unnamed seat (无名组卡): its card bears the group alone and is drawn in the hall, so that
    nobody knows who holds which."""
    group: str
    """Key of a group."""
    unit: str | None = None
    """Where the panelist comes from."""


@dataclass(frozen=True, slots=True)
class ShowChoice:
    """One answer of a round that asks for one."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class ShowLabel:
    """The words for a key of the rules (a dimension or a grade), which themselves have keys only.

    Example: `ShowLabel("personally", "履职亲自抓")`.
    """

    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRound:
    """A round in which the panel marks (测评) or the public says what it thinks (网络评价).

    Exactly one of `choices` and `rules` is given; a public round has choices.
    """

    key: str
    title: str
    audience: RoundAudience
    secrecy: Secrecy
    """`secret` rounds are sealed until they close. Public rounds are pseudonymous either way;
    from a file they are `named` (not sealed) unless it says otherwise."""
    replacing: Replacing = "last"
    """Which ballot of one person counts when several are sent: the first or the last valid one."""
    unsent: Unsent = "discard"
    """What becomes of a panelist's sheet that is whole and not sent when the round closes."""
    comments: bool = False
    """Whether panelists may write something of each subject beside their marks (意见建议)."""
    reason_below: str | None = None
    """Below which total of a sheet a reason must be written; a decimal."""
    subjects: tuple[str, ...] = ()
    """Keys of the subjects that the round is about; at least one where there are rules."""
    item: str | None = None
    """Key of the agenda item in which the round is meant to be opened; None = any."""
    choices: tuple[ShowChoice, ...] = ()
    """The answers on offer: none, or 2–12."""
    rules: RulesDocument | None = field(default=None, hash=False)
    """The rules as the file has them. To tally, ask `Show.rules_of`, which adds the groups.
    Read it, do not write to it."""
    labels: tuple[ShowLabel, ...] = ()
    """Words for the dimensions and grades of the rules, in the order of the form."""
    show_live: bool = False
    """Whether counts by choice are shown while the round is open; never in a secret round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowQuestion:
    """A citizen's question (群众提问) that is there when the hearing begins.

    It goes through intake like any other: masked first, then put into `status`.
    """

    source: SourceKind
    """What kind of place it comes from."""
    source_key: str
    """Which one: a key, such as hotline-12345; always of the same kind."""
    external_id: str
    """The sender's own number, unique within `source_key`."""
    title: str | None = None
    text: str
    """As the citizen wrote it, unmasked. Lines; up to 20,000 characters."""
    subject: str | None = None
    """Key of the subject that it is put to; None = not yet assigned."""
    requester_name: str | None = None
    """Personal: the intake desk's only."""
    requester_phone: str | None = None
    """Personal: the intake desk's only. As written, not checked."""
    district: str | None = None
    asked_at: datetime | None = None
    """To the second, the office's wall clock, no zone."""
    likes: int = 0
    """How often the source system says the letter was liked (来源点赞); the desk sees it and it is no
    同问: 0–1,000,000,000."""
    status: SeedStatus = "received"
    """How far moderation has got. Queued questions queue in the order of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """One whole hearing as prepared."""

    title: str
    slug: str
    """The hearing's place in addresses (`/h/SLUG`): 3–40 of `[a-z0-9-]`."""
    office: str
    """Name of the office that holds the hearing."""
    language: Language = "zh"
    """The language that the show is written in and that its pages open with."""
    stream_url: str | None = None
    """Address of the stream (HLS or an embed), http or https; None = no picture."""
    note: str | None = None
    """What everyone should know about this hearing, shown openly. Lines."""
    rehearsal_allowed: bool = True
    """Whether a rehearsal (演练) may be run before the real run."""
    signers: tuple[Signer, ...] = ("teller", "scrutineer", "host")
    """Keys of the roles that must each certify (计票确认) a panel round before it is published."""
    publishers: tuple[Publisher, ...] = ("approver",)
    """Keys of the roles that may publish (公布) a result, each of them alone."""
    publication: Publication = "internal"
    """The audience that results are meant for. Publishing is still an act of its own."""
    contest_days: int = CONTEST_DAYS
    """Days from its first publication in which a result may be contested (复核): 0–60, 0 = never."""
    reviews: tuple[Review, ...] = ()
    """What a question needs before it may go on stage: 复核, 核实."""
    shortlist_in_advance: bool = False
    """Whether an official's office may read what is shortlisted for him in advance."""
    subjects: tuple[ShowSubject, ...]
    items: tuple[ShowItem, ...]
    """The run of show, first item first."""
    groups: tuple[ShowGroup, ...] = ()
    seats: tuple[ShowSeat, ...] = ()
    rounds: tuple[ShowRound, ...] = ()
    questions: tuple[ShowQuestion, ...] = ()

    def rules_of(self, a_round: ShowRound) -> dict[str, JsonValue] | None:
        """The complete rules of a round of this show, a copy to keep; None = it asks for a choice.

        Rules that name no groups get the show's groups and weights, so that these are written down
        once. A show in which all panelists count alike has one group.
        """
        if a_round.rules is None:
            return None
        groups = [(group.key, group.weight) for group in self.groups]
        return with_groups(deepcopy(dict(a_round.rules)), groups)

"""A round is added to the hearing: a panel round with rules or a public round with choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.comments import check_setting
from server.domain.contests import stands_for
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.rounds import Round
from server.domain.rule_document import RulesInvalid
from server.domain.rule_file import parse_draft, with_groups
from server.domain.rules import document_hash
from server.domain.view import round_state


@dataclass(frozen=True)
class NewRound:
    """What `POST /hearings/SLUG/rounds` asks for. `choices` are (key, label) pairs."""

    title: str
    audience: str
    secrecy: str = "named"
    replacing: str = "last"
    subjects: tuple[str, ...] = ()
    rules: Mapping[str, Any] | None = None
    choices: tuple[tuple[str, str], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    show_live: bool = False
    unsent: str = "discard"
    comments: bool = False
    reason_below: str | None = None
    item: str | None = None
    replaces: str | None = None


async def create_round(
    house: House, by: Actor, slug: str, new: NewRound, key: str | None = None
) -> Answer:
    """`POST /hearings/SLUG/rounds` → 201 with the round."""

    async def work(unit: Unit) -> Answer:
        settings = await unit.hearings.settings()
        made = await checked_round(
            unit, new, house.code(), settings["signers"], settings["publishers"]
        )
        await unit.rounds.add(made)
        unit.record("round_created", ids={"round": made.id}, title=made.title)
        return Answer(round_state(made), 201)

    asked = Asked(by, "rounds", key, asdict(new), "rounds", "create_round")
    return await perform(house, asked, work, slug=slug)


async def checked_round(
    unit: Unit, new: NewRound, id_: str, signers: Sequence[str], publishers: Sequence[str]
) -> Round:
    """The round in `ready`, with its rules read and hashed, or the refusal that says what is wrong.

    A panel round without groups in its rules gets the hearing's groups and weights.
    """
    if (new.audience == "panel") != (new.rules is not None) or (new.audience == "public") != bool(
        new.choices
    ):
        raise Refusal("rules_and_choices")
    if not new.title or not all(label for _, label in new.choices):
        raise Refusal("text_too_short", least=1)
    if new.item is not None and all(item.id != new.item for item in await unit.hearings.items()):
        raise Refusal("item_unknown", item=new.item)
    known = {s.key for s in await unit.people.subjects()}
    for subject in new.subjects:
        if subject not in known:
            raise Refusal("subject_unknown", subject=subject)
    if new.audience == "panel" and not new.subjects:
        raise Refusal("malformed", place="subjects")
    if new.replaces is not None:
        voided = await unit.rounds.get(new.replaces)
        if voided is None or voided.status != "voided":
            raise Refusal("malformed", place="replaces")
        # What is to correct a contested result is held again as it was, once.
        if stands_for(voided, {one.id: one for one in await unit.rounds.all()}) is not None:
            raise Refusal("malformed", place="replaces")
    rules, digest = None, None
    if new.rules is not None:
        groups = await unit.people.groups()
        rules = with_groups(new.rules, [(key, weight) for key, _, weight in groups])
        digest = hash_of(rules)
    parsed = parse_draft(dict(rules)) if rules is not None else None
    check_setting(parsed, new.comments, new.reason_below)
    order = [s.key for s in await unit.people.subjects()]
    return Round(
        id=id_,
        title=new.title,
        audience=new.audience,
        secrecy=new.secrecy,
        replacing=new.replacing,
        subjects=tuple(key for key in order if key in new.subjects),
        status="ready",
        version=1,
        ordinal=await unit.rounds.last_ordinal() + 1,
        item=new.item,
        choices=new.choices,
        rules=rules,
        rules_hash=digest,
        labels=new.labels,
        show_live=new.show_live,
        unsent=new.unsent,
        comments=new.comments,
        reason_below=new.reason_below,
        signers=tuple(signers),
        publishers=tuple(publishers),
        replaces=new.replaces,
    )


def hash_of(rules: Mapping[str, Any]) -> str:
    """The rule set's hash, or `rules_invalid` with the place and the reason."""
    try:
        parse_draft(rules)
    except RulesInvalid as error:
        raise Refusal(
            "rules_invalid", problem=error.code, place=(error.message("zh"), error.message("en"))
        ) from error
    return document_hash(rules)

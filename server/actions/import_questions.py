"""A file's items come into a hearing: upsert on the sender's number, newer wins, history kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf
from typing import TypedDict

from server.actions.appeal_question import secret_hash
from server.actions.name_units import units
from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.actions.take_newer import Flags, take_newer
from server.domain import orders
from server.domain.incoming import Incoming
from server.domain.refusals import OutcomeUnknown, Refusal
from server.domain.roles import Actor
from server.domain.sources import KEY_FORM, USUAL, IntakeSource

AT_ONCE = 200
"""Items in one transaction: a live hearing waits no longer than these take."""


@dataclass
class Counted:
    """What became of the items."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0

    @property
    def all(self) -> int:
        """How many that are."""
        return self.new + self.updated + self.unchanged

    def __add__(self, more: Counted) -> Counted:
        return Counted(
            self.new + more.new, self.updated + more.updated, self.unchanged + more.unchanged
        )


@dataclass(frozen=True)
class Source:
    """Where items come from: its key, such as `mayor-mailbox`, the file's name, and what the file's
    columns were taken for. Refused with `source_unknown` when the key is none."""

    key: str
    file: str = ""
    mapping: Mapping[str, str | None] | None = None

    def __post_init__(self) -> None:
        if not KEY_FORM.fullmatch(self.key):
            raise Refusal("source_unknown")

    @property
    def channel(self) -> str:
        """`hotline` or `mailbox`, of a source that nobody has described."""
        return "mailbox" if "mailbox" in self.key else "hotline"


async def import_questions(
    house: House,
    by: Actor,
    slug: str,
    source: Source,
    items: Sequence[Incoming],
    *,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Counted:
    """Takes the items into the real line of the hearing, even while a rehearsal is shown.

    Done in pieces, each its own transaction; importing the same again changes nothing, so a break
    in the middle is mended by importing again. One journal entry says what came in, also when a later
    piece was refused (`import_stopped`, with how many are in). `progress` hears (pieces done, pieces in
    all). A paused source takes nothing in (`source_paused`).
    """
    # One after the other: the items may lie in a file.
    starts = range(0, max(1, len(items)), AT_ONCE)
    if dry_run:
        async with house.store.look(slug=slug, line=True) as unit:
            check_running(await unit.sources.get(source.key))
            total = Counted()
            for start in starts:
                total += await _sorted(unit, source, items[start : start + AT_ONCE])
            return total
    total, flags = Counted(), await house.flagger()
    asked, noted = Asked(by, "import", verb="import"), False
    try:
        for n, start in enumerate(starts, 1):
            piece = items[start : start + AT_ONCE]

            async def work(
                unit: Unit,
                piece: Sequence[Incoming] = piece,
                last: bool = n == len(starts),
                total: Counted = total,
            ) -> Answer:
                await unit.runs.hold_line()
                kept = await described(house, unit, source)
                # An act may be tried again: what it adds up is its own until it is committed.
                counted = total + await take_items(house, unit, by, kept, piece, flags)
                if last:
                    await _note(house, unit, by, source, kept, counted)
                return Answer(vars(counted))

            answer = await perform(house, asked, work, slug=slug, line=True)
            total, noted = Counted(**answer.body), n == len(starts)
            if progress is not None:
                progress(n, len(starts))
    except Refusal as refusal:
        if noted or not total.all:
            raise
        await _note_part(house, asked, slug, source, total)
        why = (refusal.message("zh"), refusal.message("en"))
        said = {**vars(total), "done": total.all, "of": len(items)}
        raise Refusal("import_stopped", why=why, reason=refusal.code, **said) from None
    except BaseException:
        if total.all and not noted:
            await _note_part(house, asked, slug, source, total)
        raise
    return total


async def _note(
    house: House, unit: Unit, by: Actor, source: Source, kept: IntakeSource, counted: Counted
) -> None:
    """What came in stands with its source, among the imports and in the journal."""
    await unit.questions.add_import(
        source_key=source.key,
        file_name=source.file,
        counts=vars(counted),
        actor=by.id,
        at=house.now(),
    )
    if source.mapping is not None:
        await unit.sources.save(kept.id, mapping=dict(source.mapping))
    await unit.sources.took(kept, house.now(), vars(counted))
    if counted.new or counted.updated:
        unit.record("questions_imported", source=source.key, **vars(counted))


async def _note_part(
    house: House, asked: Asked, slug: str, source: Source, counted: Counted
) -> None:
    """The same of an import that stopped before its end: what is in is in, whatever it stopped for. Where
    not even this can be written, why it stopped is what is told."""

    async def work(unit: Unit) -> Answer:
        await unit.runs.hold_line()
        kept = await unit.sources.get(source.key, lock=True)
        if kept is not None:
            await _note(house, unit, asked.by, source, kept, counted)
        return Answer({})

    with suppress(Refusal, OutcomeUnknown):
        await perform(house, asked, work, slug=slug, line=True)


async def described(house: House, unit: Unit, source: Source) -> IntakeSource:
    """The source as its hearing keeps it, held until this act ends; one that nobody has described is
    kept as one of files. Raises `source_paused`."""
    kept = await unit.sources.get(source.key, lock=True)
    if kept is None:
        name = USUAL.get(source.key, (source.key, ""))[0]
        address = new_address(house, source.key)
        kept = IntakeSource(0, source.key, name, "file", source.channel, address)
        kept = replace(kept, id=await unit.sources.add(kept, None))
    check_running(kept)
    return kept


def new_address(house: House, key: str) -> str:
    """What outside systems call a source by: nobody else's, and not to be guessed from another."""
    return f"{key}-{house.code().lower()}"


def check_running(source: IntakeSource | None) -> None:
    """`source_paused` for a source that is to take nothing in now."""
    if source is not None and source.paused:
        raise Refusal("source_paused", name=source.name)


async def _sorted(unit: Unit, source: Source, items: Sequence[Incoming]) -> Counted:
    """What an import would do."""
    known = await unit.questions.by_numbers(source.key, [item.external_id for item in items])
    counted = Counted()
    for item in items:
        kept = known.get(item.external_id)
        if kept is None:
            counted.new += 1
        elif _is_news(kept[1], item):
            counted.updated += 1
        else:
            counted.unchanged += 1
    return counted


async def take_items(
    house: House,
    unit: Unit,
    by: Actor,
    source: IntakeSource,
    items: Sequence[Incoming],
    flags: Flags,
) -> Counted:
    """The items become questions of the run within this transaction, each number once. `flags` are the
    house's, read before the transaction."""
    known = await unit.questions.by_numbers(source.key, [item.external_id for item in items])
    counted = Counted()
    officials = await units(unit)
    # What is known first, in order of id: whoever locks more than one question does so in that order.
    for item in sorted(items, key=lambda item: known.get(item.external_id, (inf,))[0]):
        kept = known.get(item.external_id)
        if kept is None:
            await _add(house, unit, source, item, officials)
            counted.new += 1
        elif _is_news(kept[1], item):
            facts = {**_told(item, officials)}
            await take_newer(house, unit, by.id, kept[0], item, facts, flags)
            counted.updated += 1
        else:
            counted.unchanged += 1
    return counted


def _is_news(kept: str, item: Incoming) -> bool:
    """Whether the item says something else than what is kept, and is not older than it."""
    digest, _, accepted = kept.partition("@")
    older = item.accepted_at is not None and accepted and int(accepted) > item.accepted_at
    return digest != item.digest and not older


class _Told(TypedDict):
    """What is kept of what a source says beside the text."""

    fields: dict[str, object]
    asker: str
    district: str
    agency: str
    solved: str
    proposed: str | None


def _told(item: Incoming, officials: Sequence[orders.Unit]) -> _Told:
    agency = orders.agency(item.fields)
    return _Told(
        fields={**item.fields, "hash": f"{item.digest}@{item.accepted_at or ''}"},
        asker=item.person,
        district=orders.district(item.fields),
        agency=agency,
        solved=orders.solved(item.fields),
        proposed=orders.propose(agency, officials),
    )


async def _add(
    house: House,
    unit: Unit,
    source: IntakeSource,
    item: Incoming,
    officials: Sequence[orders.Unit],
) -> None:
    code = house.code()
    question = await unit.questions.add(
        code=code,
        status="received",
        text=item.text,
        title=item.title,
        source=source.channel,
        source_key=source.key,
        external_id=item.external_id,
        likes=item.likes,
        tags=list(item.tags),
        created_at=item.accepted_at or house.now(),
        secret_hash=secret_hash(writers_secret(house, code)) if source.connector == "imap" else "",
        **_told(item, officials),
    )
    if item.sealed is not None:
        await unit.questions.seal(question.id, item.sealed)


def writers_secret(house: House, code: str) -> str:
    """What lets the writer of a letter appeal and rate: it goes out with the acknowledgement. Worked out from
    the code, so that only its hash is kept."""
    return house.author_secret("letter", code)

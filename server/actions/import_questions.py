"""A file's items come into a hearing: upsert on the sender's number, newer wins, history kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from server.actions.perform import Answer, Asked, perform
from server.actions.ports import House, Unit
from server.domain.incoming import Incoming
from server.domain.refusals import Refusal
from server.domain.roles import Actor

_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
AT_ONCE = 200
"""Items in one transaction: a live hearing waits no longer than these take."""


@dataclass
class Counted:
    """What became of the items."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, more: Counted) -> Counted:
        return Counted(
            self.new + more.new, self.updated + more.updated, self.unchanged + more.unchanged
        )


@dataclass(frozen=True)
class Source:
    """Where items come from: its key, such as `mayor-mailbox`, and the file's name. Refused with
    `source_unknown` when the key is none."""

    key: str
    file: str = ""

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise Refusal("source_unknown")

    @property
    def kind(self) -> str:
        """`hotline` or `mailbox`."""
        return "mailbox" if "mailbox" in self.key else "hotline"


async def import_questions(
    house: House,
    by: Actor,
    slug: str,
    source: Source,
    items: Sequence[Incoming],
    *,
    dry_run: bool = False,
) -> Counted:
    """Takes the items into the real line of the hearing, even while a rehearsal is shown.

    Done in pieces, each its own transaction; importing the same again changes nothing, so a break
    in the middle is mended by importing again. One journal entry says what came in.
    """
    if dry_run:
        async with house.store.look(slug=slug, line=True) as unit:
            return await _sorted(unit, source, items)
    total = Counted()
    pieces = [items[i : i + AT_ONCE] for i in range(0, len(items), AT_ONCE)] or [()]
    for n, piece in enumerate(pieces, 1):

        async def work(
            unit: Unit,
            piece: Sequence[Incoming] = piece,
            last: bool = n == len(pieces),
            total: Counted = total,
        ) -> Answer:
            await unit.runs.hold_line()
            # An act may be tried again: what it adds up is its own until it is committed.
            counted = await _take(house, unit, by, source, piece)
            so_far = total + counted
            if last:
                await unit.questions.add_import(
                    source_key=source.key,
                    file_name=source.file,
                    counts=vars(so_far),
                    actor=by.id,
                    at=house.now(),
                )
                if so_far.new or so_far.updated:
                    unit.record("questions_imported", source=source.key, **vars(so_far))
            return Answer(vars(so_far))

        asked = Asked(by, "import", verb="import")
        answer = await perform(house, asked, work, slug=slug, line=True)
        total = Counted(**answer.body)
    return total


async def _sorted(unit: Unit, source: Source, items: Sequence[Incoming]) -> Counted:
    """What an import would do."""
    known = await unit.questions.by_source(source.key)
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


async def _take(
    house: House, unit: Unit, by: Actor, source: Source, items: Sequence[Incoming]
) -> Counted:
    known = await unit.questions.by_source(source.key)
    counted = Counted()
    # What is known first, in order of id: whoever locks more than one question does so in that order.
    for item in sorted(items, key=lambda item: known.get(item.external_id, (inf,))[0]):
        kept = known.get(item.external_id)
        if kept is None:
            await _add(house, unit, source, item)
            counted.new += 1
        elif _is_news(kept[1], item):
            await _update(house, unit, by, kept[0], item)
            counted.updated += 1
        else:
            counted.unchanged += 1
    return counted


def _is_news(kept: str, item: Incoming) -> bool:
    """Whether the item says something else than what is kept, and is not older than it."""
    digest, _, accepted = kept.partition("@")
    older = item.accepted_at is not None and accepted and int(accepted) > item.accepted_at
    return digest != item.digest and not older


def _fields(item: Incoming) -> dict[str, object]:
    return {**item.fields, "hash": f"{item.digest}@{item.accepted_at or ''}"}


async def _add(house: House, unit: Unit, source: Source, item: Incoming) -> None:
    question = await unit.questions.add(
        code=house.code(),
        status="received",
        text=item.text,
        title=item.title,
        source=source.kind,
        source_key=source.key,
        external_id=item.external_id,
        likes=item.likes,
        tags=list(item.tags),
        fields=_fields(item),
        created_at=item.accepted_at or house.now(),
    )
    if item.sealed is not None:
        await unit.questions.seal(question.id, item.sealed)


async def _update(house: House, unit: Unit, by: Actor, id_: int, item: Incoming) -> None:
    """The newer record wins where no moderator has worked on the text; elsewhere only its fields
    are taken, and the sealed original."""
    question = await unit.questions.get(id_, lock=True)
    assert question is not None
    carried = await unit.questions.likes_carried_into(question.code)
    values: dict[str, object] = {"fields": _fields(item), "likes": item.likes + carried}
    if question.status in {"received", "screened"} and not question.rewritten:
        if question.text != item.text:
            await unit.questions.keep_wording(question, by.id, house.now())
        values.update(
            text=item.text, first_text=item.text, title=item.title, version=question.version + 1
        )
    await unit.questions.update_fields(id_, values)
    if item.sealed is not None:
        await unit.questions.seal(id_, item.sealed)

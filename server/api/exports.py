"""Documents of a round and of a hearing: XLSX, DOCX, PDF, for those who may see what stands in them.

One thread of this process makes them, one after the other, so that no frame waits for it. The last
ones are kept by what stands in them: a crowd that asks for one result has it made once.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from server.actions.perform import allowed
from server.actions.read_journal import whole_journal
from server.actions.tally_round import ballots_csv
from server.api.common import ActorDep, MaybeActor, RoundId, ServicesDep
from server.api.hearings import check_announced
from server.domain.explained import Lang
from server.domain.journal import Entry
from server.domain.refusals import Refusal
from server.domain.roles import Actor
from server.domain.rounds import Round, may_see_ballots, may_see_result
from server.reports.forms import forms_of
from server.reports.minutes import Minutes, minutes_of, questions_named
from server.reports.sheet import Sheet, sheet_of
from server.reports.wording import word
from server.services import Services, language_of

if TYPE_CHECKING:
    from server.store.unit import Unit

router = APIRouter(tags=["exports"])


class Workbook(Response):
    """XLSX."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Document(Response):
    """DOCX."""

    media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class Print(Response):
    """PDF."""

    media_type = "application/pdf"


@router.get("/rounds/{id}/result.xlsx", response_class=Workbook)
async def result_xlsx(
    id_: RoundId, request: Request, here: ServicesDep, by: MaybeActor
) -> Response:
    """The result as a workbook, with the ballots for those who may see them."""
    sheet, ballots = await _sheet(here, id_, by, request, ballots=True)

    def make() -> bytes:
        from server.reports.workbook import workbook

        return workbook(sheet, ballots)

    data = await _made(repr((sheet, ballots)), "xlsx", make)
    # Whoever passes it on sees by its name that every ballot is in it.
    name, said = "result.xlsx", f"{sheet.heading} {sheet.title}"
    if ballots is not None:
        name, said = "result-with-ballots.xlsx", f"{said} {sheet.word('with_ballots')}"
    return Workbook(data, headers=_to_save(sheet.id, name, said))


@router.get("/rounds/{id}/result.docx", response_class=Document)
async def result_docx(
    id_: RoundId, request: Request, here: ServicesDep, by: MaybeActor
) -> Response:
    """The result as a document in the office's style."""
    sheet, _ = await _sheet(here, id_, by, request)

    def make() -> bytes:
        from server.reports.document import result_document
        from server.reports.printed import chart_png

        return result_document(sheet, chart_png(sheet))

    data = await _made(repr(sheet), "docx", make)
    return Document(
        data, headers=_to_save(sheet.id, "result.docx", f"{sheet.heading} {sheet.title}")
    )


@router.get("/rounds/{id}/result.pdf", response_class=Print)
async def result_pdf(id_: RoundId, request: Request, here: ServicesDep, by: MaybeActor) -> Response:
    """The result on paper, with its chart."""
    sheet, _ = await _sheet(here, id_, by, request)

    def make() -> bytes:
        from server.reports import printed

        return printed.result_pdf(sheet)

    data = await _made(repr(sheet), "pdf", make)
    return Print(data, headers=_to_save(sheet.id, "result.pdf", f"{sheet.heading} {sheet.title}"))


@router.get("/rounds/{id}/tally-sheet.pdf", response_class=Print)
async def tally_sheet(
    id_: RoundId, request: Request, here: ServicesDep, by: MaybeActor
) -> Response:
    """计票单, for signature: rules, counts, marks, hashes."""
    sheet, _ = await _sheet(here, id_, by, request)

    def make() -> bytes:
        from server.reports.printed import tally_sheet_pdf

        return tally_sheet_pdf(sheet)

    data = await _made(repr(sheet), "tally", make)
    name = f"{sheet.word('tally_title')} {sheet.title}"
    return Print(data, headers=_to_save(sheet.id, "tally-sheet.pdf", name))


@router.get("/rounds/{id}/forms.pdf", response_class=Print)
async def forms(id_: RoundId, request: Request, here: ServicesDep, by: ActorDep) -> Response:
    """Blank 测评表 of a panel round, one page a seat, should the tablets fail."""
    async with here.store.look(round=id_) as unit:
        allowed(unit.place, by, "see_ballots")
        round_ = await unit.rounds.get(id_)
        view = await unit.view(here.house.now())
    if round_ is None or round_.rules is None:
        raise Refusal("not_found")
    blank = forms_of(view, round_, _language(request))

    def make() -> bytes:
        from server.reports.printed import forms_pdf

        return forms_pdf(blank)

    data = await _made(repr(blank), "forms", make)
    name = f"{word('form_title', blank.lang)} {round_.title}"
    return Print(data, headers=_to_save(id_, "forms.pdf", name))


@router.get("/hearings/{slug}/minutes.docx", response_class=Document)
async def minutes_docx(slug: str, request: Request, here: ServicesDep, by: ActorDep) -> Response:
    """会议纪要: the run's journal as people read it."""
    minutes = await _minutes(here, slug, by, request)

    def make() -> bytes:
        from server.reports.document import minutes_document

        return minutes_document(minutes)

    data = await _made(repr(minutes), "docx", make)
    name = f"{word('minutes_title', minutes.lang)} {minutes.hearing}"
    return Document(data, headers=_to_save(slug, "minutes.docx", name))


@router.get("/hearings/{slug}/minutes.pdf", response_class=Print)
async def minutes_pdf(slug: str, request: Request, here: ServicesDep, by: ActorDep) -> Response:
    """The same on paper."""
    minutes = await _minutes(here, slug, by, request)

    def make() -> bytes:
        from server.reports import printed

        return printed.minutes_pdf(minutes)

    data = await _made(repr(minutes), "pdf", make)
    name = f"{word('minutes_title', minutes.lang)} {minutes.hearing}"
    return Print(data, headers=_to_save(slug, "minutes.pdf", name))


# What stands in them ----------------------------------------------------------------------------


async def _sheet(
    here: Services, id_: str, by: Actor | None, request: Request, *, ballots: bool = False
) -> tuple[Sheet, str | None]:
    """The sheet of a round for whoever may see its result, and BALLOTS.csv, where it is wanted, for
    whoever may see that."""
    async with here.store.look(round=id_) as unit:
        check_announced(unit.place, by)
        round_ = await unit.rounds.get(id_)
        roles = unit.place.roles(by)
        if round_ is None or round_.result is None or not may_see_result(round_, roles):
            raise Refusal("not_published")
        view = await unit.view(here.house.now())
        entries = await _about(unit, round_)
        wanted = ballots and may_see_ballots(round_, roles)
        text = await ballots_csv(unit, round_) if wanted else None
        comments = await unit.comments.all(id_)
    return sheet_of(view, round_, entries, _language(request), comments), text


async def _minutes(here: Services, slug: str, by: Actor, request: Request) -> Minutes:
    """The minutes of the run that is shown, with the results that the reader may see."""
    async with here.store.look(slug=slug) as unit:
        allowed(unit.place, by, "see_journal")
        view = await unit.view(here.house.now())
        entries = await whole_journal(unit)
        questions = await unit.questions.by_ids(questions_named(entries))
        notices = await unit.hearings.notice_texts()
        roles = unit.place.roles(by)
    seen = {one.id for one in view.rounds if one.result is not None and may_see_result(one, roles)}
    return minutes_of(view, entries, questions, notices, seen, _language(request))


REMEMBERED = 256
"""Rounds of which it is remembered what the journal says of them."""

_read: OrderedDict[tuple[str, int, str | None], list[Entry]] = OrderedDict()


async def _about(unit: Unit, round_: Round) -> list[Entry]:
    """What the journal says of a round. Each act on it makes a new version of it, and its bundle a
    root, so the journal is read once for each of these, however many ask."""
    known = (round_.id, round_.version, round_.root)
    found = _read.get(known)
    if found is None:
        found = [one for one in await whole_journal(unit) if one.body.get("round") == round_.id]
        _read[known] = found
        while len(_read) > REMEMBERED:
            _read.popitem(last=False)
    return found


def _language(request: Request) -> Lang:
    return cast(Lang, language_of(request))


# Making them ------------------------------------------------------------------------------------

KEPT = 32
"""Documents that are kept; a large one has half a megabyte."""

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents")
_kept: OrderedDict[str, bytes] = OrderedDict()


async def _made(content: str, kind: str, make: Callable[[], bytes]) -> bytes:
    """The document with this content: one that is kept, or a new one."""
    name = f"{kind} {hashlib.sha256(content.encode()).hexdigest()}"

    def in_thread() -> bytes:
        found = _kept.get(name)
        if found is None:
            found = _kept[name] = make()
        _kept.move_to_end(name)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        return found

    return await asyncio.get_running_loop().run_in_executor(_thread, in_thread)


_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f"\\/:*?<>|]+')


def _to_save(id_: str, name: str, said: str) -> dict[str, str]:
    """A browser keeps the answer as a file, with its name in words where it can."""
    words = _NOT_IN_A_NAME.sub(" ", said)[:100].strip()
    told = quote(f"{words}.{name.rpartition('.')[2]}")
    return {
        "Content-Disposition": f"attachment; filename=\"{id_}-{name}\"; filename*=UTF-8''{told}",
        "Cache-Control": "no-store",
    }

"""The only file that knows every part: wires stores, bus, pages and API into one application."""

from __future__ import annotations

import asyncio
import secrets as chance
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog
from fastapi import FastAPI

from moderation.desk.word_folder import WordFolder
from moderation.intake.normal_form import IncomingItem
from moderation.matching.twins import Matcher
from moderation.policy import clean_public_text
from moderation.screening.masking import MaskingRules, mask_item
from moderation.topics.adviser import Adviser
from moderation.topics.trainer import train
from server.actions import ports
from server.actions.ports import House
from server.actions.recover import pause_after_restart, void_without_seal
from server.api import (
    brief,
    contests,
    desk,
    exports,
    health,
    hearings,
    intake,
    office,
    open311,
    paper,
    questions,
    rounds,
    sockets,
    sources,
    stage,
    topics,
    viewers,
)
from server.api.frame import Compressed, Frame
from server.api.front import Front, Shelf
from server.api.openapi import describe, operation_id
from server.api.public_socket import Reception, most_viewers
from server.domain.refusals import Refusal
from server.duties import Duties
from server.errors import handle_errors
from server.identity import secrets
from server.identity.cards import CardDesk
from server.identity.door import Door
from server.identity.limits import Limiter
from server.identity.people import PeopleDesk
from server.identity.seals import Seals
from server.live import ballot_box, pulse, relay
from server.live.ballot_box import BallotBox
from server.live.bus_memory import MemoryBus
from server.live.bus_redis import RedisBus
from server.live.hub import Hub
from server.live.pulse import Pulse
from server.live.relay import Relay
from server.live.tablets import Tablets
from server.parts import Part, at_the_edge
from server.reports.bundling import bundle_of
from server.services import Services
from server.settings import Settings
from server.store.alive import Alive, Duty
from server.store.identity import Identity
from server.store.places import all_places
from server.store.public_acts import Floods, PublicActs
from server.store.sealed import open_sealed_rounds
from server.store.start_faults import start_fault
from server.store.transaction import Database
from server.store.unit import HearingStore, Unit
from server.store.votes import Books
from web.layout.assets import by_hashed_name
from web.renderer import PageRenderer
from web.routes import ROUTERS

log = structlog.get_logger()

WEB_WAITS_S = 5.0
"""How long a `web` leaves the duties to a worker that may just be starting."""
A_CROWD = 16_000
"""Viewers that one process is made for; a machine that gives too few descriptors for them is told of."""
STOP_S = 10.0
"""How long each step of the end may take: a database that hangs would hold it up for ever."""


@dataclass(frozen=True)
class Masked:
    """A masked text and what masking took, for the seal."""

    text: str
    sealed: dict[str, str]


@dataclass(frozen=True)
class Masker:
    """What masks a text that is written here, as an operator has set."""

    rules: MaskingRules

    def __call__(self, text: str, name: str = "", phone: str = "") -> Masked:
        """The text without personal data, and without its requester where he is known (law 17)."""
        item, _ = mask_item(
            IncomingItem(
                row=0, external_id="", content=text, requester_name=name, requester_phone=phone
            ),
            self.rules,
        )
        return Masked(item.content, {"text": text} if item.content != text else {})


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


if TYPE_CHECKING:

    def _each_port_is_kept(
        store: HearingStore,
        unit: Unit,
        memory: MemoryBus,
        redis: RedisBus,
        box: BallotBox,
        acts: PublicActs,
        floods: Floods,
        renderer: PageRenderer,
        seals: Seals,
        masker: Masker,
    ) -> None:
        """One line a port: what a store, a bus or a page lacks is told here by the port's name."""
        _store: ports.Store = store
        _unit: ports.Unit = unit
        _hearings: ports.Hearings = unit.hearings
        _people: ports.People = unit.people
        _questions: ports.Questions = unit.questions
        _sources: ports.Sources = unit.sources
        _matching: ports.Matching = unit.matching
        _topics: ports.Topics = unit.topics
        _rounds: ports.Rounds = unit.rounds
        _sealed: ports.Sealed = unit.sealed
        _journal: ports.Journal = unit.journal
        _runs: ports.Runs = unit.runs
        _bells: tuple[ports.Bell, ports.Bell] = memory, redis
        _box: ports.Box = box
        _seals: ports.Seals = seals
        _masker: ports.Masker = masker
        _counter: ballot_box.Counter = acts
        _reader: relay.Reader = store
        _renderer: relay.Renderer = renderer
        _counts: pulse.Counts = store
        _beats: pulse.Beats = floods


class Building:
    """One process: its services and the tasks that run beside the requests."""

    def __init__(self, settings: Settings, part: Part = Part.SERVE) -> None:
        self.settings, self.part = settings, part
        secret = secrets.installation_secret(settings.data, settings.secret or None)
        self.keys = secrets.Keys(secret, settings.secret_before.encode() or None)
        # An edge reads for all its viewers at once: few connections do, and there are many edges.
        self.database = Database(settings.database, readers=3 if part is Part.EDGE else 8)
        self.alive = Alive(self.database)
        self.duty = Duty(self.database, WEB_WAITS_S if part is Part.WEB else 0)
        self.books = Books()
        self.seals = Seals(settings.data)
        self.store = HearingStore(self.database, self.books)
        self.bus = RedisBus(settings.redis_url) if settings.redis_url else MemoryBus()
        self.hub = Hub()
        self.door = Door(settings, self.keys, self.database, now)
        floods = Floods(self.database, chance.token_hex(6))
        self.pulse = Pulse(self.hub, self.store, floods, now)
        self.relay = Relay(self.hub, self.store, PageRenderer(), now)
        self.box = BallotBox(
            PublicActs(self.database, self.books), self.bus.ring, self.pulse.stirred
        )
        self.tasks: set[asyncio.Task[Any]] = set()
        self.house = House(
            store=self.store,
            bell=self.bus,
            now=now,
            code=secrets.code,
            receipt=secrets.receipt,
            clean=clean_public_text,
            mask=Masker(MaskingRules.of(settings.mask_names)),
            masked_names=settings.mask_names,
            flagger=WordFolder(settings.data / "words").flagger,
            matcher=Matcher(),
            adviser=Adviser(),
            train=train,
            seal=self.keys.seal,
            unseal=self.keys.unseal,
            long_secret=secrets.long_secret,
            author_secret=self.keys.question_secret,
            person=self.keys.person,
            mark=self.keys.mark,
            box=self.box,
            seals=self.seals,
            bundle=bundle_of,
            later=self.later,
            ask_work=settings.ask_work,
        )
        self.services = Services(
            settings=settings,
            keys=self.keys,
            database=self.database,
            store=self.store,
            house=self.house,
            door=self.door,
            people=PeopleDesk(self.database, now),
            cards=CardDesk(self.database, now),
            limiter=Limiter(settings),
            box=self.box,
            hub=self.hub,
            relay=self.relay,
            pulse=self.pulse,
            tablets=Tablets(now),
            bus=self.bus,
            part=part,
            shut_out=lambda viewer: self.later(self.bus.shut_out(viewer)),
        )

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Runs something beside the requests; a failure is logged, not lost silently."""

        async def guarded() -> None:
            try:
                await work
            except Refusal as refusal:
                log.info("later_refused", code=refusal.code)
            except Exception as error:
                log.error("later_failed", error=type(error).__name__)

        task = asyncio.create_task(guarded())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def start(self) -> None:
        """Schema, secret, recovery, then everything that runs."""
        try:
            await self.bus.check()
            if self.part.leads:
                await self._lead()
            else:
                await self.check_secret()
        except BaseException as error:
            await self.bus.stop()
            await self._let_go()
            if isinstance(error, Exception):
                raise start_fault(error) or error from None
            raise
        await self.bus.start()
        self.bus.listen(self.relay.heard)
        self.bus.listen(self._stirred)
        self.bus.listen(self._shut_out)
        self.box.start()
        self.relay.start()
        self.pulse.start()
        if self.part.leads:
            self.later(self.alive.keep())
        if self.part.keeps_time:
            self.later(self.duty.keep())
            duties = Duties(self.house, self.database, self.seals, self.duty)
            for loop in (
                duties.screen,
                duties.group,
                duties.close,
                duties.finish,
                duties.destroy_seals,
                duties.learn,
            ):
                self.later(loop())
            # What edges do without: e-mail, and its senders' bad habits.
            from server.polling import Polling

            polling = Polling(self.house, self.database, self.duty, self.settings.public_url)
            self.later(polling.run())

    async def _lead(self) -> None:
        """The schema is brought up to date, and what stood still is paused."""
        from server.store.migrate import migrate  # 10 MB that edges and workers do without

        async with self.alive.starting() as alone:
            await migrate(self.database)
            await self.check_secret()
            if alone:
                await pause_after_restart(self.house, await self._places())
                async with self.database.read() as connection:
                    sealed = await open_sealed_rounds(connection)
                await void_without_seal(self.house, sealed)
            if self.database.sqlite:
                async with self.database.write() as connection:
                    await self.books.read_all(connection)

    async def stop(self) -> None:
        """Says goodbye, carries out what waits, lets go."""
        self.hub.close_all(1012, "1000")
        for step in (self.box.stop, self.relay.stop, self.pulse.stop):
            await self._ended(step)
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self._ended(self.bus.stop)
        await self._let_go()

    async def _let_go(self) -> None:
        for step in (self.alive.end, self.duty.end, self.database.close):
            await self._ended(step)

    @staticmethod
    async def _ended(step: Callable[[], Awaitable[None]]) -> None:
        """The next step follows, whether or not the database is there for this one."""
        try:
            async with asyncio.timeout(STOP_S):
                await step()
        except Exception as error:
            log.error("stop_failed", step=step.__qualname__, error=type(error).__name__)

    async def check_secret(self) -> None:
        """A process with another secret than the one in use, also with one that was, would make viewers
        into strangers and seal what the others cannot open. Who knows the one in use may bring a new
        one. Raises `secret_differs`."""
        async with self.database.write() as connection:
            identity = Identity(connection)
            used, before = await identity.fingerprint(), self.keys.before
            if self.keys.fingerprint == used:
                return
            if used is None or (before is not None and before.fingerprint == used):
                await identity.keep_fingerprint(self.keys.kid, self.keys.fingerprint, now())
            else:
                raise Refusal("secret_differs")

    async def _places(self) -> Any:
        async with self.database.read() as connection:
            return await all_places(connection)

    async def _stirred(self, kind: str, id_: str) -> None:
        if kind != "round":
            return
        try:
            async with self.store.look(round=id_) as unit:
                self.pulse.stirred(unit.place.ref.hearing)
        except Exception as error:  # the ballot is committed: its answer does not hang on this
            log.warning("stir_failed", error=type(error).__name__)

    async def _shut_out(self, kind: str, id_: str) -> None:
        if kind == "flooder":
            self.services.limiter.shut_out(id_)


def create_app(settings: Settings | None = None, part: Part = Part.SERVE) -> FastAPI:
    """The whole application for one process, or what its part needs of it."""
    settings = settings or Settings()
    shelf = Shelf({} if part is Part.WORKER else by_hashed_name())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            building = Building(settings, part)
            app.state.building, app.state.services = building, building.services
            building.bus.listen(shelf.heard)
            if not settings.plain_sockets:
                most = most_viewers()
                if most < A_CROWD:
                    log.warning("few_descriptors", viewers=most, wanted=A_CROWD)
                app.state.reception = Reception(building.services, most)
            await building.start()
        except Exception as error:
            app.state.failed = start_fault(error) or error  # uvicorn would only log it.
            raise
        try:
            yield
        finally:
            await building.stop()

    app = FastAPI(
        title="Pingyi 评议",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        generate_unique_id_function=operation_id,
    )
    api = [
        m.router
        for m in (
            hearings,
            questions,
            viewers,
            desk,
            stage,
            intake,
            sources,
            topics,
            rounds,
            brief,
            contests,
            paper,
            exports,
            office,
        )
    ]
    pages = [sockets.router, open311.router, *ROUTERS]
    if part is Part.EDGE:
        api, pages = [list(map(at_the_edge, routers)) for routers in (api, pages)]
    elif part is Part.WORKER:
        api, pages = [], []
    for router in api:
        app.include_router(router, prefix="/api/v1")
    app.include_router(health.router)
    app.openapi = cache(lambda: describe(app, (*api, health.router)))  # type: ignore[method-assign]
    for router in pages:
        app.include_router(router, include_in_schema=False)
    handle_errors(app)
    app.add_middleware(Compressed)
    app.add_middleware(Frame)
    app.add_middleware(Front, shelf=shelf)
    return app

"""The demonstration's scene: an office, a hearing from a show file, its people signed in, live."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.actions.change_status import change_status
from server.actions.check_in import check_in
from server.actions.create_hearing import create_hearing
from server.actions.move_position import move_position
from server.actions.open_round import open_round
from server.actions.start_run import start_run
from server.app import Building
from server.domain.hearing import Place
from server.domain.roles import Actor, Grant
from server.domain.show import Show
from server.identity.secrets import long_secret
from server.store.identity import Identity
from server.store.places import all_places

DEVICES = {"host": "host", "desk": "moderator", "card": "card"}
SCREENS = ("stage", "overlay", "podium")
TOKENS = ("moderator", "duty", "host", "office", "teller", "scrutineer")


@dataclass(frozen=True)
class Entry:
    """A reusable demo link: whose session it opens, and the page it leads to."""

    label: str
    secret: str
    target: str


@dataclass
class Scene:
    """Everything the ready line says, and what the links stand for."""

    slug: str
    links: dict[str, object] = field(default_factory=dict)
    tokens: dict[str, object] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    seats: list[tuple[int, int]] = field(default_factory=list)
    """(seat id, seat number) in order."""


async def set_scene(building: Building, show: Show, base: str) -> Scene:
    """Builds the hearing if the data folder has none of this name, and signs everyone in."""
    house = building.house
    async with building.database.write() as connection:
        identity = Identity(connection)
        roots = await identity.offices()
        root = (
            roots[0] if roots else await identity.add_office(show.office, "city", None, house.now())
        )
    director = Actor(
        "demo",
        "demo",
        tuple(Grant(role, root.id, root.path, True) for role in ("office", "host")),
    )
    async with building.database.read() as connection:
        known = [p for p in await all_places(connection) if p.slug == show.slug]
    if not known:
        await create_hearing(house, director, root.id, root.path, show)
        await _begin(building, director, show.slug)
    return await _sign_in(building, show.slug, base)


async def _begin(building: Building, director: Actor, slug: str) -> None:
    """draft → ready → check-in → live, the first official's statement, the first public round."""
    house = building.house
    await change_status(house, director, slug, "ready", 0)
    await start_run(house, director, slug, "real")
    async with building.store.look(slug=slug) as unit:
        seats = await unit.people.seats()
        items = await unit.hearings.items()
        rounds = await unit.rounds.all()
    for seat in seats:
        await check_in(house, slug, seat.id)
    await change_status(house, director, slug, "live", 0)
    first = next((i for i in items if i.subject is not None), items[0])
    keys = [step.key for step in first.steps]
    step = "statement" if "statement" in keys else keys[0]
    version = 0
    if first is not items[0]:
        # The opening has been: the run of show stands where the audience comes in.
        await move_position(house, director, slug, items[0].id, items[0].steps[0].key, version)
        version = 1
    await move_position(house, director, slug, first.id, step, version)
    public = next((r for r in rounds if r.audience == "public"), None)
    if public is not None:
        await open_round(house, director, public.id)


async def _sign_in(building: Building, slug: str, base: str) -> Scene:
    async with building.store.look(slug=slug) as unit:
        place, seats = unit.place, await unit.people.seats()
    scene = Scene(slug, seats=[(s.id, s.number) for s in seats])
    people = building.services.people
    machine = Actor("demo", "demo")

    async def link(page: str, label: str, *, role: str = "", seat: int | None = None) -> str:
        async with building.database.write() as connection:
            session = await people.open_session(
                connection, place, label=label, role=role, seat=seat
            )
        target = "/office" if page == "office" else f"/h/{slug}/{page}"
        token = long_secret()[:24]
        scene.entries[token] = Entry(label, session.secret, f"{target}?seat={label}")
        return f"{base}/demo/enter/{token}"

    async def token(role: str, seat: int | None = None) -> str:
        _, secret = await people.add_token(
            machine,
            place.ref.office,
            f"demo {role}",
            place=_where(place, role),
            role=role,
            seat=seat,
        )
        return secret

    scene.links["public"] = f"{base}/h/{slug}"
    for page, role in DEVICES.items():
        scene.links[page] = await link(page, role, role=role)
    scene.links["duty"] = await link("desk", "duty", role="duty")
    for page in SCREENS:
        scene.links[page] = await link(page, page, role="screen")
    scene.links["office"] = await link("office", "office", role="office")
    scene.links["panel"] = [
        await link("panel", f"panel-{s.number:02d}", role="panelist", seat=s.id) for s in seats
    ]
    for role in TOKENS:
        scene.tokens[role] = await token(role)
    scene.tokens["panel"] = [await token("panelist", s.id) for s in seats]
    return scene


def _where(place: Place, role: str) -> Place | None:
    """Office staff act for the whole office, everyone else in this hearing."""
    return None if role == "office" else place

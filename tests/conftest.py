"""Fixtures that several suites share."""

from __future__ import annotations

import functools
import secrets
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import httpcore2
import pytest
from playwright.sync_api import Browser

from tests.house import Home, home
from tests.journeys.browser import HEARD, chromium
from tests.mail_services import MailServer, dovecot
from tests.running import Running, running
from tests.schema import database_with_schema
from tests.services import create_database, postgresql, redis_server
from tests.several import Several, several

STORES = (
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.system),
)
BUSES = (
    pytest.param("memory", id="memory"),
    pytest.param("redis", id="redis", marks=pytest.mark.system),
)
ONE_OR_SEVERAL = (
    "one",
    pytest.param("several", marks=[pytest.mark.system, pytest.mark.xdist_group("several")]),
)
"""One process on SQLite; `web`, three edges and a worker on PostgreSQL and Redis, behind nginx."""


def together(item: pytest.Item) -> str | None:
    """What a test must stay together with on one worker: the group that it names, or else those with
    which it shares what their module made (a browser, a demonstration, a city), which every worker
    would make once more for its part of them."""
    named = item.get_closest_marker("xdist_group")
    if named is not None:
        return str(named.args[0])
    if not isinstance(item, pytest.Function):
        return None
    known = item._fixtureinfo.name2fixturedefs
    shared = {name for name, (*_, last) in known.items() if last.scope == "module"}
    made = item.callspec.params if hasattr(item, "callspec") else {}
    kinds = [str(value) for name, value in made.items() if name in shared]
    return ".".join([item.module.__name__, *kinds]) if shared else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tells `--dist loadgroup` who stays together: by what follows the @ of a test's id.

    pytest-xdist 3.8 itself writes it where pytest 9.2 no longer looks, and then groups nothing and
    says nothing (pytest-dev/pytest-xdist#1386).
    """
    if config.getoption("loadgroup", default=False):
        for item in items:
            if group := together(item):
                item._id = type(item.id).parse(f"{item.nodeid}@{group}")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """The installation of several processes ends with the last of those that are kept together for
    it: idle, it would take a fifteenth of a core for as long as the others run."""
    if together(item) == "several" != (nextitem and together(nextitem)):
        for one in item.session._fixturemanager.getfixturedefs("installation", item) or ():
            one.finish(item._request)  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails tells what the pages said of themselves meanwhile."""
    if call.when == "setup":
        HEARD.clear()
    report = yield
    if report.failed and HEARD:
        report.sections.append(("Pages", "\n".join(HEARD)))
    return report


@pytest.fixture(scope="session", autouse=True)
def authorities_read_once() -> Iterator[None]:
    """Every call of httpx2 makes a client, and every client reads the machine's list of certificate
    authorities, though all here speak plain http: 20 ms, three quarters of what a call cost."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(httpcore2.default_ssl_context)
        patch.setattr(httpcore2, "default_ssl_context", once)
        yield


@pytest.fixture
def anyio_backend() -> str:
    """Coroutines of tests run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real PostgreSQL for the whole session."""
    with postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Redis for the whole session."""
    with redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def mail_server() -> Iterator[MailServer]:
    """A real Dovecot for the whole session; whoever asks it takes a user of his own."""
    with dovecot() as server:
        yield server


@pytest.fixture(params=STORES)
def servers(request: pytest.FixtureRequest) -> tuple[str, str]:
    """(database, Redis) of every installation in turn: "" is SQLite in the data folder, and the bell
    inside the process; PostgreSQL comes with Redis, as it is installed."""
    if request.param == "sqlite":
        return "", ""
    database = database_with_schema(
        request.getfixturevalue("postgresql_server"), f"t{secrets.token_hex(6)}"
    )
    return database, request.getfixturevalue("redis_url")


@pytest.fixture
async def lanxi(tmp_path: Path, servers: tuple[str, str]) -> AsyncIterator[Home]:
    """The small hearing in `draft`, on every store and bus."""
    async with home(tmp_path / "data", *servers) as found:
        yield found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Running]:
    """A demonstration of its own, with nobody simulated."""
    with running(tmp_path / "data") as found:
        yield found


@pytest.fixture(scope="module", params=["lean", "plain"])
def either_demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """The same, once with the public's lean sockets and once with the server's own."""
    plain = {"PINGYI_PLAIN_SOCKETS": "1"} if request.param == "plain" else {}
    with running(tmp_path_factory.mktemp("demo") / "data", **plain) as found:
        yield found


@pytest.fixture(scope="session")
def installation(
    tmp_path_factory: pytest.TempPathFactory, postgresql_server: str, redis_url: str
) -> Iterator[Several]:
    """Several processes behind nginx; whoever needs a hearing there makes one of its own."""
    database = create_database(postgresql_server, f"t{secrets.token_hex(6)}")
    with several(tmp_path_factory.mktemp("several"), database, redis_url) as found:
        yield found


@pytest.fixture(params=ONE_OR_SEVERAL)
def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """A demonstration of its own, in one process and in several."""
    if request.param == "several":
        yield request.getfixturevalue("installation").another()
        return
    with running(tmp_path / "data") as found:
        yield found


@pytest.fixture(scope="module", params=ONE_OR_SEVERAL)
def everywhere_shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """The same, shared by a module's tests."""
    if request.param == "several":
        yield request.getfixturevalue("installation").another()
        return
    with running(tmp_path_factory.mktemp("demo") / "data") as found:
        yield found


@pytest.fixture(scope="module")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A demonstration shared by a module's tests, which must not disturb one another."""
    with running(tmp_path_factory.mktemp("demo") / "data") as found:
        yield found


@pytest.fixture(scope="module")
def chromium_of_module() -> Iterator[Browser]:
    """One browser for a module's tests. (It cannot outlive the module: while Playwright's loop runs,
    no coroutine of another suite can.)"""
    with chromium() as one:
        yield one


@pytest.fixture
def browser(chromium_of_module: Browser) -> Iterator[Browser]:
    """A browser with no window open; what a test leaves open, where its pages would go on asking for a
    server that is gone, is closed after it."""
    yield chromium_of_module
    for context in chromium_of_module.contexts:
        context.close()

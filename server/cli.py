"""The one public command, `pingyi`. Exit status: 0 done, 1 refused or different, 2 wrong usage.

Errors are one sentence on standard error, never a traceback.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from server.domain.refusals import Refusal
from server.logs import log_plainly
from server.settings import Settings

if TYPE_CHECKING:
    from server.parts import Part

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Pingyi 评议"
)


def main() -> None:
    """Entry point of the `pingyi` command."""
    log_plainly()
    os.umask(0o077)  # What citizens wrote is for nobody else on this machine.
    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        raise SystemExit(1) from None
    except Exception as error:
        if os.environ.get("PINGYI_DEBUG"):
            raise
        _fail(f"{type(error).__name__}: {error}".splitlines()[0])


def _fail(sentence: str, status: int = 1) -> None:
    print(sentence, file=sys.stderr)
    raise SystemExit(status)


def _checked_data(data: Path) -> Path:
    """The data folder, if it can be written."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data):
            pass
    except OSError as error:
        _fail(
            f"数据目录 {data} 不能写入。The data folder {data} cannot be written"
            f" ({error.strerror})."
        )
    return data


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Runs to the end, on uvloop where there is one."""
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop

    return uvloop.run(work)


@app.command()
def demo(
    port: Annotated[int | None, typer.Option(help="Port; PORT or 8000 by default.")] = None,
    data: Annotated[Path | None, typer.Option(help="Keep the demonstration's data here.")] = None,
    show: Annotated[Path | None, typer.Option(help="Another show file.")] = None,
    lan: Annotated[bool, typer.Option("--lan", help="Serve on the LAN address.")] = False,
    crowd: Annotated[int, typer.Option(min=0, help="Viewers from a separate process.")] = 0,
    quiet_room: Annotated[bool, typer.Option("--quiet-room", help="Nobody is simulated.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line when ready, nothing else.")
    ] = False,
) -> None:
    """A live hearing in an invented city, in one process, with links for everyone in it."""
    from server.demo.run import Wish, run_demo
    from server.serving import CannotServe
    from server.shows.example import EXAMPLES
    from server.shows.problems import ShowFileError
    from server.shows.read import read_show

    path = show or EXAMPLES["zh"]
    try:
        read = read_show(path.read_bytes())
    except ShowFileError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"读不了议程文件 {path}。The show file {path} cannot be read ({error.strerror}).")
    with tempfile.TemporaryDirectory(prefix="pingyi-demo-") as fresh:
        wish = Wish(
            show=read,
            data=_checked_data(data or Path(fresh)),
            port=port if port is not None else int(os.environ.get("PORT", "8000")),
            lan=lan,
            crowd=crowd,
            quiet=quiet_room,
            json=as_json,
        )
        try:
            _run(run_demo(wish))
        except CannotServe as error:
            _fail(str(error))
        except Refusal as refusal:
            _fail(refusal.in_both)


PortOption = Annotated[int | None, typer.Option(help="Port; PORT or 8000 by default.")]
HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
OwnPort = Annotated[int | None, typer.Option(help="Its own port, for health and metrics; PORT.")]


@app.command()
def serve(
    port: PortOption = None,
    host: HostOption = "127.0.0.1",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes on this port.")] = None,
) -> None:
    """Everything in one process, for real. The first start prints a set-up link."""
    from server.parts import Part

    settings = _settings()
    number = settings.port if port is None else port
    several = workers if workers is not None else settings.workers
    _run_part(Part.SERVE, settings, several, host=host, port=number)


@app.command()
def web(port: PortOption = None, host: HostOption = "127.0.0.1") -> None:
    """Staff, all pages and the API; one of the parts (docs/operating.md)."""
    from server.parts import Part

    settings = _settings()
    _run_part(Part.WEB, settings, host=host, port=settings.port if port is None else port)


@app.command()
def edge(
    port: OwnPort = None,
    public_port: Annotated[
        int, typer.Option(help="The public's port, shared by all edges.")
    ] = 8001,
    host: Annotated[str, typer.Option(help="Address of the public's port.")] = "127.0.0.1",
    processes: Annotated[
        int, typer.Option(min=1, help="Edges; their own ports count up from the first.")
    ] = 1,
) -> None:
    """The public's pages and sockets."""
    from server.parts import Part

    settings = _settings()
    _run_part(
        Part.EDGE,
        settings,
        processes,
        host="127.0.0.1",
        port=settings.port if port is None else port,
        public_host=host,
        public_port=public_port,
    )


@app.command()
def worker(port: OwnPort = None) -> None:
    """What nobody waits for: screening, closing by time."""
    from server.parts import Part

    settings = _settings()
    number = settings.port if port is None else port
    _run_part(Part.WORKER, settings, host="127.0.0.1", port=number)


def _run_part(part: Part, settings: Settings, processes: int = 1, **place: Any) -> None:
    """One process until its end, or several; what keeps it from starting is one sentence."""
    from server.run_part import Place, check_parts, run_part
    from server.serving import CannotServe
    from server.several import run_several

    def work(nth: int | None) -> int:
        try:
            _run(run_part(part, settings, Place(**place, nth=nth)))
        except CannotServe as error:
            _fail(str(error))
        except Refusal as refusal:
            _fail(refusal.in_both)
        return 0

    try:
        check_parts(part, settings, several=processes > 1)
    except Refusal as refusal:
        _fail(refusal.in_both, 2)
    _checked_data(settings.data)
    raise SystemExit(work(None) if processes == 1 else run_several(processes, work))


def _settings() -> Settings:
    """The settings; one that cannot be read is named, with what it should be."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        name = name if name.isupper() else f"PINGYI_{name.upper()}"
        _fail(f"设置 {name} 不对。The setting {name} is wrong: {first['msg']}.", 2)
        raise AssertionError from None  # not reached


@app.command()
def migrate() -> None:
    """Brings the database to the newest schema."""
    from server.store.migrate import migrate as bring_up
    from server.store.start_faults import start_fault
    from server.store.transaction import Database

    settings = _settings()

    async def run() -> None:
        try:
            database = Database(settings.database)
            try:
                await bring_up(database)
            finally:
                await database.close()
        except Exception as error:
            raise start_fault(error) or error from None

    try:
        _run(run())
    except Refusal as refusal:
        _fail(refusal.in_both)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes; an older one is replaced.")],
    seals: Annotated[
        Path | None,
        typer.Option(
            help="Where the seals of open secret rounds go, apart from the copy; for the scrutineer."
        ),
    ] = None,
) -> None:
    """Copies the SQLite database, safely while a hearing runs."""
    from server.backup_command import NotCopied
    from server.backup_command import backup as copy

    try:
        size = copy(_settings(), file, seals)
    except NotCopied as error:
        _fail(str(error))
    print(f"{file} · {size / 1e6:.1f} MB")
    if seals is not None:
        print(f"封存密钥（与备份分开保管）· the seals, to be kept apart from the copy: {seals}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A copy that `pingyi backup` made.")],
    seals: Annotated[
        Path | None,
        typer.Option(help="The seals that `pingyi backup --seals` wrote apart from it."),
    ] = None,
) -> None:
    """Puts a copy in the SQLite database's place, while nobody serves it."""
    from server.restore_command import NotRestored
    from server.restore_command import restore as put_back

    try:
        done = _run(put_back(_settings(), file, seals))
    except NotRestored as error:
        _fail(str(error), error.status)
    except Refusal as refusal:
        _fail(refusal.in_both)
    print(f"{done.path} · {done.size / 1e6:.1f} MB")
    if done.replaced is not None:
        print(f"原来的数据库 · the one before: {done.replaced}")
    for title in done.without_seal:
        print(
            f"无记名轮次“{title}”没有封存密钥，启动时将作废 · the secret round “{title}” has no seal and"
            " will be voided at the start"
        )


@app.command()
def viewers(
    number: Annotated[int, typer.Argument(metavar="N", min=1, help="How many.")],
    hearing: Annotated[str, typer.Option(help="The hearing's slug.")],
) -> None:
    """Prints viewer tokens for load tests, one a line."""
    from server.viewers_command import viewer_tokens

    try:
        tokens = _run(viewer_tokens(_settings(), number, hearing))
    except Refusal as refusal:
        _fail(refusal.in_both)
    print("\n".join(tokens))


@app.command()
def password(
    login: Annotated[str, typer.Argument(help="The login name.")],
    random: Annotated[
        bool, typer.Option("--random", help="Make one and print it, instead of asking.")
    ] = False,
) -> None:
    """Sets an account's password on the server: for an administrator whom nobody else can help."""
    from server.identity.secrets import code
    from server.password_command import set_password

    chosen = "-".join(code(4) for _ in range(4)) if random else _asked_password()
    try:
        account = _run(set_password(_settings(), login, chosen))
    except Refusal as refusal:
        _fail(refusal.in_both)
    print(
        f"已为“{account.login}”设置新密码，原有登录和接口令牌全部失效。"
        f"The password of “{account.login}” is set; its sessions and API tokens have ended."
    )
    if account.disabled:
        print("该账号已停用，仍不能登录。The account is disabled and still cannot sign in.")
    if random:
        print(f"{chosen}\n请登录后立即修改。Sign in and change it at once.")


def _asked_password() -> str:
    """Typed twice, unseen; from a pipe one line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = typer.prompt("新密码 · New password", hide_input=True, confirmation_prompt=True)
    return typed


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A hotline file: .csv, .xlsx or .xls.")],
    hearing: Annotated[str, typer.Option(help="The hearing's slug.")],
    source: Annotated[str, typer.Option(help="Key of the source, such as hotline-12345.")],
    mapping: Annotated[
        Path | None, typer.Option(help='{"COLUMN":"canonical name or null"}')
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Takes a hotline file into a hearing: every row is in, or refused with its reason."""
    from server.import_command import import_file

    status, outcome, error = _run(
        import_file(_settings(), file, hearing, source, mapping, dry_run=dry_run)
    )
    if error is not None:
        _fail(error, status)
    if as_json:
        print(json.dumps(outcome, ensure_ascii=False, separators=(",", ":")))
    else:
        words = {"rows": "行", "new": "新增", "updated": "更新", "unchanged": "未变"}
        print(" · ".join(f"{name} {outcome[key]}" for key, name in words.items()))
        written = outcome["new"] + outcome["updated"]
        if dry_run:
            print(
                f"试运行：什么都没有写入；正式导入会写入 {written} 条。"
                f"Dry run: nothing was written; a real run would write {written}."
            )
        else:
            print(f"已写入 {written} 条。Written: {written}.")
        for one in outcome["refused"]:
            print(f"  第 {one['row']} 行 [{one['column'] or '-'}] {one['message']}")
    raise SystemExit(status)


@app.command()
def topics(
    file: Annotated[Path, typer.Argument(help="A scheme of topics: .csv, .xlsx or .xls.")],
    hearing: Annotated[str, typer.Option(help="A hearing of the office whose scheme it is.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Replaces an office's scheme of topics: the whole file is taken, or every bad row is named."""
    from server.topics_command import replace_scheme

    status, outcome, errors = _run(replace_scheme(_settings(), file, hearing, dry_run=dry_run))
    if outcome is None:
        _fail("\n".join(errors), status)
    elif as_json:
        print(json.dumps(outcome, ensure_ascii=False, separators=(",", ":")))
    else:
        words = {"topics": "主题", "new": "新增", "gone": "移除", "kept": "仍在用的旧主题的提问"}
        print(" · ".join(f"{name} {outcome[key]}" for key, name in words.items()))
        if dry_run:
            print("试运行：什么都没有写入。Dry run: nothing was written.")
    raise SystemExit(status)


@app.command()
def tally(
    rules: Annotated[Path, typer.Option(help="RULES.json")],
    ballots: Annotated[Path, typer.Option(help="BALLOTS.csv")],
) -> None:
    """Recomputes a result from exported rules and ballots."""
    from server.tally_command import run

    raise SystemExit(run(rules, ballots, sys.stdout.buffer, sys.stderr))


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE.zip", help="Either edition.")],
    root: Annotated[
        str | None, typer.Option(metavar="HEX", help="The root from the stage or the sheet.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="zh or en; that of LANG.")] = None,
) -> None:
    """Recomputes everything from a round's bundle alone."""
    from server.verify_command import run

    raise SystemExit(run(bundle, root, lang))


if __name__ == "__main__":
    main()

"""Processes of the product, born of one that has everything imported already.

Most of what a start of `pingyi` costs is Python reading modules: 1.2 of 1.5 s of CPU. The suites
start it more than a hundred times, so they fork it from a process of `multiprocessing` that has read
them. From there on it is the same command, in a process of its own, that ends by the same signals;
`tests/test_cli.py` and the demonstration's own tests start it from nothing too, as people do.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).parent.parent
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["server.cli", "server.app", "server.serving", "server.demo.run", "tests.warm"]
)


class Born:
    """A running `pingyi`, with the part of `subprocess.Popen` that tests use."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        ours, theirs = os.pipe()
        with Connection(theirs, readable=False) as output:
            self._process = _CONTEXT.Process(
                target=_be_pingyi, args=(list(arguments), dict(environment), str(log), output)
            )
            self._process.start()
        self.stdout: TextIO = os.fdopen(ours, "r", encoding="utf-8")
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        """Waits for its end and gives its status; `TimeoutError` when it does not end."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise TimeoutError
        return self._process.exitcode

    def terminate(self) -> None:
        """Asks it to end."""
        self._process.terminate()

    def kill(self) -> None:
        """Ends it at once."""
        self._process.kill()


def finished(
    *arguments: str | Path, data: Path | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """`pingyi` run to its end, on this data folder and with these settings, with what it said."""
    words = [str(one) for one in arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PINGYI_")} | settings
    if data is not None:
        environment["PINGYI_DATA"] = str(data)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "errors"
        process = Born(words, environment, log)
        said = process.stdout.read()
        process.stdout.close()
        status = process.wait(60)
        return subprocess.CompletedProcess(words, status, said, log.read_text(encoding="utf-8"))


def _be_pingyi(
    arguments: list[str], environment: dict[str, str], log: str, output: Connection
) -> None:
    """What a shell does between fork and exec, and then the command."""
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(output.fileno(), 1)
    output.close()
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(errors, 2)
    os.close(errors)
    warnings.simplefilter("default")
    sys.argv = ["pingyi", *arguments]

    from server.cli import main

    main()

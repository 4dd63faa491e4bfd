"""`pingyi tally --rules RULES.json --ballots BALLOTS.csv`: the result as JSON on stdout.

Source: the contract, "Commands" and "Rules and ballots".
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from hashlib import file_digest
from io import BufferedReader, BytesIO, TextIOWrapper
from typing import BinaryIO, TextIO

from server.domain.ballot_file import ballot_rows
from server.domain.count import Row, numbered
from server.domain.explained import Explained, Lang, Sentence, shown
from server.domain.rule_file import read_rules
from server.domain.rules import Composite
from server.domain.tally import result_bytes, tally_rows

DONE, REFUSED, WRONG_USAGE = 0, 1, 2
"""Exit status: done · the rules or ballots cannot be used · a file cannot be read at all."""

_UNREADABLE: Sentence = ("无法读取“{name}”：{why}。", "“{name}” cannot be read: {why}.")
_UNWRITABLE: Sentence = ("结果无法写出：{why}。", "The result cannot be written: {why}.")


def run(
    rules_path: str | os.PathLike[str],
    ballots_path: str | os.PathLike[str],
    out: BinaryIO,
    err: TextIO,
    lang: Lang = "en",
) -> int:
    """Tally two files; the exit status.

    `out` takes bytes (`sys.stdout.buffer`): the result's are the same everywhere, whatever the
    terminal's encoding. On refusal `out` stays empty and `err` gets one sentence in `lang`.
    """

    def complain(sentence: Sentence, **detail: str) -> None:
        _say(err, sentence[0 if lang == "zh" else 1].format(**detail))

    files: list[BufferedReader] = []
    with contextlib.ExitStack() as stack:
        for path in (rules_path, ballots_path):
            try:
                files.append(stack.enter_context(open(path, "rb")))
                files[-1].peek(1)
            except (OSError, ValueError) as error:
                complain(_UNREADABLE, name=shown(os.fspath(path)), why=_why(error))
                return WRONG_USAGE
        try:
            data = _tallied(*files)
        except Explained as refusal:
            _say(err, refusal.message(lang))
            return REFUSED
        except OSError as error:
            complain(_UNREADABLE, name=shown(os.fspath(ballots_path)), why=_why(error))
            return WRONG_USAGE
    return _written(out, data, lambda why: complain(_UNWRITABLE, why=why))


def _tallied(rules_file: BufferedReader, ballots: BufferedReader) -> bytes:
    """The ballots are read from the file as they are counted, so that a file of any length needs no
    more memory than its cells do."""
    rules = read_rules(rules_file.read())
    composite = isinstance(rules, Composite)

    def rows() -> Iterator[tuple[int, Row]]:
        ballots.seek(0)
        lines = TextIOWrapper(ballots, "utf-8-sig", newline="")
        try:
            yield from numbered(ballot_rows(lines, channels=composite))
        finally:
            lines.detach()

    if not ballots.seekable():
        kept = BytesIO(ballots.read())
        ballots = BufferedReader(kept)
    ballots.seek(0)
    hashed = file_digest(ballots, "sha256").hexdigest()
    return result_bytes(tally_rows(rules, rows, hashed))


def _written(out: BinaryIO, data: bytes, complain: Callable[[str], None]) -> int:
    try:
        out.write(data)
        out.flush()
    except OSError as error:
        complain(_why(error))
        return REFUSED
    return DONE


def _why(error: Exception) -> str:
    """The system's own words for it, without the path that it may repeat."""
    reason = error.strerror if isinstance(error, OSError) else None
    return shown(reason or str(error) or type(error).__name__)


def _say(err: TextIO, sentence: str) -> None:
    err.write(f"{sentence}\n")
    err.flush()

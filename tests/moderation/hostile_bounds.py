"""Reads every hostile file, letter and answer in a process of its own and prints what each took, as JSON.

`{road: {name: {"became", "zh", "en", "next", "seconds", "mb"}}}`: CPU seconds with those of the reader
that it may start, MB beside its own bytes in whichever of the two took more; `next` is what became of a
good one that the same process was given then. A module of its own, so that it is run as a program: a
test's process is too large to be measured by.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from moderation.intake.hotline_file import read_hotline_bytes
from moderation.intake.mail import LETTER_LARGEST, LETTER_REFUSALS
from moderation.intake.open311 import read_requests
from moderation.intake.refusals import FileRefused
from moderation.take_in import incoming
from server.identity.secrets import Keys
from server.letters import _Piece, _read
from tests.moderation import hostile
from tests.moderation.letters import HOSTILE as LETTERS
from tests.moderation.letters import letter

KEYS = Keys(b"s" * 32, None)
Told = tuple[str, str, str]


class House:
    """What a letter needs of the house, with a seal that costs what a real one does."""

    seal, person, mark = KEYS.seal, KEYS.person, KEYS.mark
    author_secret = KEYS.question_secret
    masked_names = "private"

    @staticmethod
    def now() -> int:
        return time.time_ns() // 1_000_000


def file(data: bytes) -> Told:
    try:
        incoming(read_hotline_bytes(data).items, KEYS, "private")
    except FileRefused as refusal:
        return refusal.code, refusal.zh, refusal.en
    return "read", "", ""


def mail(data: bytes) -> Told:
    taken, house = _Piece(), House()
    size = len(data) if len(data) > LETTER_LARGEST else 0
    _read(data, None, size, {"acknowledge": True}, house, taken)
    if taken.apart:
        return taken.apart[0].reason, *LETTER_REFUSALS[taken.apart[0].reason]
    return "read", "", ""


def answer(data: bytes, form: str) -> Told:
    try:
        incoming(read_requests(data, form).items, KEYS, "private")
    except FileRefused as refusal:
        return refusal.code, refusal.zh, refusal.en
    return "read", "", ""


def kinds() -> Iterator[tuple[str, str, bytes, bytes, Callable[[bytes], Told]]]:
    """(road, name, its bytes, a good one, how it is read)."""
    for name, (make, _) in hostile.FILES.items():
        yield "file", name, make(), hostile.GOOD_FILE, file
    for name, (raw, _) in LETTERS.items():
        yield "mail", name, raw, letter(), mail
    for name, (make, _) in hostile.ANSWERS.items():
        form = hostile.form_of(name)
        good = hostile.GOOD_ANSWER
        if form == "xml":
            good = (
                b"<service_requests><request><service_request_id>7</service_request_id>"
                b"<description>x</description></request></service_requests>"
            )
        yield "answer", name, make(), good, lambda data, form=form: answer(data, form)  # type: ignore[misc]


def resident(pid: int | str = "self", what: str = "VmRSS") -> float:
    """MB of a process; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(what)), 0)


class Watch:
    """The peak of the reader that a process starts, looked at every few milliseconds."""

    def __init__(self, pid: int) -> None:
        self.most, self._pid, self._over = 0.0, pid, threading.Event()
        self._look = threading.Thread(target=self._run)
        self._look.start()

    def _run(self) -> None:
        while not self._over.wait(0.004):
            try:
                readers = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
            except OSError:
                continue
            for one in readers:
                # Before it becomes another program it is as large as we are.
                if b"workbook" in Path(f"/proc/{one}/cmdline").read_bytes():
                    self.most = max(self.most, resident(one, "VmHWM"))

    def end(self) -> float:
        self._over.set()
        self._look.join()
        return self.most


def measured(data: bytes, good: bytes, read: Callable[[bytes], Told]) -> dict[str, Any]:
    ends = os.pipe()
    child = os.fork()
    if child == 0:
        before = resident()
        became, zh, en = read(data)
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        seconds = sum(one.ru_utime + one.ru_stime for one in used)
        told = {"became": became, "zh": zh, "en": en, "seconds": round(seconds, 2)}
        mb = round(resident(what="VmHWM") - before)
        told |= {"mb": mb, "next": read(good)[0]}
        os.write(ends[1], json.dumps(told).encode())
        os._exit(0)
    os.close(ends[1])
    watch = Watch(child)
    _, status = os.waitpid(child, 0)
    reader = watch.end()
    with os.fdopen(ends[0], "rb") as pipe:
        said = pipe.read() if status == 0 else b'{"became":"died","seconds":0,"mb":0}'
    found: dict[str, Any] = json.loads(said)
    return {**found, "mb": max(found["mb"], round(reader - READER_ALONE))}


READER_ALONE = 12.0
"""MB of the reader's program before it has read anything."""


def main() -> None:
    told: dict[str, dict[str, Any]] = {"file": {}, "mail": {}, "answer": {}}
    for read, good in ((file, hostile.GOOD_FILE), (mail, letter())):
        read(good)  # What is made once is made.
    for road, name, data, good, read_it in kinds():
        told[road][name] = measured(data, good, read_it)
        del data
    json.dump(told, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()

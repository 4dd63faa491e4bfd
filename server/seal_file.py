"""Seals of secret rounds in a file of their own, which `pingyi backup --seals` writes for the scrutineer.

With the seals and a copy of the database of the same time, whoever has both can open the ballots of the
rounds that are open. So they are in no ordinary copy, and lie in a file for its owner alone.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from server.domain.rounds import SealBroken
from server.identity.seals import Seals, is_seal

FORMAT = "pingyi-seals"


def seals_of(seals: Seals) -> dict[str, bytes]:
    """Every whole seal in the folder by its public half."""
    found = ((public, seals.content(public)) for public in seals.held())
    return {public: content for public, content in found if content is not None}


def write_seals(file: Path, seals: Mapping[str, bytes]) -> None:
    """Whole or not there, 0600. Raises `OSError`."""
    document = {FORMAT: 1, "seals": {public: content.hex() for public, content in seals.items()}}
    descriptor, name = tempfile.mkstemp(dir=file.resolve().parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w") as out:
            out.write(json.dumps(document, indent=1, sort_keys=True) + "\n")
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


def read_seals(file: Path) -> dict[str, bytes]:
    """The seals by their public halves. Raises `OSError`, and `SealBroken` for what is no such file."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document[FORMAT] != 1:
            raise SealBroken
        seals = {public: bytes.fromhex(text) for public, text in document["seals"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SealBroken from None
    if not all(is_seal(public, content) for public, content in seals.items()):
        raise SealBroken
    return seals

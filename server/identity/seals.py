"""The seals of secret rounds: what alone opens their ballots, and how it comes to an end.

For each secret round a key pair and a second key are made at its opening. The public half stands in the
database and closes boxes; the private half opens them, and the second key tells whether the same
ballot was sent twice. Both of these lie in one file of `PINGYI_DATA/seals/` that bears the public
half as its name, and nowhere else: not in the database, Redis, a log or an ordinary backup.

The end of a seal has two steps, so that a crash between them is told from one before (law 12: its
end stands in the journal). `wipe` overwrites the file and leaves it empty, which is the sign that
this process once had it; `forget` takes the empty file away, after the journal has it. What a disk
keeps of overwritten blocks is beyond a program: SECURITY.md.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import IO

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from server.domain.rounds import SealBroken

_HALF = 32
_NAME = re.compile(r"[0-9a-f]{64}")


class Seal:
    """The keys of one round, in memory for as long as somebody holds this object."""

    def __init__(self, private: bytes, second: bytes) -> None:
        self._box = SealedBox(PrivateKey(private))
        self._second = second

    def open(self, box: bytes) -> bytes:
        """What the box holds. Raises `SealBroken`."""
        try:
            return bytes(self._box.decrypt(box))
        except CryptoError:
            raise SealBroken from None

    def mac(self, text: str) -> str:
        """The same for the same text. Without the second key nobody can try out which text it was."""
        return hmac.digest(self._second, text.encode(), "sha256").hex()


class Seals:
    """The seals in one process's data folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "seals"

    def make(self) -> str:
        """A new seal, on the disk before this returns; gives its public half."""
        private = PrivateKey.generate()
        public = bytes(private.public_key).hex()
        self.put(public, bytes(private) + secrets.token_bytes(_HALF))
        return public

    @staticmethod
    def box(public: str, content: bytes) -> bytes:
        """A box around the content, which only the seal of this public half opens. Two boxes around the
        same content have nothing in common but their size."""
        return bytes(SealedBox(PublicKey(bytes.fromhex(public))).encrypt(content))

    def find(self, public: str) -> Seal | None:
        """The seal, or None when this folder has it not, or no more."""
        content = self.content(public)
        return Seal(content[:_HALF], content[_HALF:]) if content is not None else None

    def held(self) -> tuple[str, ...]:
        """The public halves of all seals here, those that are wiped included."""
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return ()
        return tuple(sorted(name for name in names if _NAME.fullmatch(name)))

    def holds(self, public: str) -> bool:
        """Whether there is anything of it here: the seal, or the sign that it was wiped."""
        return (self._folder / public).exists()

    def wipe(self, public: str) -> None:
        """From here on nobody can open the round's boxes; the empty file stays. A second time it does
        nothing."""
        with contextlib.suppress(FileNotFoundError), (self._folder / public).open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            file.write(bytes(size))
            _sync(file)
            file.truncate(0)
            _sync(file)

    def forget(self, public: str) -> None:
        """A wiped seal's file goes; a seal that never closed a box may be forgotten at once."""
        self.wipe(public)
        (self._folder / public).unlink(missing_ok=True)
        self._sync_folder()

    # ── for copies that are kept apart ──

    def content(self, public: str) -> bytes | None:
        """The seal as it lies in its file, when it is whole."""
        try:
            content = (self._folder / public).read_bytes()
        except FileNotFoundError:
            return None
        return content if is_seal(public, content) else None

    def put(self, public: str, content: bytes) -> None:
        """The seal lies in the folder: whole or not there, and for its owner alone."""
        if not is_seal(public, content):
            raise SealBroken
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        descriptor, name = tempfile.mkstemp(dir=self._folder)  # 0600, as it stays
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                _sync(file)
            os.replace(name, self._folder / public)
        except BaseException:
            os.unlink(name)
            raise
        self._sync_folder()

    def give_to(self, user: int, group: int) -> None:
        """The folder and all in it belong to whom the server runs as."""
        for path in (self._folder, *self._folder.iterdir()):
            os.chown(path, user, group)

    def _sync_folder(self) -> None:
        """The names in it, and its own, outlive a power cut."""
        for folder in (self._folder, self._folder.parent):
            with contextlib.suppress(FileNotFoundError):
                descriptor = os.open(folder, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)


def is_seal(public: str, content: bytes) -> bool:
    """Whether the content is the seal with this public half."""
    if len(content) != 2 * _HALF or not _NAME.fullmatch(public):
        return False
    return bytes(PrivateKey(content[:_HALF]).public_key).hex() == public


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())

"""Codes, hashes, signed viewer tokens and the secret box: everything that chance or a key makes.

A viewer token is `v1.KID.ID.MAC`: a random id signed with the installation's secret (HMAC-SHA256),
so that any process can check it without a look-up. `KID` names the secret, which lets two live
side by side while one is being replaced.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0/O, 1/I/L: these codes are read aloud and typed from paper."""


def code(length: int = 8) -> str:
    """A short random code for people: 8 characters are 39 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def receipt() -> str:
    """A ballot's receipt: random, so that it tells nothing about the ballot."""
    return f"{code(4)}-{code(4)}"


def long_secret() -> str:
    """256 random bits for tokens, sessions and cards."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret that has enough bits of its own."""
    return hashlib.sha256(secret.encode()).hexdigest()


def installation_secret(data: Path, given: str | None) -> bytes:
    """`PINGYI_SECRET`, or the one made on first start in `PINGYI_DATA/secret` (0600)."""
    if given:
        return given.encode()
    path = data / "secret"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        # Whole or not there, also when the disk is full, when two processes start at once, and when
        # one is killed meanwhile; never readable by others.
        descriptor, name = tempfile.mkstemp(dir=data)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(name, path)
        finally:
            os.unlink(name)
    return path.read_text().strip().encode()


class Keys:
    """What the installation's secret is used for, each purpose with a key of its own. After a change
    of secrets the one `before` is still good for what was made with it."""

    def __init__(self, secret: bytes, before: bytes | None = None) -> None:
        self.before = Keys(before) if before else None
        self._viewer = _derive(secret, b"viewer")
        self._question = _derive(secret, b"question")
        self._box = SecretBox(_derive(secret, b"originals"))
        self.kid = hashlib.sha256(b"kid" + secret).hexdigest()[:8]
        self.fingerprint = hashlib.sha256(b"fingerprint" + secret).hexdigest()

    def viewer_token(self) -> str:
        """A new viewer."""
        id_ = secrets.token_urlsafe(12)
        return f"v1.{self.kid}.{id_}.{self._mac(id_)}"

    def viewer_of(self, token: str | None) -> str | None:
        """The viewer's id, or None when the token is missing, foreign or forged."""
        parts = (token or "").split(".")
        if len(parts) != 4 or parts[0] != "v1" or parts[1] != self.kid:
            return self.before.viewer_of(token) if self.before else None
        if not hmac.compare_digest(parts[3].encode(), self._mac(parts[2]).encode()):
            return None
        return parts[2]

    def _mac(self, id_: str) -> str:
        mac = hmac.digest(self._viewer, id_.encode(), "sha256")[:16]
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    def question_secret(self, owner: str, key: str) -> str:
        """The secret that an author gets: worked out from (author, key), so that a repeat of the
        key gets the same one although only its hash is stored."""
        mac = hmac.new(self._question, f"{owner}:{key}".encode(), hashlib.sha256).digest()[:18]
        return base64.urlsafe_b64encode(mac).decode()

    def person(self, told: str) -> str:
        """The same for whatever the same person gave of himself to a source (a number, an address), and
        for nobody else. Only who has the secret could try numbers against it."""
        mac = hmac.new(self._question, f"person:{told}".encode(), hashlib.sha256).digest()[:15]
        return "p." + base64.urlsafe_b64encode(mac).decode()

    def mark(self, told: str) -> str:
        """Tells whether the same is said again. A plain hash of what holds a number or a name would undo the
        sealing of it: whoever reads the database could try all numbers against it, here only who has the
        secret."""
        return hmac.new(self._question, f"mark:{told}".encode(), hashlib.sha256).hexdigest()[:32]

    def seal(self, original: Mapping[str, Any]) -> bytes:
        """A secret box around what masking took away."""
        return bytes(self._box.encrypt(json.dumps(original, ensure_ascii=False).encode()))

    def unseal(self, box: bytes) -> dict[str, Any]:
        """What the box holds. Raises `CryptoError` for a box of another secret."""
        try:
            opened: dict[str, Any] = json.loads(self._box.decrypt(box))
        except CryptoError:
            if self.before is None:
                raise
            return self.before.unseal(box)
        return opened


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(secret, person=purpose.ljust(16, b"\0"), digest_size=32).digest()

"""One connection to a mailbox (IMAP), read and never changed. It blocks: its caller has a thread.

Letters are looked at in a folder opened for reading only, so that none is marked or deleted. Refused
with `mailbox_unreachable`, `mailbox_tls`, `mailbox_login` or `mailbox_folder`; after any of them, and
after :class:`Lost`, the connection is of no more use.
"""

from __future__ import annotations

import contextlib
import imaplib
import math
import re
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from server.domain.refusals import Refusal

TIMEOUT_S: Final = 20.0
"""How long a server may be silent while it is asked for something."""
DEADLINE_S: Final = 120.0
"""How long it may take for one answer, however much it says."""
ANSWER_MOST: Final = 32 * 1024 * 1024
"""Bytes of one answer, sizes of a hundred thousand letters among them."""
HEAD_BYTES: Final = 64 * 1024
"""What is fetched of a letter that is too large to be."""


class Lost(Exception):
    """The server ended the connection, or said what nobody understands."""


class _Bounded(imaplib.IMAP4):
    """Python's client, which would otherwise keep whatever a server says for as long as it says it."""

    _until = math.inf
    _left = ANSWER_MOST

    def begin(self) -> None:
        """A new question: its answer has all the time and room again."""
        self._until, self._left = time.monotonic() + DEADLINE_S, ANSWER_MOST

    def read(self, size: int) -> bytes:
        self._use(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._use(len(line))
        return line

    def _use(self, size: int) -> None:
        self._left -= size
        if self._left < 0 or time.monotonic() > self._until:
            raise self.abort("an answer without end")


class _BoundedTls(_Bounded, imaplib.IMAP4_SSL):
    pass


imaplib.Commands["ID"] = ("NONAUTH", "AUTH", "SELECTED")
_UID: Final = re.compile(rb"\bUID (\d{1,10})\b")
_SIZE: Final = re.compile(rb"\bRFC822\.SIZE (\d{1,15})\b")


class Mailbox:
    """A mailbox as its source's settings name it."""

    def __init__(self, settings: Mapping[str, Any], password: str) -> None:
        self._told, self._password = settings, password
        self._client: _Bounded | None = None
        self._dropped = False
        self.validity = 0
        """The server's UIDVALIDITY: with another one, its numbers begin anew."""
        self.idles = False
        """Whether the server says by itself that a letter came."""

    def open(self) -> None:
        """Connects, signs in and opens the folder."""
        try:
            self._client = self._connected()
        except (ssl.SSLError, ssl.CertificateError):
            raise Refusal("mailbox_tls") from None
        except (OSError, imaplib.IMAP4.error, UnicodeError):
            raise Refusal("mailbox_unreachable") from None
        if self._dropped:
            self.drop()
        try:
            self._sign_in(self._client)
            self._open_folder(self._client)
        except (imaplib.IMAP4.abort, OSError):
            raise Refusal("mailbox_unreachable") from None

    def _connected(self) -> _Bounded:
        host, port, tls = self._told["host"], self._told["port"], self._told["tls"]
        if tls == "tls":
            context = ssl.create_default_context()
            return _BoundedTls(host, port, ssl_context=context, timeout=TIMEOUT_S)
        client = _Bounded(host, port, timeout=TIMEOUT_S)
        if tls == "starttls":
            try:
                client.starttls(ssl.create_default_context())
            except (imaplib.IMAP4.error, OSError):  # not offered, or not trusted
                with contextlib.suppress(OSError):
                    client.shutdown()
                raise ssl.SSLError from None
        return client

    def _sign_in(self, client: _Bounded) -> None:
        user, password = self._told["user"], self._password
        client.begin()
        try:
            if (user + password).isascii():
                client.login(_quoted(user), password)
            else:
                client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            raise Refusal("mailbox_login") from None
        # What a server can do may differ once it knows who asks.
        said = b" ".join(client.capability()[1] or [b""]).upper().split()
        self.idles = b"IDLE" in said
        if b"ID" in said:  # Some large providers open no folder for a program without a name.
            with contextlib.suppress(imaplib.IMAP4.error):
                client.xatom("ID", '("name" "Pingyi" "version" "0.1" "vendor" "Pingyi")')

    def _open_folder(self, client: _Bounded) -> None:
        try:
            status, _ = client.select(_quoted(modified_utf7(self._told["folder"])), readonly=True)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            status = "NO"
        if status != "OK":
            raise Refusal("mailbox_folder")
        said = client.response("UIDVALIDITY")[1][0]
        self.validity = int(said) if said else 0

    def newer_than(self, uid: int) -> list[tuple[int, int]]:
        """(UID, bytes) of every letter above this UID, in order."""
        found: dict[int, int] = {}
        for line in self._ask("FETCH", f"{uid + 1}:*", "(UID RFC822.SIZE)"):
            text = line[0] if isinstance(line, tuple) else line
            if text and (one := _UID.search(text)):
                size = _SIZE.search(text)
                # `*` is the last letter, even where it is not above.
                if int(one[1]) > uid:
                    found[int(one[1])] = int(size[1]) if size else 0
        return sorted(found.items())

    def fetch(self, uid: int, *, head: bool = False) -> tuple[bytes, datetime | None] | None:
        """A letter as it lies there and when it came; None once it is gone. `head`: its beginning."""
        what = f"BODY.PEEK[]<0.{HEAD_BYTES}>" if head else "BODY.PEEK[]"
        for line in self._ask("FETCH", str(uid), f"(UID INTERNALDATE {what})"):
            if isinstance(line, tuple):
                return line[1], _arrived(line[0])
        return None

    def _ask(self, *command: str) -> list[Any]:
        client = self._open_client()
        client.begin()
        try:
            status, said = client.uid(*command)
        except (imaplib.IMAP4.error, OSError, ValueError):
            raise Lost from None
        if status != "OK":
            raise Lost
        return [line for line in said if line is not None]

    # ── Being told of new letters ──

    def idle(self) -> bool:
        """The server is to say when something changes. Gives whether it has said something already;
        afterwards :attr:`descriptor` can be read when it does."""
        client = self._open_client()
        client.begin()
        try:
            client.send(b"PINGYI IDLE\r\n")
            said = False
            while not (line := client.readline()).startswith(b"+"):
                if not line or line.startswith(b"PINGYI"):
                    raise Lost
                said = True
            return said or self._buffered(client)
        except (imaplib.IMAP4.error, OSError, ValueError):
            raise Lost from None

    @staticmethod
    def _buffered(client: _Bounded) -> bool:
        """Whether more was read from the socket than was asked for: the socket says nothing of that."""
        read: Any = client.file
        client.sock.setblocking(False)
        try:
            return bool(read.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            client.sock.settimeout(TIMEOUT_S)

    def done(self) -> None:
        """The server may be asked again."""
        client = self._open_client()
        client.begin()
        try:
            client.send(b"DONE\r\n")
            while not (line := client.readline()).startswith(b"PINGYI"):
                if not line:
                    raise Lost
        except (imaplib.IMAP4.error, OSError, ValueError):
            raise Lost from None

    @property
    def descriptor(self) -> int:
        """What can be read when the server says something."""
        return self._open_client().sock.fileno()

    def _open_client(self) -> _Bounded:
        if self._client is None or self._dropped:
            raise Lost
        return self._client

    # ── The end ──

    def close(self) -> None:
        """Says goodbye."""
        if self._client is not None and not self._dropped:
            self._client.begin()
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                self._client.logout()

    def drop(self) -> None:
        """Ends the connection at once, also under a thread that waits for it."""
        self._dropped = True
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.sock.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError, ValueError):
                self._client.file.close()
            with contextlib.suppress(OSError):
                self._client.sock.close()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def modified_utf7(name: str) -> str:
    """A folder's name as IMAP writes it (RFC 3501, 5.1.3): `来信` is `&Z2VP4Q-`."""
    pieces = re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", name)
    return "".join(
        one.replace("&", "&-")
        if one.isascii() and one.isprintable()
        else "&" + _base64_of(one) + "-"
        for one in pieces
    )


def _base64_of(text: str) -> str:
    # UTF-7 is the same but for its first sign, its comma and an end that may be left out.
    return text.encode("utf-7").decode().strip("+-").replace("/", ",")


def _arrived(said: bytes) -> datetime | None:
    found = re.search(rb'INTERNALDATE "([^"]{1,40})"', said)
    with contextlib.suppress(ValueError):
        if found:
            return datetime.strptime(found[1].decode("ascii").strip(), "%d-%b-%Y %H:%M:%S %z")
    return None

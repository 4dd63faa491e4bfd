"""A real mailbox server (Dovecot) and a small mail server for tests, on loopback, ended after.

Dovecot runs as one plain user with a configuration of its own: a certificate made here, one password for
whoever asks, letters in folders below its own.
"""

from __future__ import annotations

import contextlib
import email
import grp
import imaplib
import os
import pwd
import re
import shutil
import signal
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

from tests.services import _as_nobody, _wait_for, free_port

PASSWORD = "mailbox-password"
CONFIG = """
base_dir = {here}/run
state_dir = {here}/run
log_path = {here}/log
protocols = imap
listen = 127.0.0.1, 127.0.0.2
local 127.0.0.2 {{
  protocol imap {{
    imap_capability = IMAP4rev1
  }}
}}
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = 1
mail_location = maildir:{here}/mail/%u
ssl = yes
ssl_cert = <{here}/cert.pem
ssl_key = <{here}/key.pem
ssl_dh =
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_max_userip_connections = 100
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  process_min_avail = 1
  service_count = 0
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {tls}
  }}
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={here}/mail/%u
}}
namespace inbox {{
  inbox = yes
}}
"""


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1, signed by nobody else: who trusts this file trusts the server."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem"


@dataclass
class MailServer:
    """A running Dovecot. At 127.0.0.2 it says nothing by itself (no IDLE)."""

    here: Path
    plain: int
    tls: int
    process: subprocess.Popen[bytes]

    @property
    def authority(self) -> str:
        return str(self.here / "cert.pem")

    def settings(self, user: str, **other: Any) -> dict[str, Any]:
        """What a source is told to ask this server, in the clear unless said otherwise."""
        told = {"host": "127.0.0.1", "port": self.plain, "tls": "none", "user": user,
                "password": PASSWORD}  # fmt: skip
        return {**told, **other}

    @contextmanager
    def owner(self, user: str) -> Iterator[imaplib.IMAP4]:
        """A connection of whoever owns the mailbox."""
        client = imaplib.IMAP4("127.0.0.1", self.plain)
        client.login(user, PASSWORD)
        try:
            yield client
        finally:
            client.logout()

    def put(self, user: str, *letters: bytes, folder: str = "INBOX") -> None:
        """Letters arrive."""
        with self.owner(user) as client:
            client.select("INBOX")
            for letter in letters:
                said, _ = client.append(folder, "", "", letter)
                assert said == "OK"

    def deliver(self, user: str, *letters: bytes) -> None:
        """Letters arrive as they are, also those that no client could hand in."""
        self.put(user)  # which makes the folders
        here = self.here / "mail" / user
        for n, letter in enumerate(letters):
            path = here / "tmp" / f"{time.time_ns()}.{n}.example"
            path.write_bytes(letter)
            if os.geteuid() == 0:
                shutil.chown(path, "nobody", "nogroup")
            path.rename(here / "new" / path.name)

    def cut(self, user: str) -> None:
        """The newest connection to the mailbox ends, as when a server does."""
        log = (self.here / "log").read_text()
        newest = re.findall(rf"Login: user=<{user}>.* mpid=(\d+)", log)[-1]
        os.kill(int(newest), signal.SIGKILL)

    def renumber(self, user: str) -> None:
        """The mailbox gets another UIDVALIDITY, as after a move to another server."""
        for one in (self.here / "mail" / user).glob("dovecot*"):
            one.unlink()


@contextmanager
def dovecot() -> Iterator[MailServer]:
    """A Dovecot that lives as long as the block."""
    program = shutil.which("dovecot") or "/usr/sbin/dovecot"
    if not Path(program).exists():
        raise RuntimeError("dovecot is missing: tools/system-packages.sh installs it")
    here = Path(tempfile.mkdtemp(prefix="pingyi-mail-"))
    plain, tls = free_port(), free_port()
    root = os.geteuid() == 0
    user = "nobody" if root else pwd.getpwuid(os.geteuid()).pw_name
    group = "nogroup" if root else grp.getgrgid(os.getegid()).gr_name
    certificate(here)
    (here / "mail").mkdir()
    (here / "run").mkdir()
    (here / "dovecot.conf").write_text(
        CONFIG.format(here=here, user=user, group=group, plain=plain, tls=tls, password=PASSWORD)
    )
    if root:
        for one in (here, *here.rglob("*")):
            shutil.chown(one, user, group)
    process = subprocess.Popen(
        _as_nobody([program, "-F", "-c", str(here / "dovecot.conf")]),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
    )
    try:
        _wait_for(plain)
        yield MailServer(here, plain, tls, process)
    finally:
        # The master itself: whoever began it as another user waits before he passes a signal on.
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((here / "run" / "master.pid").read_text()), signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        shutil.rmtree(here, ignore_errors=True)


# ── Who takes letters ────────────────────────────────────────────────────────────────────────


@dataclass
class Outbox:
    """A small SMTP server, and what it was given. `refuses` is what it says to every recipient;
    `breaks` ends the connection after a letter, before it is answered."""

    port: int = 0
    letters: list[Message] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuses: bytes = b""
    breaks: bool = False
    refused: int = 0

    def to(self) -> list[str]:
        return [str(one["To"]) for one in self.letters]


class _Talk(socketserver.StreamRequestHandler):
    """RFC 5321 as far as a program that sends needs it, with STARTTLS and AUTH."""

    server: Any

    def handle(self) -> None:
        box: Outbox = self.server.box
        self._say(b"220 outbox.example ESMTP")
        while line := self.rfile.readline():
            verb, rest = line.strip()[:4].upper(), line.strip()[5:]
            if verb == b"EHLO":
                self._say(b"250-outbox.example\r\n250-STARTTLS\r\n250 AUTH PLAIN")
            elif verb == b"STAR":
                self._say(b"220 begin")
                self.connection = self.server.context.wrap_socket(self.connection, True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", 0)
            elif verb == b"AUTH":
                box.logins.append(rest.decode())
                self._say(b"235 welcome")
            elif verb == b"RCPT" and box.refuses:
                box.refused += 1
                self._say(box.refuses)
            elif verb == b"DATA":
                self._say(b"354 go on")
                lines = []
                while (one := self.rfile.readline()).rstrip(b"\r\n") != b".":
                    lines.append(one[1:] if one.startswith(b"..") else one)
                box.letters.append(email.message_from_bytes(b"".join(lines), policy=default))
                if box.breaks:
                    return
                self._say(b"250 taken")
            elif verb == b"QUIT":
                self._say(b"221 goodbye")
                return
            else:
                self._say(b"250 well")

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.connection.close()

    def _say(self, text: bytes) -> None:
        self.wfile.write(text + b"\r\n")


@contextmanager
def outbox(certificates: Path) -> Iterator[Outbox]:
    """An SMTP server with the certificate in this folder, as long as the block lives."""
    box = Outbox()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Who breaks off is no news."""

    with Server(("127.0.0.1", 0), _Talk) as server:
        server.box, server.context = box, context  # type: ignore[attr-defined]
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join(5)

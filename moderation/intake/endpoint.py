"""An Open311 endpoint that is asked: one GET at a time, with an end to its time and to its size.

Whoever keeps a source names the address, so it is looked at before anybody connects: an intranet's own
addresses are where city systems are, but link-local ones and those at which clouds tell their machines'
secrets are nobody's endpoint. The address that was looked at is the one that is connected to, and no
redirect leads elsewhere.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from moderation.intake.open311_text import BYTES_MOST
from server.domain.refusals import Refusal

SECONDS_MOST: Final = 10.0
"""From looking up the name to the last byte."""
CHUNK: Final = 64 * 1024
METADATA: Final = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "fd00:ec2::254"))
)
"""Where clouds that have no link-local address for it tell a machine's secrets."""
ACCEPT: Final = {"json": "application/json", "xml": "text/xml"}


class Endpoint:
    """The endpoint of one source, by its settings."""

    def __init__(
        self, settings: Mapping[str, Any], api_key: str = "", seconds: float = SECONDS_MOST
    ) -> None:
        self._settings, self._api_key, self._seconds = settings, api_key, seconds
        self._socket: socket.socket | None = None
        self._dropped = False

    def get(self, asked: Mapping[str, str]) -> bytes:
        """The answer to `requests` with these parameters. Waits: for a thread. Raises
        `open311_unreachable`, `open311_address`, `open311_refused` (the key), `open311_status` with the
        status in its detail, `open311_large`."""
        ends = monotonic() + self._seconds
        timer = threading.Timer(self._seconds, self.drop)
        timer.daemon = True
        timer.start()
        try:
            return self._answer(asked, ends)
        except (OSError, http.client.HTTPException, ValueError):
            raise Refusal("open311_unreachable") from None
        finally:
            timer.cancel()
            self._close()

    def drop(self) -> None:
        """Whoever waits for an answer waits no longer; from any thread."""
        self._dropped = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _answer(self, asked: Mapping[str, str], ends: float) -> bytes:
        url = urlsplit(self._settings["url"])
        host, secure = url.hostname or "", url.scheme == "https"
        port = url.port or (443 if secure else 80)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = self._connected(host, port, secure, ends)
        form = self._settings["format"]
        connection.putrequest("GET", self._target(url.path, url.query, asked))
        connection.putheader("Accept", ACCEPT[form])
        connection.putheader("Accept-Encoding", "identity")
        connection.putheader("User-Agent", "Pingyi")
        connection.putheader("Connection", "close")
        connection.endheaders()
        with connection.getresponse() as response:
            if response.status in {401, 403}:
                raise Refusal("open311_refused")
            if response.status != 200:
                raise Refusal("open311_status", status=response.status)
            body = self._body(response)
        if self._dropped:  # what has come until then is only the beginning
            raise TimeoutError
        return body

    def _target(self, path: str, query: str, asked: Mapping[str, str]) -> str:
        told = dict(parse_qsl(query, keep_blank_values=True))
        if self._settings["jurisdiction"]:
            told["jurisdiction_id"] = self._settings["jurisdiction"]
        if self._api_key:
            told["api_key"] = self._api_key
        told.update(asked)
        return f"{path.rstrip('/')}/requests.{self._settings['format']}?{urlencode(told)}"

    @staticmethod
    def _body(response: http.client.HTTPResponse) -> bytes:
        if (response.length or 0) > BYTES_MOST:
            raise Refusal("open311_large")
        chunks, size = [], 0
        while chunk := response.read1(CHUNK):
            chunks.append(chunk)
            size += len(chunk)
            if size > BYTES_MOST:
                raise Refusal("open311_large")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        return b"".join(chunks)

    def _connected(self, host: str, port: int, secure: bool, ends: float) -> socket.socket:
        error: OSError = TimeoutError()
        for family, address in addresses(host, port):
            left = ends - monotonic()
            if self._dropped or left <= 0:
                break
            self._close()
            self._socket = plain = socket.socket(family, socket.SOCK_STREAM)
            plain.settimeout(left)
            try:
                plain.connect(address)
                if secure:
                    context = ssl.create_default_context()
                    self._socket = context.wrap_socket(plain, server_hostname=host)
                return self._socket
            except OSError as failed:
                error = failed
        raise error

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()


def addresses(host: str, port: int) -> Iterator[tuple[int, Any]]:
    """(family, address) of every address of the host that may be asked. Raises `open311_address` where
    there is none, `OSError` where there is no such host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    good = [(family, address) for family, *_, address in found if may_be_asked(str(address[0]))]
    if not good:
        raise Refusal("open311_address")
    return iter(good)


def may_be_asked(address: str) -> bool:
    """Whether an endpoint may have this address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
    if ip.is_loopback:
        return True
    nobodys = ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved
    return not nobodys and ip not in METADATA

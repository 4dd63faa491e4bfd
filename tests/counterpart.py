"""A city's own system: a small server that speaks Open311 GeoReport v2 by itself, and one that misbehaves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree


@dataclass
class City:
    """What the server holds, and what it was asked. `pages`: whether it knows of pages; `answer`: what
    it answers instead, (status, body, headers)."""

    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    api_key: str = ""
    pages: bool = True
    answer: tuple[int, bytes, dict[str, str]] | None = None
    misbehaves: str = ""

    def add(self, number: object, description: str, **more: Any) -> dict[str, Any]:
        one = {
            "service_request_id": number,
            "status": "open",
            "status_notes": None,
            "service_name": "道路设施",
            "service_code": "006",
            "description": description,
            "agency_responsible": None,
            "requested_datetime": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
            "address": "东街8号3单元502室",
            **more,
        }
        self.requests.append(one)
        return one


def as_xml(requests: list[dict[str, Any]]) -> bytes:
    root = ElementTree.Element("service_requests")
    for one in requests:
        element = ElementTree.SubElement(root, "request")
        for name, value in one.items():
            ElementTree.SubElement(element, name).text = None if value is None else str(value)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


@contextmanager
def city() -> Iterator[City]:
    """The server, for as long as the block lasts."""
    found = City()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            asked = dict(parse_qsl(address.query))
            found.asked.append({"path": address.path, **asked})
            try:
                if found.misbehaves:
                    self.misbehave()
                elif found.answer is not None:
                    self.tell(*found.answer)
                elif found.api_key and asked.get("api_key") != found.api_key:
                    self.tell(403, b'[{"code":403,"description":"Invalid api_key"}]', {})
                else:
                    self.tell(200, *self.asked_for(address.path, asked))
            except OSError:
                pass  # whoever asked has gone

        def asked_for(self, path: str, asked: dict[str, str]) -> tuple[bytes, dict[str, str]]:
            start = asked.get("start_date", "")[:19]
            page, size = int(asked.get("page", 1)), int(asked.get("page_size", 50))
            some = [one for one in found.requests if one["requested_datetime"][:19] >= start]
            if found.pages:
                some = some[(page - 1) * size : page * size]
            if path.endswith(".xml"):
                return as_xml(some), {"Content-Type": "text/xml"}
            return json.dumps(some).encode(), {"Content-Type": "application/json"}

        def tell(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def misbehave(self) -> None:
            if found.misbehaves == "silent":
                time.sleep(5)
                return
            self.send_response(200)
            if found.misbehaves == "broken off":
                self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(1_000):
                if found.misbehaves == "slow":
                    self.wfile.write(b"[")
                    self.wfile.flush()
                    time.sleep(0.05)
                elif found.misbehaves == "endless":
                    self.wfile.write(b" " * 65_536)
                else:
                    self.wfile.write(b"[")
                    return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}/open311/v2"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

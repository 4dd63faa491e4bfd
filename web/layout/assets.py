"""Own and vendored files, read, compressed and hashed once at start and served from memory."""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

WEB = Path(__file__).parent.parent
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".webmanifest": "application/manifest+json",
}
IMPORT = re.compile(rb"(?P<before>\b(?:from|import)\s*\(?\s*')(?P<path>\.{1,2}/[^']+\.js)(?=')")
"""An own module that imports another one by its path: `from './live.js'`."""


@dataclass(frozen=True)
class Asset:
    """One file: its bytes plain and gzipped, its type and the name that carries its hash."""

    name: str
    type: str
    plain: bytes
    gzipped: bytes
    hashed: str


@cache
def assets() -> Mapping[str, Asset]:
    """Every file under `static/` and every page's own CSS and JS, by name (`live.js`,
    `vendor/htmx.min.js`, `pages/host/host.css`)."""
    files = {
        path.relative_to(root).as_posix(): path
        for root, folder in ((WEB / "static", "static"), (WEB, "pages"))
        for path in (WEB / folder).rglob("*")
        if path.is_file() and path.suffix in TYPES
    }
    found: dict[str, Asset] = {}
    for name in files:
        _read(name, files, found)
    return found


def _read(name: str, files: Mapping[str, Path], found: dict[str, Asset]) -> Asset:
    """One file, after the modules that it imports.

    An import is rewritten to the hashed name. Otherwise the page and a module would load
    `live.js` under two names, and a browser makes that two modules with two sockets.
    """
    if name in found:
        return found[name]
    path = files[name]
    data = path.read_bytes()
    if path.suffix == ".js" and not name.startswith("vendor/"):
        # As served, `pages/…` and the files of `static/` lie side by side under /static/.
        folder = posixpath.dirname(name)

        def hashed(match: re.Match[bytes]) -> bytes:
            wanted = posixpath.normpath(posixpath.join(folder, match["path"].decode()))
            return match["before"] + f"/static/{_read(wanted, files, found).hashed}".encode()

        data = IMPORT.sub(hashed, data)
    digest = hashlib.sha256(data).hexdigest()[:10]
    found[name] = Asset(
        name,
        TYPES[path.suffix],
        data,
        gzip.compress(data, 9, mtime=0),
        f"{name[: -len(path.suffix)]}.{digest}{path.suffix}",
    )
    return found[name]


@cache
def by_hashed_name() -> Mapping[str, Asset]:
    """Assets by the name that a page links to; such a name never changes its content."""
    return {asset.hashed: asset for asset in assets().values()}


def asset_url(name: str) -> str:
    """The address of an asset in a page."""
    return f"/static/{assets()[name].hashed}"

"""What is handed out of a round and of a hearing: bundles, sheets, workbooks, documents."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def tools() -> dict[str, bytes]:
    """`verify.py` and `verify.html` as every bundle holds them."""
    here = Path(__file__).parent
    return {name: (here / name).read_bytes() for name in ("verify.py", "verify.html")}

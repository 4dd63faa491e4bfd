"""`pingyi verify BUNDLE.zip [--root HEX]`: the same check as the `verify.py` that lies in the bundle.

Source: the contract, "Commands" and "Bundle".
"""

from __future__ import annotations

import os
import sys

from server.reports import verify


def run(bundle: str | os.PathLike[str], root: str | None = None, lang: str | None = None) -> int:
    """Checks a bundle and says what holds; the exit status. Without `lang`, that of `LANG`."""
    if lang not in ("zh", "en"):
        lang = verify.language()
    return verify.run(os.fspath(bundle), root, lang, sys.stdout, sys.stderr)

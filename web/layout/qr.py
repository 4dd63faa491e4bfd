"""A QR code as a picture."""

from __future__ import annotations

from io import BytesIO

import segno


def qr_svg(text: str) -> bytes:
    """SVG with a quiet zone; dark on light whatever the page's theme."""
    out = BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=8, border=2, light="#fff")
    return out.getvalue()

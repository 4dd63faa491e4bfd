"""A refusal as a page's script reads it, in the page's language."""

from __future__ import annotations

from fastapi.responses import JSONResponse

from server.domain.refusals import Refusal


def refused(refusal: Refusal, lang: str) -> JSONResponse:
    """`{"error": {"code", "message"}}` with the refusal's status."""
    told = {"error": {"code": refusal.code, "message": refusal.message(lang)}}
    return JSONResponse(told, refusal.status, headers={"Cache-Control": "no-store"})

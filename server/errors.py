"""Everything that goes wrong in a request, as a row of the catalogue: JSON for the API, a page for people."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from server.api.common import error_response, refusal_of_validation
from server.api.open311_answers import error_told, is_open311
from server.api.openapi import methods_at
from server.domain.refusals import OutcomeUnknown, Refusal, RolledBack
from server.services import language_of
from web.layout.language import language
from web.routes import problem

log = structlog.get_logger()


def handle_errors(app: FastAPI) -> None:
    """Answers each in the reader's language."""

    def answer(request: Request, refusal: Refusal) -> Response:
        if is_open311(request.url.path):
            return error_told(request, refusal)
        api = request.url.path.startswith("/api/") or request.url.path in {
            "/healthz",
            "/readyz",
            "/metrics",
        }
        if api:
            return error_response(refusal, language_of(request))
        # As every page: what the address says, not what the browser was set to.
        return problem(refusal, language(request.query_params.get("lang")))

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> Response:
        return answer(request, error)

    @app.exception_handler(OutcomeUnknown)
    async def unknown(request: Request, error: OutcomeUnknown) -> Response:
        return answer(request, Refusal("outcome_unknown"))

    @app.exception_handler(RolledBack)
    async def rolled_back(request: Request, error: RolledBack) -> Response:
        return await unknown(request, OutcomeUnknown())

    @app.exception_handler(DBAPIError)
    @app.exception_handler(ConnectionError)
    @app.exception_handler(PoolTimeout)
    async def database_lost(request: Request, error: Exception) -> Response:
        """Whoever asked cannot know whether anything happened, and may ask again."""
        if not _may_come_back(error):
            return await broken(request, error)  # It is the statement that is wrong.
        log.warning("database_lost", error=type(error).__name__, path=request.url.path)
        if request.method in {"GET", "HEAD"}:
            return answer(request, Refusal("not_ready"))
        return await unknown(request, OutcomeUnknown())

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(request, refusal_of_validation(error.errors()))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        # 400 is FastAPI's for a body that it cannot read: no UTF-8, or nested beyond all reason.
        codes = {400: "bad_json", 405: "method_not_allowed", 413: "too_large"}
        response = answer(request, Refusal(codes.get(error.status_code, "not_found")))
        if error.status_code == 405:
            known = ", ".join(methods_at(app.openapi(), request.url.path))
            response.headers["Allow"] = known or (error.headers or {}).get("Allow", "")
        return response

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> Response:
        # The type and the place, never the values: a traceback may hold a citizen's words.
        frame = error.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        where = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else ""
        log.error("failed", error=type(error).__name__, where=where, path=request.url.path)
        return answer(request, Refusal("server_error"))


def _may_come_back(error: Exception) -> bool:
    """Whether a database cannot do now what it could do again soon."""
    name = getattr(getattr(error, "orig", None), "sqlite_errorname", None)
    if name is not None:
        return str(name).startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR"))
    return not isinstance(error, DataError | IntegrityError | ProgrammingError)

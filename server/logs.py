"""What a process logs: JSON lines on standard error, and no traceback."""

from __future__ import annotations

import json
import logging
import sys

# structlog would load rich and pygments with it, 7 MB in every process, for colours that JSON lines
# never have; typer loads rich only when it explains itself.
sys.modules["rich"] = None  # type: ignore[assignment]
import structlog  # noqa: E402

del sys.modules["rich"]


def log_plainly() -> None:
    """Logs are JSON lines on standard error; standard output belongs to the answer."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_NoTraceback())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


class _NoTraceback(logging.Filter):
    """Of an error that a library logs, its type and its place: a traceback may hold a citizen's
    words, and means nothing to who reads the terminal (law 17)."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            last = error.__traceback__
            while last is not None and last.tb_next is not None:
                last = last.tb_next
            where = f"{last.tb_frame.f_code.co_filename}:{last.tb_lineno}" if last else ""
            record.msg = json.dumps(
                {"event": record.name, "error": type(error).__name__, "where": where}
            )
            record.args = None
        record.exc_info = record.exc_text = None
        return True

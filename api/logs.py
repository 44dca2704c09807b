"""The server's log: one line for each request, with the id by which a client can name it."""

from __future__ import annotations

import logging
import os
import re
import time
from typing import Any, Literal, cast

from flask import Flask, Response, g, has_request_context, request

LogFormat = Literal["plain", "json"]

# Longer or stranger ones are not a client's own bookkeeping, and would end up in the log.
_REQUEST_ID = re.compile(r"[\w.:+/=@-]{1,128}", re.ASCII)

_LINE = (
    '%(address)s "%(method)s %(path)s" %(status)s %(bytes)s bytes %(ms)s ms '
    "version %(model_id)s key %(key)s"
)

logger = logging.getLogger("recsys.access")


def register(app: Flask) -> None:
    """Give each request of ``app`` an id and a line in the log.

    The id is that of the request's ``X-Request-ID``, if it has a sane one, and stands in the same
    header of the answer. This is to be the first thing registered, so that the line comes last.
    """
    app.before_request(_begin)
    app.after_request(_end)


def elapsed() -> float:
    """Return the seconds since this request began."""
    return time.perf_counter() - cast(float, g.began)


def logging_config(log_format: LogFormat) -> dict[str, Any]:
    """Return what `logging.config.dictConfig` takes: everything to stderr, a line each.

    Parameters
    ----------
    log_format : {"plain", "json"}
        ``plain`` is for people; ``json`` has one object per line, each fact under its own key.
    """
    formatters = {
        "plain": {
            "format": "%(asctime)s %(levelname)s [%(request_id)s] %(message)s",
            "datefmt": "%Y-%m-%d %H:%M:%S %z",
        },
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(levelname)s %(name)s %(message)s",
            "rename_fields": {"levelname": "level", "name": "logger", "timestamp": "time"},
            "timestamp": True,
        },
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatters[log_format]},
        "filters": {"request_id": {"()": RequestIdFilter}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["request_id"],
            }
        },
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": ["stderr"], "propagate": False},
            # Ours has the same line, and more.
            "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
        },
    }


class RequestIdFilter(logging.Filter):
    """Says of each record during which request it was made."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set ``request_id``, and pass the record on."""
        record.request_id = g.get("request_id", "-") if has_request_context() else "-"
        return True


def printable(text: str) -> str:
    """Return ``text`` in one line: a break would let a client write lines of its own."""
    return text.encode("unicode_escape").decode("ascii")


def _begin() -> None:
    g.began = time.perf_counter()
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else os.urandom(16).hex()


def _end(answer: Response) -> Response:
    answer.headers["X-Request-ID"] = g.request_id
    current = g.get("current")
    facts = {
        "address": request.remote_addr,
        "method": printable(request.method),
        "path": printable(request.environ.get("RAW_URI", request.full_path)),
        "status": answer.status_code,
        "bytes": answer.content_length,
        "ms": round(1000 * elapsed(), 1),
        "model_id": None if current is None else current.recommender.model_id,
        "key": g.get("key_name"),
    }
    if logger.isEnabledFor(logging.INFO):
        # As `logger.info`, which would look up the line of the program that this is.
        logger.handle(
            logger.makeRecord(logger.name, logging.INFO, "", 0, _LINE, (facts,), None, extra=facts)
        )
    return answer

"""A request's body: read before its route is asked, whole, and no larger than allowed."""

from __future__ import annotations

from flask import Flask, Response, request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from api.errors import problem


def register(app: Flask, max_body: int) -> None:
    """Refuse a request to ``app`` whose body did not come in full, or has more than ``max_body``.

    Parameters
    ----------
    app : Flask
    max_body : int
        Bytes.
    """
    # A body that is sent in chunks is cut there without a word: one byte more tells that it was.
    app.config["MAX_CONTENT_LENGTH"] = max_body + 1

    def refuse() -> Response | None:
        if request.method not in ("POST", "PUT"):
            return None
        try:
            n_bytes = len(request.get_data())
        except (ClientDisconnected, ParseException):
            return _not_whole()
        except RequestEntityTooLarge:
            return _too_large(max_body)
        if n_bytes > max_body:
            return _too_large(max_body)
        return _not_whole() if n_bytes < (request.content_length or 0) else None

    app.before_request(refuse)


def _not_whole() -> Response:
    detail = "the body did not come in full: it broke off, stalled, or has broken chunks"
    return problem(400, detail)


def _too_large(max_body: int) -> Response:
    detail = f"the body is larger than the {max_body:,} bytes that are allowed; send it in parts"
    return problem(413, detail, kind="body-too-large", title="The body is too large")

from __future__ import annotations

from flask import Flask, Response, current_app
from werkzeug.exceptions import RequestEntityTooLarge

from api.errors import problem


def register(app: Flask, max_body: int) -> None:
    """Refuse a request to ``app`` whose body has more than ``max_body`` bytes."""
    app.config["MAX_CONTENT_LENGTH"] = max_body
    app.register_error_handler(RequestEntityTooLarge, _too_large)


def _too_large(_error: RequestEntityTooLarge) -> Response:
    allowed = current_app.config["MAX_CONTENT_LENGTH"]
    detail = f"the body is larger than the {allowed:,} bytes that are allowed; send it in parts"
    return problem(413, detail, kind="body-too-large", title="The body is too large")

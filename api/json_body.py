from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from api.errors import invalid, problem
from api.schemas.common import FieldError


def take_json(api: Blueprint) -> None:
    """Refuse what is sent to ``api`` by POST or PUT unless it is a JSON object."""
    api.before_request(_refuse_other_bodies)


def _refuse_other_bodies() -> Response | None:
    if request.method not in ("POST", "PUT"):
        return None
    if not request.is_json:
        found = request.headers.get("Content-Type") or "none"
        detail = f"send Content-Type: application/json with a JSON object; found: {found}"
        return problem(415, detail)
    try:
        body = request.get_json()
    except RecursionError:
        return problem(400, "the body is nested too deeply to be read")
    except BadRequest as error:
        cause = error.__cause__
        why = cause.description if isinstance(cause, BadRequest) else None
        return problem(400, f"the body is not JSON: {why or error.description}")
    if isinstance(body, dict):
        return None
    kind = type(body).__name__
    message = "the body must be a JSON object"
    return invalid([FieldError(name="body", location="body", message=message, value=kind)])

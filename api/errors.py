"""Every error as RFC 9457 `application/problem+json`, whoever raised it."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Literal, cast

from flask import Flask, Response, request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import HTTPException, NotFound

from api.backend import recommender
from api.logs import printable
from api.schemas.common import FieldError, Problem
from recsys.errors import ConflictError, NoModelError, NotFoundError, StoreError, UnknownUserError

CONTENT_TYPE = "application/problem+json"

_N_TOLD = 5  # mistakes in one sentence
_LONGEST_SHOWN = 300

logger = logging.getLogger(__name__)


def problem(
    status: int,
    detail: str,
    *,
    kind: str | None = None,
    title: str | None = None,
    errors: list[FieldError] | None = None,
) -> Response:
    """Return an error answer.

    Parameters
    ----------
    status : int
    detail : str
        What happened, and what to do about it.
    kind, title : str, optional
        Where a client may want to tell this problem from others of the same status.
    errors : list of FieldError, optional
    """
    body = Problem(
        type="about:blank" if kind is None else f"urn:recsys:problem:{kind}",
        title=title or HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.path,
        errors=errors,
    )
    leave_out = {"errors"} if errors is None else None
    return Response(body.model_dump_json(exclude=leave_out), status, content_type=CONTENT_TYPE)


def invalid(errors: list[FieldError]) -> Response:
    """Return the answer to a request that is not what the schema allows."""
    told = [f"{error.name}: {error.message}" for error in errors[:_N_TOLD]]
    if len(errors) > _N_TOLD:
        told.append(f"and {len(errors) - _N_TOLD} more, see errors")
    detail = "; ".join(told)
    return problem(422, detail, kind="invalid-request", title="Invalid request", errors=errors)


def from_validation(error: ValidationError) -> Response:
    """Return the answer to a request that pydantic refused."""
    return invalid([_field_error(details) for details in error.errors()])


def refuse_repeated_parameters() -> Response | None:
    """Return an error for ``?limit=1&limit=2``, of which one would be ignored in silence."""
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if not repeated:
        return None
    return invalid(
        [
            FieldError(
                name=name,
                location="query",
                message="given more than once",
                value=", ".join(request.args.getlist(name)),
            )
            for name in repeated
        ]
    )


def register(app: Flask) -> None:
    """Make every error of ``app`` a problem."""
    app.before_request(refuse_repeated_parameters)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(UnknownUserError, _unknown_user)
    app.register_error_handler(NoModelError, _no_model)
    app.register_error_handler(NotFoundError, _not_found)
    app.register_error_handler(ConflictError, _conflict)
    app.register_error_handler(StoreError, _store)
    app.register_error_handler(Exception, _unexpected)


def _field_error(details: ErrorDetails) -> FieldError:
    name = ".".join(str(part) for part in details["loc"])
    location: Literal["path", "query", "body"] = "query"
    if name in (request.view_args or {}):
        location = "path"
    elif request.method in ("POST", "PUT") and name not in request.args:
        location = "body"
    if details["type"] == "extra_forbidden":
        message = f"there is no such {'key' if location == 'body' else 'parameter'}"
    else:
        message = details["msg"]
    return FieldError(
        name=_shown(name),
        location=location,
        message=message,
        value="" if details["type"] == "missing" else _shown(str(details["input"])),
    )


def _shown(text: str) -> str:
    """Return ``text`` as an answer can carry it: short, and without lone surrogates."""
    if len(text) > _LONGEST_SHOWN:
        text = text[: _LONGEST_SHOWN - 1] + "…"
    return text.encode("utf-8", "backslashreplace").decode()


def _from_http(error: HTTPException) -> Response:
    if error.response is not None:  # a finished answer, from `abort(response)`
        return cast(Response, error.response)
    status = error.code or 500
    detail = error.description or HTTPStatus(status).phrase
    if isinstance(error, NotFound):
        detail = "there is nothing at this address; /docs shows what there is"
    answer = problem(status, detail)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value  # such as Allow of 405
    return answer


def _unknown_user(error: UnknownUserError) -> Response:
    hint = "fallback=popular gives the popular items"
    if _folds_in():
        hint = (
            f"POST /v1/recommendations with a few of their ratings makes a list at once, and {hint}"
        )
    return problem(404, f"{error}; {hint}", kind="unknown-user", title="Unknown user")


def _folds_in() -> bool:
    """Say whether the version that answers makes lists of ratings that it was not trained on."""
    try:
        recommender().fold_in([])
    except NotFoundError:
        return False
    return True


def _no_model(error: NoModelError) -> Response:
    return problem(503, str(error), kind="no-model", title="No model")


def _not_found(error: NotFoundError) -> Response:
    return problem(404, str(error), kind="not-found")


def _conflict(error: ConflictError) -> Response:
    return problem(409, str(error), kind="conflict")


def _store(error: StoreError) -> Response:
    logger.error("%s: %s", printable(f"{request.method} {request.path}"), error)
    detail = "the database cannot be used now; the server's log says why"
    answer = problem(503, detail, kind="store", title="The store cannot be used")
    answer.headers["Retry-After"] = "5"  # a lock may be gone by then, and nothing else sooner
    return answer


def _unexpected(error: Exception) -> Response:
    logger.error("%s", printable(f"{request.method} {request.path}"), exc_info=error)
    return problem(500, "this is a fault of the server; its log says more")

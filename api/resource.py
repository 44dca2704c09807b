from __future__ import annotations

from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ValidationError

from api.errors import CONTENT_TYPE, from_validation
from api.schemas.common import Problem

_MEANINGS = {
    304: "The client's copy, named in If-None-Match, is current.",
    400: "The body is not JSON.",
    404: "There is no such user, item, component or version.",
    409: "Somebody else has moved the alias.",
    415: "The body is not sent as JSON.",
    422: "A parameter, or something in the body, is not allowed.",
    500: "A fault of the server.",
    503: "There is no model, or the database cannot be used.",
}


def resource(name: str, *statuses: int, url_prefix: str | None = None) -> APIBlueprint:
    """Return the blueprint of one resource.

    Parameters
    ----------
    name : str
        Also its heading in the documentation.
    *statuses : int
        What its operations may answer besides 200.
    url_prefix : str, optional
    """
    return _Resource(
        name,
        __name__,
        url_prefix=url_prefix,
        abp_tags=[Tag(name=name)],
        abp_responses=problems(*statuses),
        operation_id_callback=lambda *, name, **_: name,
    )


class _Resource(APIBlueprint):
    """A blueprint whose requests are validated by the models alone.

    flask-openapi3 also looks each field up in the model's JSON schema, at every request, for
    parameters that may be given several times: there are none (`refuse_repeated_parameters`).
    """

    @staticmethod
    def create_view_func(
        func: Any,
        header: Any,
        cookie: Any,
        path: Any,
        query: Any,
        form: Any,
        body: Any,
        raw: Any,
        *_: Any,
        **__: Any,
    ) -> Any:
        """Return what Flask calls with the values in the path."""

        @wraps(func)
        def view(**in_path: Any) -> Response:
            given: dict[str, BaseModel] = {}
            try:
                if path is not None:
                    given["path"] = path.model_validate(in_path)
                if query is not None:
                    given["query"] = query.model_validate(request.args.to_dict())
                if body is not None:
                    given["body"] = body.model_validate(request.get_json())
            except ValidationError as error:
                return from_validation(error)
            return cast(Response, func(**given))

        return view


def problems(*statuses: int) -> dict[str | int | HTTPStatus, Any]:
    """Return the documentation of the answers other than 200 that an operation may give."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    answers: dict[str | int | HTTPStatus, Any] = {}
    for status in statuses:
        answers[status] = {"description": _MEANINGS[status]}
        if status >= 400:
            answers[status]["content"] = {CONTENT_TYPE: {"schema": schema}}
    return answers

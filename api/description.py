"""What holds for many operations, written into the OpenAPI description once."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from api.errors import CONTENT_TYPE
from api.keys import SCHEME, is_guarded, is_write
from api.schemas.common import Problem

_CHALLENGE = {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "Bearer"}}
_SECONDS = {
    "Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds to wait."}
}


def describe(spec: dict[str, Any], reads_need_key: bool) -> dict[str, Any]:
    """Return a description with what guards and limits answer, and what needs a key.

    Parameters
    ----------
    spec : dict
        OpenAPI's.
    reads_need_key : bool
        As `Config.reads_need_key`.
    """
    spec = deepcopy(spec)
    for path, item in spec["paths"].items():
        for name, operation in item.items():
            method, answers = name.upper(), operation["responses"]
            if is_guarded(method, path, reads_need_key):
                operation["security"] = [{SCHEME: []}]
                answers.setdefault("401", _problem("A valid key is needed.", _CHALLENGE))
            if is_write(method, path):
                answers.setdefault(
                    "403", _problem("No key is set up; only local writes are taken.")
                )
            if "requestBody" in operation:
                answers.setdefault("413", _problem("The body is larger than the server allows."))
            if path.startswith("/v1/"):
                answers.setdefault("429", _problem("The rate limit is exceeded.", _SECONDS))
            operation["responses"] = dict(sorted(answers.items()))
    return spec


def _problem(description: str, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    answer: dict[str, Any] = {
        "description": description,
        "content": {CONTENT_TYPE: {"schema": schema}},
    }
    return answer if headers is None else answer | {"headers": headers}

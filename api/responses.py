from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from pydantic import BaseModel


def answer(body: BaseModel) -> Response:
    """Return ``body`` as JSON."""
    return Response(body.model_dump_json(), mimetype="application/json")


def no_content() -> Response:
    """Return the answer that says no more than that it is done."""
    done = Response(status=204)
    del done.headers["Content-Type"]
    return done


def next_page(**changes: Any) -> str:
    """Return the URL of this request with some of its parameters changed.

    It is relative to the server: under whatever name a proxy offers it, the link stays right.
    """
    parameters = {**(request.view_args or {}), **request.args.to_dict(), **changes}
    return url_for(str(request.endpoint), **parameters)

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from flask import Response, request
from pydantic import BaseModel

# What a path and a query may hold as it is.
_IN_PATH, _IN_QUERY = "!$&'()*+,/:;=@", "!$'()*,/:;?@"


def answer(body: BaseModel | Mapping[str, Any]) -> Response:
    """Return ``body`` as JSON.

    Parameters
    ----------
    body : BaseModel or mapping of str to object
        A mapping holds the fields of a model, taken for right: no model is made of them. A float32
        of numpy is written with the fewest digits that tell it from others.
    """
    if isinstance(body, BaseModel):
        return Response(body.model_dump_json(), mimetype="application/json")
    text = orjson.dumps(body, BaseModel.model_dump, orjson.OPT_SERIALIZE_NUMPY)
    return Response(text, mimetype="application/json")


def no_content() -> Response:
    """Return the answer that says no more than that it is done."""
    done = Response(status=204)
    del done.headers["Content-Type"]
    return done


def next_page(**changes: Any) -> str:
    """Return the URL of this request with some of its parameters changed.

    It is relative to the server: under whatever name a proxy offers it, the link stays right.
    """
    query = urlencode({**request.args.to_dict(), **changes}, safe=_IN_QUERY)
    return f"{quote(request.root_path + request.path, safe=_IN_PATH)}?{query}"

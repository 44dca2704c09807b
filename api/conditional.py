from __future__ import annotations

import hashlib
import json

from flask import Blueprint, Response, request

from api.backend import current
from recsys import __version__


def tag_by_state(api: Blueprint) -> None:
    """Tag the answers of ``api`` by all they depend on; for what the champion answers.

    A client that names the tag in If-None-Match is told 304 before anything is computed.
    """
    api.before_request(_not_modified)
    api.after_request(_tag)


def tag_by_content(api: Blueprint) -> None:
    """Tag the answers of ``api`` by what they say; for what depends on more than the champion."""
    api.after_request(_tag_content)


def _not_modified() -> Response | None:
    if request.if_none_match.contains(_state()):
        return Response(status=304)
    return None


def _tag(response: Response) -> Response:
    if response.status_code in (200, 304):
        response.set_etag(_state())
        response.headers["Cache-Control"] = "no-cache"
    return response


def _state() -> str:
    recommender, revision = current()
    depends_on = [
        __version__,
        recommender.model_id,
        revision,
        sorted(recommender.content_hashes.items()),
        request.full_path,
    ]
    return hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()[:32]


def _tag_content(response: Response) -> Response:
    if response.status_code == 200:
        response.add_etag()
        response.headers["Cache-Control"] = "no-cache"
        response.make_conditional(request)
    return response

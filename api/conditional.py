from __future__ import annotations

import hashlib
import json

from flask import Blueprint, Response, g, request

from api.backend import current
from recsys import __version__


def tag_by_state(api: Blueprint) -> None:
    """Tag the answers of ``api`` by all they depend on; for what the champion answers.

    A client that names the tag in If-None-Match is told 304 before anything is computed.
    """
    api.before_request(_not_modified)
    api.after_request(_tag_by_state)


def tag_by_content(api: Blueprint) -> None:
    """Tag the answers of ``api`` by what they say; for what depends on more than the champion."""
    api.after_request(_tag_by_content)


def _not_modified() -> Response | None:
    if request.method not in ("GET", "HEAD"):
        return None
    _read_feedback_revision()
    held = request.if_none_match
    if not held:
        return None
    # A star matches whatever there is; only the answer itself tells whether there is one.
    if held.star_tag or not held.contains_weak(_state()):
        return None
    answer = Response(status=304)
    del answer.headers["Content-Type"]  # there is no content
    return answer


def _tag_by_state(answer: Response) -> Response:
    if answer.status_code in (200, 304) and request.method in ("GET", "HEAD"):
        answer.set_etag(_state())
    return _conditional(answer)


def _tag_by_content(answer: Response) -> Response:
    if answer.status_code == 200:
        answer.add_etag()
    return _conditional(answer)


def _conditional(answer: Response) -> Response:
    if answer.status_code in (200, 304):
        answer.headers["Cache-Control"] = "no-cache"  # to be asked again, not to be forgotten
    if answer.status_code == 200:
        answer.make_conditional(request)
    return answer


def _read_feedback_revision() -> None:
    # Before the answer is computed: read after it, it could be that of feedback which the answer
    # does not know, and the tag would keep that answer in use.
    user_id, g.feedback_revision = (request.view_args or {}).get("user_id"), None
    if user_id is not None:
        asked = current().recommender
        g.feedback_revision = asked.source.feedback_revision(asked.model_id, user_id)


def _state() -> str:
    recommender, revision = current()
    depends_on = [
        __version__,
        recommender.model_id,
        revision,
        g.feedback_revision,
        sorted(recommender.content_hashes.items()),
        request.script_root,
        request.full_path,
    ]
    return hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()[:32]

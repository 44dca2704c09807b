from __future__ import annotations

import hashlib
from typing import cast

from flask import Blueprint, Response, current_app, g, request

from api.backend import current, user_in_path, user_state
from api.kept_answers import KeptAnswers
from recsys import __version__


def tag_by_state(api: Blueprint) -> None:
    """Tag the answers of ``api`` by all they depend on; for what the champion answers.

    A client that names the tag in If-None-Match is told 304 before anything is computed, and what
    was answered lately under the same tag is answered again.
    """
    api.before_request(_not_modified)
    api.after_request(_tag_by_state)


def tag_by_content(api: Blueprint) -> None:
    """Tag the answers of ``api`` by what they say; for what depends on more than the champion."""
    api.after_request(_tag_by_content)


def _not_modified() -> Response | None:
    if request.method not in ("GET", "HEAD"):
        return None
    g.state = _state()
    held = request.if_none_match
    # A star matches whatever there is; only the answer itself tells whether there is one.
    if not held.star_tag and held.contains_weak(g.state):
        answer = Response(status=304)
        del answer.headers["Content-Type"]  # there is no content
        return answer
    body = _kept().get(g.state)
    return None if body is None else Response(body, mimetype="application/json")


def _tag_by_state(answer: Response) -> Response:
    if answer.status_code in (200, 304) and request.method in ("GET", "HEAD"):
        answer.set_etag(g.state)
        if answer.status_code == 200:
            _kept().keep(g.state, answer.get_data())
    return _conditional(answer)


def _tag_by_content(answer: Response) -> Response:
    if answer.status_code == 200:
        answer.add_etag()
    return _conditional(answer)


def _conditional(answer: Response) -> Response:
    if answer.status_code in (200, 304):
        answer.headers["Cache-Control"] = "no-cache"  # to be asked again, not to be forgotten
    if answer.status_code == 200 and "If-None-Match" in request.headers:
        answer.make_conditional(request)
    return answer


def _kept() -> KeptAnswers:
    return cast(KeptAnswers, current_app.extensions["recsys.kept"])


def _state() -> str:
    held = current()
    user_id = user_in_path()
    depends_on = (
        __version__,
        held.recommender.model_id,
        held.revision,
        # Of what the answer is then made from: read apart from it, it could be that of feedback
        # which the answer does not know, and the tag would keep that answer in use.
        None if user_id is None else user_state(user_id).feedback_revision,
        sorted(held.recommender.content_hashes.items()),
        request.root_path,
        request.path,
        request.query_string,
    )
    told = repr(depends_on).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(told, digest_size=16).hexdigest()

"""Who may do what: writes need an API key, reads where that is asked for."""

from __future__ import annotations

import ipaddress
import logging
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Flask, Response, g, request

from api.backend import backend
from api.errors import problem
from recsys.store import find_key, has_keys

SCHEME = "apiKey"
SECURITY_SCHEMES: dict[str, Any] = {
    SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "description": "A key that `recsys keys create NAME` printed.",
    }
}

# A POST is a write unless it stands here: these carry their question in the body.
_READING_POSTS = {"/v1/recommendations", "/v1/recommendations/batch"}
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")

logger = logging.getLogger(__name__)


def register(app: Flask, reads_need_key: bool) -> None:
    """Guard the routes of ``app``: an address without a route has nothing to guard."""
    app.before_request(partial(_guard, reads_need_key))


def is_write(method: str, route: str) -> bool:
    """Say whether a method of a route, as ``/v1/items/{item_id}``, changes anything."""
    return route.startswith("/v1/") and (
        method in ("PUT", "PATCH", "DELETE") or (method == "POST" and route not in _READING_POSTS)
    )


def is_guarded(method: str, route: str, reads_need_key: bool) -> bool:
    """Say whether a method of a route needs a key."""
    if is_write(method, route):
        return True
    is_inside = route.startswith("/v1/") or route == "/metrics"
    return reads_need_key and is_inside and method != "OPTIONS"


def caller() -> str | None:
    """Return the name of the key that this request carries; None without a valid one."""
    if "key_name" not in g:
        token = _token()
        g.key_name = None if token is None else find_key(backend().engine, token)
    return cast("str | None", g.key_name)


def refuse_without_key(how: str = "send a key: Authorization: Bearer ...") -> Response | None:
    """Return the refusal of this request, which says how to send a key, if it has no valid one.

    A browser is challenged to ask for one, but not for a write: what it then sends by itself, it
    also sends where a page of another site makes it ask.
    """
    if caller() is not None:
        return None
    is_unknown = _token() is not None
    detail = "this key is unknown or was revoked" if is_unknown else how
    answer = problem(401, detail, kind="key", title="A valid key is needed")
    answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if is_unknown else "Bearer"
    if not _is_write():
        answer.headers.add("WWW-Authenticate", 'Basic realm="recsys", charset="UTF-8"')
    return answer


def _guard(reads_need_key: bool) -> Response | None:
    route = None if request.url_rule is None else request.url_rule.rule
    if route is None or not is_guarded(request.method, route, reads_need_key):
        return None
    if reads_need_key or _token() is not None or has_keys(backend().engine):
        return refuse_without_key()
    if _is_local():
        return None
    logger.warning("a write from %s was refused: no key is set up", request.remote_addr)
    detail = (
        "without a key, writes are taken only from the machine itself and not through a proxy; "
        "`recsys keys create NAME` makes one"
    )
    return problem(403, detail, kind="no-key", title="No key is set up")


def _token() -> str | None:
    given = request.authorization
    if given is None:
        return None
    if given.type == "basic" and not _is_write():
        return given.password
    return given.token if given.type == "bearer" else None


def _is_write() -> bool:
    return request.url_rule is not None and is_write(request.method, request.url_rule.rule)


def _is_local() -> bool:
    """Say whether a program on this machine asks: no proxy for somebody, no foreign web page."""
    host = urlsplit(request.host_url).hostname
    origin = request.headers.get("Origin")
    return (
        _is_loopback(request.remote_addr)
        and not any(name in request.headers for name in _FORWARDED)
        and (host == "localhost" or _is_loopback(host))
        and (origin is None or origin == request.host_url.rstrip("/"))
    )


def _is_loopback(address: str | None) -> bool:
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = found.ipv4_mapped if found.version == 6 else None
    return (mapped or found).is_loopback

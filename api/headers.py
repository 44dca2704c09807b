"""What browsers are told: what they may do with an answer, and whose pages may use it."""

from __future__ import annotations

import re

from flask import Flask, Response
from flask_cors import CORS

# An answer that is no page may load nothing and be shown in no frame; a page says its own policy.
_NO_PAGE = "default-src 'none'"
_NO_FRAME = "frame-ancestors 'none'"

_PLAIN = re.compile(r"[a-z0-9:/.-]+", re.ASCII | re.IGNORECASE)


def register(app: Flask, cors_origins: tuple[str, ...]) -> None:
    """Add the security headers to all answers of ``app``, and CORS under ``/v1`` if asked for."""
    app.after_request(_secure)
    if cors_origins:
        CORS(
            app,
            resources="/v1/.*",
            origins=[_exactly(origin) for origin in cors_origins],
            allow_headers=["Authorization", "Content-Type", "If-None-Match", "X-Request-ID"],
            expose_headers=["ETag", "Retry-After", "X-Request-ID"],
            max_age=600,
        )


def _exactly(origin: str) -> str | re.Pattern[str]:
    # flask-cors takes any other text, such as an IPv6 address, for a pattern.
    if origin == "*" or _PLAIN.fullmatch(origin):
        return origin
    return re.compile(re.escape(origin) + r"\Z", re.IGNORECASE)


def _secure(answer: Response) -> Response:
    policy = answer.headers.get("Content-Security-Policy", _NO_PAGE)
    if "frame-ancestors" not in policy:
        policy = f"{policy}; {_NO_FRAME}"
    answer.headers["Content-Security-Policy"] = policy
    answer.headers["X-Content-Type-Options"] = "nosniff"
    # Addresses hold user ids: no other host shall be told them.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer

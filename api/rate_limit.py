"""How often one caller may ask, counted over all workers of a server."""

from __future__ import annotations

import ipaddress
import logging
import math
import sqlite3
import time
from pathlib import Path

from flask import Flask, Response, request
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from api.config import Config
from api.counters import SharedCounters
from api.errors import problem
from api.keys import caller

COUNTERS = "requests.db"

_NOT_COUNTED = ("service", "swagger_ui")

logger = logging.getLogger(__name__)


def register(app: Flask, config: Config) -> None:
    """Refuse with 429 what a caller of ``app`` asks beyond ``config.rate_limit``.

    Not counted is what says how the service does, its description, and the pages' own files.
    """
    if config.rate_limit is not None:
        app.before_request(RateLimit(config.rate_limit, config.scratch_dir).check)


def parse_rates(text: str) -> list[RateLimitItem]:
    """Return the rates that ``text`` says.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        rates = sorted(parse_many(text))
    except ValueError:
        rates = []
    if not rates or any(rate.amount < 1 for rate in rates):
        raise ValueError(
            f"{text!r} is not a rate; allowed: such as 100/minute, or 10/second; 5000/day"
        )
    return rates


class RateLimit:
    """Requests per caller and time: a caller is a key, or without one an address.

    Parameters
    ----------
    rate_limit : str
        As `Config.rate_limit`.
    folder : Path, optional
        What the workers share; without it, this process counts for itself.

    Raises
    ------
    ValueError
        If ``rate_limit`` is not a rate.
    """

    def __init__(self, rate_limit: str, folder: Path | None) -> None:
        self._rates = parse_rates(rate_limit)
        storage = MemoryStorage() if folder is None else SharedCounters(folder / COUNTERS)
        self._limiter = FixedWindowRateLimiter(storage)

    def check(self) -> Response | None:
        """Return the refusal of this request, if its caller asked too often."""
        if request.method == "OPTIONS" or request.endpoint == "static":
            return None
        if request.blueprint in _NOT_COUNTED:
            return None
        name = _caller()
        try:
            exceeded = [rate for rate in self._rates if not self._limiter.hit(rate, name)]
            return self._refuse(exceeded, name) if exceeded else None
        except sqlite3.Error:
            # A service that answers without counting is better than one that does not answer.
            logger.exception("requests cannot be counted")
            return None

    def _refuse(self, exceeded: list[RateLimitItem], name: str) -> Response:
        reset = max(self._limiter.get_window_stats(rate, name).reset_time for rate in exceeded)
        seconds = max(1, math.ceil(reset - time.time()))
        detail = f"more than {exceeded[0]}; ask again in {seconds} s"
        answer = problem(429, detail, kind="rate-limit", title="Too many requests")
        answer.headers["Retry-After"] = str(seconds)
        return answer


def _caller() -> str:
    if (key := caller()) is not None:
        return f"key {key}"
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return f"address {request.remote_addr}"
    if address.version == 6 and not address.ipv4_mapped:
        # Whoever has one IPv6 address has the whole /64.
        return f"address {ipaddress.ip_network((address, 64), strict=False)}"
    return f"address {address}"

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError, InvalidHeader

from recsys.client.errors import NoAnswerError, ProblemError
from recsys.errors import UsageError

_AGAIN = (429, 503)
_BACKOFF = 0.2  # seconds before the second try; doubled for each further one
_N_CONNECTIONS = 16  # kept open


class _Again(Retry):
    """Waits the growing time where what ``Retry-After`` says is no time."""

    def parse_retry_after(self, retry_after: str) -> float:
        try:
            return super().parse_retry_after(retry_after)
        except (InvalidHeader, ValueError, OverflowError):
            return 0.0


class Transport:
    """Sends requests and returns what the answers say; safe to share among threads.

    Parameters
    ----------
    url, api_key, timeout, retries, longest_wait
        As of `recsys.client.Client`.
    """

    def __init__(
        self, url: str, api_key: str | None, timeout: float, retries: int, longest_wait: int
    ) -> None:
        if not _is_address(url):
            raise UsageError(
                f"{url!r} is not the address of a service; allowed: such as http://127.0.0.1:8000"
            )
        self._base = url.rstrip("/")
        if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
            raise UsageError(  # without the key, which is nobody else's to read
                "the API key has a character that no key has, such as the end of a line; "
                "allowed: printable ASCII"
            )
        headers = {"User-Agent": f"recsys/{version('recsys')}", "Accept": "application/json"}
        if api_key is not None:
            headers["Authorization"] = f"Bearer {api_key}"
        self._again = _Again(
            retries,
            redirect=False,
            allowed_methods=None,  # whether a request may be repeated, its caller says
            status_forcelist=_AGAIN,
            backoff_factor=_BACKOFF,
            backoff_max=longest_wait,
            retry_after_max=longest_wait,
            raise_on_status=False,
        )
        # One that changes something else each time it is sent can be repeated only as long as the
        # service cannot have read it.
        self._once = self._again.new(read=0, status=0, other=0)
        self._pool = PoolManager(
            headers=headers, timeout=Timeout(timeout), maxsize=_N_CONNECTIONS, block=False
        )

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._pool.clear()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        may_repeat: bool = True,
    ) -> Any:
        """Return the object that is the answer's JSON; None for 204, which has no content.

        Parameters
        ----------
        method : str
        path : str
            Quoted; behind the service's address.
        query : mapping of str to object, optional
            Parameters; those that are None are left out.
        body : mapping, optional
            Sent as JSON.
        may_repeat : bool
            Whether sending the request twice is the same as sending it once.

        Raises
        ------
        ProblemError
            If the answer is an error, or is not the service's own.
        NoAnswerError
            If there is none.
        """
        return self._send(method, self._base + path + _encoded(query or {}), body, may_repeat)

    def follow(self, link: str) -> Any:
        """Return what is at ``link``, an address as answers have it in ``next``."""
        return self._send("GET", urljoin(self._base, link), None, True)

    def _send(self, method: str, url: str, body: Mapping[str, Any] | None, may_repeat: bool) -> Any:
        try:
            answer = self._pool.request(
                method, url, json=body, retries=self._again if may_repeat else self._once
            )
        except HTTPError as error:
            raise NoAnswerError(f"{method} {url}: {error}") from error
        if answer.status == 204:
            return None
        said = _object(answer)
        if said is None or answer.status >= 300:
            raise _problem(answer, said)
        return said


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = parts.hostname and parts.port != 0
    except ValueError:  # of a bracket that does not end, or a port that is none
        return False
    return parts.scheme in ("http", "https") and bool(named) and not parts.query


def _encoded(query: Mapping[str, Any]) -> str:
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in query.items()
        if value is not None
    }
    return f"?{urlencode(given)}" if given else ""


def _problem(answer: BaseHTTPResponse, said: dict[str, Any] | None) -> ProblemError:
    is_own = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    told = said if said and is_own else {}
    wait = answer.headers.get("Retry-After", "")
    return ProblemError(
        answer.status,
        told.get("type", "about:blank"),
        told.get("title", answer.reason or "Error"),
        # A proxy in between may answer with a page of its own, whatever the status.
        told.get("detail", "the answer is not the service's own"),
        instance=told.get("instance"),
        errors=told.get("errors"),
        request_id=answer.headers.get("X-Request-ID"),
        retry_after=int(wait) if re.fullmatch("[0-9]{1,9}", wait) else None,
    )


def _object(answer: BaseHTTPResponse) -> dict[str, Any] | None:
    try:
        said = json.loads(answer.data)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None

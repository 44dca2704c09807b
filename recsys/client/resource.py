from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from recsys.client.transport import Transport

Id = str | int
"""Of a user or an item; a number is the same as its digits."""


class Resource:
    """Base of what is asked over one transport.

    Parameters
    ----------
    transport : Transport
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self._transport.ask("GET", path, query=query)


def quoted(part: Id) -> str:
    """Return an id, an alias or the like as a part of a path."""
    return quote(str(part), safe="")

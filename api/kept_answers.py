from __future__ import annotations

import threading
from collections import OrderedDict


class KeptAnswers:
    """The last answers, by a tag of all that they depend on; never more than so many bytes.

    Parameters
    ----------
    max_bytes : int
        Of all bodies together. What was asked for longest ago goes first.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._changing = threading.Lock()

    def get(self, tag: str) -> bytes | None:
        """Return the body that was kept under ``tag``; None if there is none."""
        with self._changing:
            body = self._bodies.get(tag)
            if body is not None:
                self._bodies.move_to_end(tag)
            return body

    def keep(self, tag: str, body: bytes) -> None:
        """Keep a body under ``tag``."""
        with self._changing:
            if tag in self._bodies:
                return
            self._bodies[tag] = body
            self._n_bytes += len(body)
            while self._n_bytes > self._max_bytes:
                _, dropped = self._bodies.popitem(last=False)
                self._n_bytes -= len(dropped)

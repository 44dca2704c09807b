from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from recsys.errors import StoreError


class Turns:
    """Turns of threads that write: one at a time, and nobody waits long for a slow one.

    SQLite takes one writer. Where another process keeps the lock, one thread waits for it; the
    others are free again soon, and those that come later at once.

    Parameters
    ----------
    timeout : float
        Seconds that a turn may take before those who wait for theirs give up.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        self._ends = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and take it.

        Raises
        ------
        StoreError
            If another thread's takes too long.
        """
        while not self._lock.acquire(timeout=max(self._ends - time.monotonic(), 0)):
            # It may be another's turn by now.
            if time.monotonic() >= self._ends:
                raise StoreError(
                    f"cannot write to the database: another thread has been at it, or waiting "
                    f"for its lock, for over {self._timeout:g} s; try again"
                )
        self._ends = time.monotonic() + self._timeout
        try:
            yield
        finally:
            self._lock.release()

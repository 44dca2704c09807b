from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

from limits.storage import Storage


class SharedCounters(Storage):
    """Counters in an SQLite file, for processes that share no memory.

    Nothing is ever waited for to reach a disk: the counters may be lost with the machine. A
    process that is killed leaves no lock behind.

    Parameters
    ----------
    path : Path
    """

    STORAGE_SCHEME = None

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            path, timeout=1, isolation_level=None, check_same_thread=False
        )
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.executescript(
            "CREATE TABLE IF NOT EXISTS counters "
            "(key TEXT PRIMARY KEY, count INTEGER NOT NULL, expires_at REAL NOT NULL);"
            "CREATE INDEX IF NOT EXISTS ix_counters_expires_at ON counters (expires_at)"
        )

    def __del__(self) -> None:
        self._database.close()

    @property
    def base_exceptions(self) -> type[Exception]:
        """The errors of this storage."""
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Return what ``key`` counts after adding ``amount``; from 0 again after ``expiry`` s."""
        with self._lock, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            now = time.time()
            # One that lasts longer than a new one would was made before the clock was set back.
            self._database.execute(
                "DELETE FROM counters WHERE expires_at <= ? OR (key = ? AND expires_at > ?)",
                (now, key, now + expiry),
            )
            counted = self._database.execute(
                "INSERT INTO counters VALUES (?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET count = count + excluded.count RETURNING count",
                (key, amount, now + expiry),
            ).fetchone()
            return int(counted[0])

    def get(self, key: str) -> int:
        """Return what ``key`` counts."""
        return int(self._row(key)[0])

    def get_expiry(self, key: str) -> float:
        """Return when ``key`` starts from 0 again, in seconds since 1970."""
        return float(self._row(key)[1])

    def check(self) -> bool:
        """Say whether the counters can be read."""
        self._row("")
        return True

    def reset(self) -> int:
        """Forget all counters, and return how many those were."""
        with self._lock:
            return self._database.execute("DELETE FROM counters").rowcount

    def clear(self, key: str) -> None:
        """Forget what ``key`` counts."""
        with self._lock:
            self._database.execute("DELETE FROM counters WHERE key = ?", (key,))

    def _row(self, key: str) -> tuple[int, float]:
        now = time.time()
        with self._lock:
            row = self._database.execute(
                "SELECT count, expires_at FROM counters WHERE key = ? AND expires_at > ?",
                (key, now),
            ).fetchone()
        return row or (0, now)

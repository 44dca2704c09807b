"""The folder in which the workers of one server share what is forgotten with it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "recsys-"
_LOCK = "lock"
_MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder in it that is ours alone

# Half of what Docker gives a container. The metrics of a worker stay under 1 MB, and a caller whose
# requests are limited takes some 100 bytes.
_ROOM = 32 * 1024 * 1024


class ScratchFolder:
    """A new folder that one server and its workers hold until they end.

    It lies in memory where the machine has a folder for that with enough room, else among the
    temporary files: prometheus_client writes through maps, and a full disk under a map, also one
    in memory, kills the process. What servers left behind that were killed
    is removed first: their lock, which the system takes away with the process, is free.

    Parameters
    ----------
    parent : Path, optional
        Where to make it.

    Attributes
    ----------
    path : Path
    """

    def __init__(self, parent: Path | None = None) -> None:
        places = (_MEMORY, Path(tempfile.gettempdir())) if parent is None else (parent,)
        for place in places:
            for lock in place.glob(f"{_PREFIX}*/{_LOCK}"):
                _remove_if_abandoned(lock)
            if os.access(place, os.W_OK | os.X_OK) and shutil.disk_usage(place).free >= _ROOM:
                break
        made = Path(tempfile.mkdtemp(prefix=f"new-{_PREFIX}", dir=place))
        # Not closed: a worker inherits it, and with it the lock.
        self._lock = (made / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        # Only now: a server that starts at this moment must not find the lock free.
        self.path = made.rename(place / made.name.removeprefix("new-"))

    def remove(self) -> None:
        """Remove the folder; for the server itself, once its workers have ended."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def _remove_if_abandoned(lock: Path) -> None:
    try:
        with lock.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
    except OSError:  # somebody's, or gone
        pass

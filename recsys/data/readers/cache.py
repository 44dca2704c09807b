"""What was read out of a large file, kept beside it: read again in a fraction of the time."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.data.ids import IdMap
from recsys.data.ratings import Ratings
from recsys.data.readers.assemble import Parsed
from recsys.data.readers.files import File
from recsys.data.releases import data_directory
from recsys.errors import DataError

# Raised whenever a reader makes something else of the same bytes.
FORMAT = 1
WORTH_IT = 16 << 20
"""Bytes of a file from which on it is kept: some 700,000 ratings, a second's reading."""
SWITCH = "RECSYS_CACHE"
_ARRAYS = ("users", "items", "values", "timestamps")
_DAMAGED = (
    *(DataError, OSError, EOFError, KeyError, MemoryError, TypeError, ValueError),
    *(RuntimeError, zipfile.BadZipFile, zlib.error),  # RuntimeError: as if it were encrypted
)

logger = logging.getLogger(__name__)


class Cache:
    """The ratings of one file as arrays, in a file of their own.

    It is named after the file and lies beside it, or in the folder of fetched sets where that
    cannot be written. It holds the SHA-256 of the bytes it was made from: times and sizes are
    never trusted. What it gives is checked against `Ratings.fingerprint`.

    Parameters
    ----------
    file : File
    columns : mapping, optional
        As asked of the reader: other columns are other ratings.
    """

    def __init__(self, file: File, columns: Mapping[str, str] | None) -> None:
        self._source = file.path
        self._seen = _state(file.path)
        with file.path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        read_how = [FORMAT, file.member, sorted((columns or {}).items())]
        self._key = hashlib.sha256(json.dumps([content, *read_how]).encode()).hexdigest()

    @classmethod
    def of(cls, file: File, columns: Mapping[str, str] | None) -> Cache | None:
        """Return the cache of a file; None if it is small or ``RECSYS_CACHE`` is ``off``."""
        if os.environ.get(SWITCH) == "off" or file.path.stat().st_size < WORTH_IT:
            return None
        return cls(file, columns)

    def load(self, name: str) -> Parsed | None:
        """Return what was saved, its ratings called ``name``; None if there is nothing to use.

        The log says so when a file is there and is damaged, or was made from other content.
        """
        for path in filter(Path.is_file, _places(self._source)):
            try:
                parsed = _load(path, name, self._key)
            except _DAMAGED as error:
                logger.warning("%s is damaged and will be made anew: %s", path, error)
                continue
            if parsed is not None:
                return parsed
            logger.warning("%s was made from other content and will be made anew", path)
        return None

    def save(self, parsed: Parsed) -> None:
        """Write ``parsed``, all of it or nothing; the log says if that cannot be done."""
        if _state(self._source) != self._seen:
            logger.warning("%s changed while it was read; nothing is kept of it", self._source)
            return
        problem: OSError | None = None
        for path in _places(self._source):
            try:
                _write(path, parsed, self._key, mode=self._source.stat().st_mode)
                return
            except OSError as error:
                problem = error
        logger.warning("what was read of %s cannot be kept: %s", self._source, problem)


def _places(source: Path) -> tuple[Path, Path]:
    """Return where the cache of a file may lie: beside it, or among the fetched sets."""
    of_path = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:16]
    return (
        source.with_name(f".{source.name}.cache.npz"),
        data_directory() / ".cache" / f"{source.name}.{of_path}.npz",
    )


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _load(path: Path, name: str, key: str) -> Parsed | None:
    """Return what is in a cache, checked; None if it is that of another ``key``."""
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        facts = json.loads(str(stored["facts"]))
        if facts["key"] != key:
            return None
        ids = (_ids(stored["user_ids"]), _ids(stored["item_ids"]))
        pairs = (stored["users"], stored["items"])
        # Absent, where there are none; where damage has made them so, the fingerprint tells.
        ratings = Ratings(name, *ids, *pairs, stored.get("values"), stored.get("timestamps"))
    if ratings.fingerprint != facts["fingerprint"]:
        raise DataError("its content is not what was saved", value=ratings.fingerprint)
    return Parsed(ratings, facts["n_rows"], facts["n_duplicates"], facts["time_unit"])


def _write(path: Path, parsed: Parsed, key: str, mode: int) -> None:
    ratings = parsed.ratings
    facts = {
        "key": key,
        "fingerprint": ratings.fingerprint,
        "n_rows": parsed.n_rows,
        "n_duplicates": parsed.n_duplicates,
        "time_unit": parsed.time_unit,
    }
    arrays = {array: getattr(ratings, array) for array in _ARRAYS}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as unfinished:
        try:
            np.savez(
                unfinished,
                facts=np.array(json.dumps(facts)),
                user_ids=_bytes(ratings.user_ids),
                item_ids=_bytes(ratings.item_ids),
                **{array: values for array, values in arrays.items() if values is not None},
            )
            unfinished.flush()
            # Whoever may read the ratings may read this, and nobody else.
            os.fchmod(unfinished.fileno(), stat.S_IMODE(mode))
            Path(unfinished.name).replace(path)
        except BaseException:
            Path(unfinished.name).unlink(missing_ok=True)
            raise


def _bytes(ids: IdMap) -> NDArray[np.uint8]:
    # No id holds a line end.
    return np.frombuffer("\n".join(ids).encode(), np.uint8)


def _ids(text: NDArray[np.uint8]) -> IdMap:
    return IdMap(text.tobytes().decode().split("\n"))

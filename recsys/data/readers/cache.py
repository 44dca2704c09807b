"""What was read out of a large file, kept beside it: read again in a fraction of the time."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from recsys.data.readers import cache_file
from recsys.data.readers.assemble import Parsed
from recsys.data.readers.cache_file import Origin, State
from recsys.data.readers.files import File
from recsys.data.releases import data_directory

# Raised whenever a reader makes something else of the same bytes.
FORMAT = 2
WORTH_IT = 16 << 20
"""Bytes of a file from which on it is kept: some 700,000 ratings, a second's reading."""
SWITCH = "RECSYS_CACHE"
AT_REST = 60
"""Seconds since a file's last change after which a further one shows in its time of change.

Until then it need not: clocks of file systems tick in steps, those of networks are asked now and
then, and pages mapped into memory may be written to for half a minute after they were marked."""

logger = logging.getLogger(__name__)


class Cache:
    """The ratings of one file as arrays, in a file of their own (`recsys.data.readers.cache_file`).

    It is named after the file and lies beside it, or in the folder of fetched sets where that
    cannot be written. It is of the file as long as the SHA-256 of the file's bytes is the one it
    was made from. The bytes are read for that unless inode, size, time of modification and time
    of change (ctime, which no program can set) are those from before they were hashed, and the
    file had been at rest by then.

    Parameters
    ----------
    file : File
    columns : mapping, optional
        As asked of the reader: other columns are other ratings.
    """

    def __init__(self, file: File, columns: Mapping[str, str] | None) -> None:
        self._source = file.path
        self._state = _state(file.path)
        asked = [FORMAT, sys.byteorder, file.member, sorted((columns or {}).items())]
        self._how = json.dumps(asked)
        *_, changed = self._state
        self._is_at_rest = time.time_ns() - changed > AT_REST * 10**9
        self._content = ""

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
                with path.open("rb") as stream:
                    facts = cache_file.read_facts(stream)
                    if not self._is_made_from(facts.origin):
                        logger.warning("%s was made from other content, will be made anew", path)
                        continue
                    parsed = cache_file.read_parsed(stream, facts, name)
            except cache_file.DAMAGED as error:
                logger.warning("%s is damaged and will be made anew: %s", path, error)
                continue
            if self._is_at_rest and facts.origin.state != self._state:
                self.save(parsed)  # with the state of today, so that the next reading is quick
            return parsed
        self._hash()  # before it is parsed: what changes in between is then not taken for it
        return None

    def save(self, parsed: Parsed) -> None:
        """Write ``parsed``, all of it or nothing; the log says if that cannot be done."""
        origin = Origin(self._how, self._hash(), self._state if self._is_at_rest else None)
        if _state(self._source) != self._state:
            logger.warning("%s changed while it was read; nothing is kept of it", self._source)
            return
        problem: OSError | None = None
        for path in _places(self._source):
            try:
                # Whoever may read the ratings may read this, and nobody else.
                cache_file.write(path, parsed, origin, mode=self._source.stat().st_mode)
                return
            except OSError as error:
                problem = error
        logger.warning("what was read of %s cannot be kept: %s", self._source, problem)

    def _is_made_from(self, origin: Origin) -> bool:
        if origin.how != self._how:
            return False
        is_unchanged = origin.state is not None and origin.state == self._state
        return is_unchanged or origin.content == self._hash()

    def _hash(self) -> str:
        if not self._content:
            with self._source.open("rb") as stream:
                self._content = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._content


def _places(source: Path) -> tuple[Path, Path]:
    """Return where the cache of a file may lie: beside it, or among the fetched sets."""
    of_path = hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:16]
    return (
        source.with_name(f".{source.name}.cache"),
        data_directory() / ".cache" / f"{source.name}.{of_path}",
    )


def _state(path: Path) -> State:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

"""The file of a `Cache`: a line of facts, then bare arrays, each with a checksum."""

from __future__ import annotations

import json
import os
import stat
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from recsys.data.ids import IdMap
from recsys.data.ratings import Ratings
from recsys.data.readers.assemble import Parsed
from recsys.errors import DataError

State = tuple[int, int, int, int]

DAMAGED = (DataError, KeyError, OSError, TypeError, ValueError)
"""What reading a damaged file raises."""
_DTYPES = {
    "user_ids": np.uint8,
    "item_ids": np.uint8,
    "users": np.int32,
    "items": np.int32,
    "values": np.float32,
    "timestamps": np.int64,
}
_LONGEST_LINE = 1 << 16


@dataclass(frozen=True)
class Origin:
    """What a cache was made from.

    Attributes
    ----------
    how : str
        The reader's format, and what it was asked for.
    content : str
        SHA-256 of the bytes of the file.
    state : (inode, size, mtime, ctime) or None
        Of the file before it was hashed, times in nanoseconds; None if it had just been changed
        then, so that a later change might not show in it.
    """

    how: str
    content: str
    state: State | None


@dataclass(frozen=True)
class Facts:
    """The first line: what the arrays after it are.

    Attributes
    ----------
    origin : Origin
    fingerprint : str
        `Ratings.fingerprint`.
    n_rows, n_duplicates, time_unit
        Of `Parsed`.
    arrays : sequence of (str, int, int)
        Name, length and CRC-32 of each array, in their order.
    """

    origin: Origin
    fingerprint: str
    n_rows: int
    n_duplicates: int
    time_unit: str
    arrays: Sequence[tuple[str, int, int]]


def write(path: Path, parsed: Parsed, origin: Origin, mode: int) -> None:
    """Write ``parsed`` to ``path``, all of it or nothing, for whom ``mode`` lets read.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    ratings = parsed.ratings
    found = {
        "user_ids": _bytes(ratings.user_ids),
        "item_ids": _bytes(ratings.item_ids),
        "users": ratings.users,
        "items": ratings.items,
        "values": ratings.values,
        "timestamps": ratings.timestamps,
    }
    arrays = {name: np.ascontiguousarray(a) for name, a in found.items() if a is not None}
    facts = Facts(
        origin,
        ratings.fingerprint,
        parsed.n_rows,
        parsed.n_duplicates,
        parsed.time_unit,
        [(name, len(array), zlib.crc32(array.data)) for name, array in arrays.items()],
    )
    line = json.dumps(asdict(facts)).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as unfinished:
        try:
            unfinished.write(b"%08x %s\n" % (zlib.crc32(line), line))
            for array in arrays.values():
                unfinished.write(array.data)
            unfinished.flush()
            os.fchmod(unfinished.fileno(), stat.S_IMODE(mode))
            Path(unfinished.name).replace(path)
        except BaseException:
            Path(unfinished.name).unlink(missing_ok=True)
            raise


def read_facts(stream: BinaryIO) -> Facts:
    """Return the facts that a cache begins with.

    Raises
    ------
    DataError
        If they are not what was written.
    """
    check, _, line = stream.readline(_LONGEST_LINE).rstrip(b"\n").partition(b" ")
    if check != b"%08x" % zlib.crc32(line):
        raise DataError("its first line is not what was saved", value=check)
    facts: dict[str, Any] = json.loads(line)
    of = facts.pop("origin")
    origin = Origin(of["how"], of["content"], None if of["state"] is None else tuple(of["state"]))
    return Facts(origin, **facts)


def read_parsed(stream: BinaryIO, facts: Facts, name: str) -> Parsed:
    """Return what comes after the facts, its ratings called ``name``.

    Raises
    ------
    DataError
        If it is not what was written.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for array, length, check in facts.arrays:
        arrays[array] = np.fromfile(stream, _DTYPES[array], length)
        if zlib.crc32(arrays[array].data) != check:
            raise DataError(f"its {array} are not what was saved")
    ratings = Ratings(
        name,
        _ids(arrays["user_ids"]),
        _ids(arrays["item_ids"]),
        arrays["users"],
        arrays["items"],
        arrays.get("values"),
        arrays.get("timestamps"),
    )
    ratings.__dict__["fingerprint"] = facts.fingerprint
    return Parsed(ratings, facts.n_rows, facts.n_duplicates, facts.time_unit)


def _bytes(ids: IdMap) -> NDArray[np.uint8]:
    # No id holds a line end.
    return np.frombuffer("\n".join(ids).encode(), np.uint8)


def _ids(text: NDArray[np.uint8]) -> IdMap:
    return IdMap(text.tobytes().decode().split("\n"))

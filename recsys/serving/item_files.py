"""The items' half of each snapshot in one read-only mapped file, shared by a server's workers.

A file is the SHA-256 of all that follows it (64 hexadecimal digits), one line of JSON padded
with spaces to a multiple of 64 bytes, and the arrays whose names and shapes the line tells, one
after the other: little-endian float32, the item counts little-endian int32.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import mmap
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.data import IdMap
from recsys.errors import DataError
from recsys.model.intervals import StarIntervals
from recsys.model.item_side import Head, ItemSide
from recsys.model.newcomers import Newcomers

# Older ones lack what newcomers take; before 3 they may have come from damaged rows.
FORMAT = 4
ALIGNMENT = 64
DIGEST = 64
# A version has at most two, and the last few versions may be rolled back to.
KEPT_FILES = 8

logger = logging.getLogger(__name__)


class ItemFiles:
    """A folder of item files, one per snapshot, each made by the first process that needs it.

    Parameters
    ----------
    folder : Path
        Made when it is missing. Everything in it can be deleted at any time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, content_hash: str, item_ids: IdMap, read: Callable[[], ItemSide]) -> ItemSide:
        """Return the items' half of a snapshot, its arrays mapped from the file of its hash.

        A file that is missing, cut or altered is made anew. Where the folder cannot be
        written, the arrays stay in this process's own memory, and the log says so.

        Parameters
        ----------
        content_hash : str
            `Snapshot.content_hash`.
        item_ids : IdMap
            Of the version's data set; the file holds only their hash.
        read : callable
            Reads the items' half from the store and verifies it; called only without a sound file.

        Raises
        ------
        DataError
            If what ``read`` returns is of other items.
        """
        path = self.folder / f"{content_hash}.items"
        try:
            return _open(path, content_hash, item_ids)
        except FileNotFoundError:
            pass
        except (OSError, DataError) as error:
            logger.warning("making an item file anew: %s", error)
        items = read()
        if items.item_ids != item_ids:
            raise DataError("the catalogue and the model are of different items")
        try:
            self._write(path, _encode(content_hash, items))
            return _open(path, content_hash, item_ids)
        except (OSError, DataError) as error:
            logger.warning("keeping the items in memory, not shared: %s", error)
            return items

    def _write(self, path: Path, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # Written beside and moved into place: another process sees all of it or nothing.
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        # A mapped file lives on for those who have it open, so deleting one harms nobody.
        for old in sorted(self.folder.glob("*.items"), key=_last_used, reverse=True)[KEPT_FILES:]:
            old.unlink(missing_ok=True)


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _hash(item_ids: IdMap) -> str:
    return hashlib.sha256("\n".join(item_ids).encode()).hexdigest()


def _arrays(items: ItemSide) -> Iterator[tuple[str, NDArray[Any]]]:
    yield "item_factors", items.item_factors
    yield "item_bias", items.item_bias
    yield "item_counts", items.item_counts
    if items.head is not None:
        yield from ((name, array) for name, array, _ in items.head.arrays())
    if items.newcomers is not None:
        of_newcomers = items.newcomers.arrays(items.n_items, items.n_factors)
        yield from ((name, array) for name, array, _ in of_newcomers)


def _encode(content_hash: str, items: ItemSide) -> bytes:
    arrays = dict(_arrays(items))
    line = json.dumps(
        {
            "format": FORMAT,
            "content_hash": content_hash,
            "item_ids": _hash(items.item_ids),
            "arrays": {name: array.shape for name, array in arrays.items()},
            "n_layers": 0 if items.head is None else len(items.head.weights),
            "global_mean": items.global_mean,
            "y_range": items.y_range,
            "rating_scale": items.rating_scale,
            "newcomers": None if items.newcomers is None else dict(items.newcomers.strengths),
            "intervals": None if items.intervals is None else dict(items.intervals.as_dict()),
        }
    ).encode()
    line = line.ljust(-(-(len(line) + 1) // ALIGNMENT) * ALIGNMENT - 1) + b"\n"
    content = line + b"".join(
        np.ascontiguousarray(array, dtype="<i4" if name == "item_counts" else "<f4").tobytes()
        for name, array in arrays.items()
    )
    return hashlib.sha256(content).hexdigest().encode() + content


def _open(path: Path, content_hash: str, item_ids: IdMap) -> ItemSide:
    """Return the items' half in the file at ``path``, verified, its arrays mapped.

    Raises
    ------
    DataError
        If the file is not a whole item file of this snapshot.
    FileNotFoundError
        If there is none.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size <= DIGEST:
            raise DataError("this item file is cut", path=path)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if hashlib.sha256(memoryview(mapped)[DIGEST:]).hexdigest().encode() != mapped[:DIGEST]:
        raise DataError("this item file is cut or damaged", path=path)
    start = mapped.find(b"\n") + 1
    header = json.loads(mapped[DIGEST:start])
    if header["format"] != FORMAT or header["content_hash"] != content_hash:
        raise DataError("this item file is of another snapshot or format", path=path)
    if header["item_ids"] != _hash(item_ids):
        raise DataError("this item file is of other items", path=path)
    with contextlib.suppress(OSError):
        os.utime(path)
    shapes = header["arrays"]
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    parts = np.split(np.frombuffer(mapped, dtype="<f4", offset=start), ends[:-1])
    arrays = {
        name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }
    first = ("item_factors", "item_bias", "item_counts")
    factors, bias, counts = (arrays.pop(name) for name in first)
    layers = [arrays.pop(name) for name in list(arrays)[: 2 * header["n_layers"]]]
    newcomers, intervals = header["newcomers"], header["intervals"]
    return ItemSide(
        item_ids=item_ids,
        item_factors=factors,
        item_bias=bias,
        item_counts=counts.view("<i4"),
        global_mean=header["global_mean"],
        y_range=None if header["y_range"] is None else tuple(header["y_range"]),
        rating_scale=tuple(header["rating_scale"]),
        head=Head(tuple(layers[::2]), tuple(layers[1::2])) if layers else None,
        newcomers=None if newcomers is None else Newcomers(**(newcomers | arrays)),
        intervals=None if intervals is None else StarIntervals.from_dict(intervals),
    )

"""The items' half of each snapshot in one read-only mapped file, shared by a server's workers.

A file is the SHA-256 of all that follows it (64 hexadecimal digits), one line of JSON padded
with spaces to a multiple of 64 bytes, the item factors, the item biases, weight and bias of each
layer of the network, if there is one (all little-endian float32), and the item counts
(little-endian int32).
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
from collections.abc import Callable
from pathlib import Path

import numpy as np

from recsys.data import IdMap
from recsys.errors import DataError
from recsys.model.item_side import Head, ItemSide

# 3 is verified before it is written; what stands in older ones may have come from damaged rows.
FORMAT = 3
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


def _encode(content_hash: str, items: ItemSide) -> bytes:
    layers = [] if items.head is None else list(items.head.arrays())
    line = json.dumps(
        {
            "format": FORMAT,
            "content_hash": content_hash,
            "item_ids": _hash(items.item_ids),
            "n_items": items.n_items,
            "n_factors": items.n_factors,
            "layers": [shape for _, _, shape in layers],
            "global_mean": items.global_mean,
            "y_range": items.y_range,
            "rating_scale": items.rating_scale,
        }
    ).encode()
    line = line.ljust(-(-(len(line) + 1) // ALIGNMENT) * ALIGNMENT - 1) + b"\n"
    content = line + b"".join(
        np.ascontiguousarray(array, dtype=dtype).tobytes()
        for array, dtype in (
            (items.item_factors, "<f4"),
            (items.item_bias, "<f4"),
            *((array, "<f4") for _, array, _ in layers),
            (items.item_counts, "<i4"),
        )
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
    n_items, n_factors = header["n_items"], header["n_factors"]
    shapes = [(n_items, n_factors), (n_items,), *map(tuple, header["layers"]), (n_items,)]
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    parts = np.split(np.frombuffer(mapped, dtype="<f4", offset=start), ends[:-1])
    factors, bias, *layers, counts = (
        part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)
    )
    return ItemSide(
        item_ids=item_ids,
        item_factors=factors,
        item_bias=bias,
        item_counts=counts.view("<i4"),
        global_mean=header["global_mean"],
        y_range=None if header["y_range"] is None else tuple(header["y_range"]),
        rating_scale=tuple(header["rating_scale"]),
        head=Head(tuple(layers[::2]), tuple(layers[1::2])) if layers else None,
    )

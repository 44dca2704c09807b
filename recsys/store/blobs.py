"""Arrays as the BLOBs of many rows, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.errors import StoreError


def cut(array: NDArray[Any], dtype: str, starts: NDArray[np.int64]) -> Iterator[bytes]:
    """Yield the bytes of ``array[starts[i]:starts[i + 1]]`` for each i.

    Parameters
    ----------
    array : (n, ...)
    dtype : str
        What is stored, with its byte order: ``"<f4"``.
    starts : (n_parts + 1,) int64
    """
    array = np.ascontiguousarray(array, dtype=dtype)
    row_bytes = array.itemsize * int(np.prod(array.shape[1:]))
    # Slices of bytes are made several times as fast as those of a memoryview.
    data = array.tobytes()
    del array
    for start, stop in pairwise((starts * row_bytes).tolist()):
        yield data[start:stop]


def cut_rows(array: NDArray[Any], dtype: str) -> list[bytes]:
    """Return the bytes of each row of ``array``, (n, n_columns): `cut`, but rows are alike long."""
    array = np.ascontiguousarray(array, dtype=dtype)
    rows: list[bytes] = array.view(f"V{array.itemsize * array.shape[1]}").ravel().tolist()
    return rows


def join(blobs: Iterable[bytes], dtype: str) -> NDArray[Any]:
    """Return the concatenated ``blobs`` as one writable array in the machine's byte order."""
    array = np.frombuffer(bytearray().join(blobs), dtype=dtype)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def check_rows(what: str, rows: list[int], n_rows: int) -> None:
    """Raise unless ``rows`` counts from 0 to ``n_rows``: ``what`` would lack one.

    Raises
    ------
    StoreError
        Naming the first row that is missing.
    """
    if rows == list(range(n_rows)):
        return
    missing = next((row for row, found in enumerate(rows) if row != found), len(rows))
    raise StoreError(
        f"{what} has {len(rows)} rows of {n_rows}, row {missing} is missing; "
        "restore the database from a backup"
    )


def check_lengths(what: str, blobs: Sequence[bytes | None], n_bytes: Iterable[int]) -> None:
    """Raise unless each of ``blobs`` has its number of bytes.

    Raises
    ------
    StoreError
        Naming the first row that is cut short or too long.
    """
    for row, (blob, expected) in enumerate(zip(blobs, n_bytes, strict=True)):
        if blob is None or len(blob) != expected:
            found = "nothing" if blob is None else f"{len(blob)} bytes"
            raise StoreError(
                f"row {row} of {what} has {found} instead of {expected}; "
                "restore the database from a backup"
            )


def check_hash(what: str, found: str, saved: str) -> None:
    """Raise unless the content hash of ``what``, as it was read, is the one that was saved.

    Raises
    ------
    StoreError
        Naming both hashes.
    """
    if found != saved:
        raise StoreError(
            f"{what} is not what was saved: its content hash is {found}, not {saved}; "
            "restore the database from a backup"
        )

"""Embeddings as the digits that bring back the same float32."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from recsys.errors import DataError
from recsys.store.exchange.bundle import Array


def written(factors: Array) -> Iterator[list[str]]:
    """Yield each row's numbers, with the fewest digits that are the same float32."""
    for row in factors:
        yield row.astype(str).tolist()


def parsed(path: Path, lines: Iterable[list[str]], first_line: int) -> Array:
    """Return (n, n_factors) float32 of the numbers in each line.

    Parameters
    ----------
    path : Path
        For the message of an error.
    lines : iterable of list of str
    first_line : int
        Its number in the file.

    Raises
    ------
    DataError
        If something is no number, or lines differ in length.
    """
    rows: list[Array] = []
    for number, line in enumerate(lines, first_line):
        try:
            rows.append(np.array(line, dtype=np.float32))
        except ValueError as error:
            raise DataError(f"this is no embedding: {error}", path=path, line=number) from None
        if len(rows[-1]) != len(rows[0]):
            raise DataError(
                "an embedding is cut short, or too long",
                path=path,
                line=number,
                value=len(rows[-1]),
                allowed=f"{len(rows[0])} numbers, as in the first",
            )
    if not rows:
        raise DataError("there is no embedding in it", path=path)
    return np.stack(rows)

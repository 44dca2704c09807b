from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]


@dataclass(frozen=True, eq=False)
class RowGradient:
    """The gradient of a table of which only some rows were read; all other rows are zero.

    It costs what the batch touches, not what the table holds. ``np.asarray`` makes it dense.

    ``rows`` (n,) may name a row many times; then its ``values`` (n, ...) add up. ``shape`` is the
    table's.
    """

    rows: NDArray[np.integer]
    values: Floats
    shape: tuple[int, ...]

    def __add__(self, other: Gradient) -> Gradient:
        if not isinstance(other, RowGradient):
            return self.dense() + other
        return RowGradient(
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.values, other.values]),
            self.shape,
        )

    def coalesce(self) -> RowGradient:
        """Return the same gradient with each row once, in ascending order."""
        if not self.rows.size:
            return self
        order = np.argsort(self.rows, kind="stable")
        rows = self.rows[order]
        first = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
        return RowGradient(rows[first], np.add.reduceat(self.values[order], first), self.shape)

    def dense(self) -> Floats:
        """Return the gradient as an array of the table's shape."""
        once = self.coalesce()
        table = np.zeros(self.shape, self.values.dtype)
        table[once.rows] = once.values
        return table

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a RowGradient has to be written out to become an array")
        return self.dense().astype(dtype or self.values.dtype, copy=False)


Gradient = Floats | RowGradient

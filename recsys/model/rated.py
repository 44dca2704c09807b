from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Rated:
    """All that a data set knows one user to have rated, ascending by item row.

    Attributes
    ----------
    items : (n_rated,) int32
        Item rows.
    values : (n_rated,) float32 or None
        The ratings; None for implicit feedback.
    timestamps : (n_rated,) int64 or None
        Seconds since 1970-01-01 UTC; None where the data set has no times.
    """

    items: NDArray[np.int32]
    values: NDArray[np.float32] | None
    timestamps: NDArray[np.int64] | None

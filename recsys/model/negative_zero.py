from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def without_negative_zero(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``array`` with 0.0 for each -0.0; itself, perhaps memory-mapped, if it has none.

    -0.0 would come back from a database's column of numbers as 0.0: other bits.
    """
    if not (np.signbit(array) & (array == 0)).any():
        return array
    return array + np.float32(0)

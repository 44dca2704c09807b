"""Arrays that begin at a cache line, so that rows of whole lines never straddle two."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_CACHE_LINE = 64


def aligned_zeros(shape: tuple[int, ...], dtype: np.typing.DTypeLike) -> NDArray[Any]:
    """Return zeros whose first byte begins a cache line of 64 bytes."""
    n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(n_bytes + _CACHE_LINE, np.uint8)
    begin = -raw.ctypes.data % _CACHE_LINE
    return raw[begin : begin + n_bytes].view(dtype).reshape(shape)


def aligned(array: NDArray[Any], dtype: np.typing.DTypeLike) -> NDArray[Any]:
    """Return a copy of that dtype whose first byte begins a cache line of 64 bytes."""
    copy = aligned_zeros(array.shape, dtype)
    copy[...] = array
    return copy

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def rmse(predicted: Array, actual: Array) -> float:
    """Return the root of the mean squared error, in stars; NaN for no ratings."""
    return float(np.sqrt(np.mean(_error(predicted, actual) ** 2))) if len(actual) else float("nan")


def mae(predicted: Array, actual: Array) -> float:
    """Return the mean absolute error, in stars; NaN for no ratings."""
    return float(np.mean(np.abs(_error(predicted, actual)))) if len(actual) else float("nan")


def _error(predicted: Array, actual: Array) -> NDArray[np.float64]:
    return predicted.astype(np.float64) - actual.astype(np.float64)

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation.user_metric import UserMetric

Array = NDArray[np.floating]


def rmse(predicted: Array, actual: Array) -> float:
    """Return the root of the mean squared error, in stars; NaN for no ratings."""
    return float(np.sqrt(np.mean(_error(predicted, actual) ** 2))) if len(actual) else float("nan")


def mae(predicted: Array, actual: Array) -> float:
    """Return the mean absolute error, in stars; NaN for no ratings."""
    return float(np.mean(np.abs(_error(predicted, actual)))) if len(actual) else float("nan")


def errors_by_user(
    predicted: Array, actual: Array, users: NDArray[np.integer], n_users: int
) -> dict[str, UserMetric]:
    """Return ``rmse`` and ``mae``, kept by user.

    Parameters
    ----------
    predicted, actual : (n_ratings,) float
        Stars.
    users : (n_ratings,) int
        Who gave each rating, in [0, n_users).
    n_users : int
    """
    error = _error(predicted, actual)

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(users, weights=values, minlength=n_users).astype(np.float64)

    counts = summed(np.ones(len(error)))
    return {
        "rmse": UserMetric(summed(error**2), counts, is_root=True),
        "mae": UserMetric(summed(np.abs(error)), counts),
    }


def _error(predicted: Array, actual: Array) -> NDArray[np.float64]:
    return predicted.astype(np.float64) - actual.astype(np.float64)

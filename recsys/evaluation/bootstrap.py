"""How far a figure would move with other users: the percentile bootstrap, over users.

Whole users are drawn with replacement, not ratings: a user's ratings and a user's list are not
independent of each other, users are.

References
----------
Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation.user_metric import Column, UserMetric

N_RESAMPLES = 1000
_BLOCK = 1 << 22  # draws held at once


class Interval(NamedTuple):
    """Bounds between which the figure falls in most resamples; NaN where it has no value."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference is told from none."""
        return self.low > 0 or self.high < 0


def resampled(
    metrics: Mapping[str, UserMetric], n_resamples: int = N_RESAMPLES, seed: int = 0
) -> dict[str, Column]:
    """Return each metric's value in ``n_resamples`` draws of as many users, (n_resamples,) each.

    The draws depend on the number of users and on the seed alone. So two predictors scored on the
    same held-out ratings are drawn the same users, and the differences of their values are paired.

    Parameters
    ----------
    metrics : mapping of str to UserMetric
        All over the same users.
    n_resamples, seed : int
    """
    if not metrics:
        return {}
    sums = np.stack([column for m in metrics.values() for column in (m.amounts, m.weights)], axis=1)
    drawn = np.concatenate([times @ sums for times in _draws(len(sums), n_resamples, seed)])
    return {
        name: metric.quotient(drawn[:, 2 * n], drawn[:, 2 * n + 1])
        for n, (name, metric) in enumerate(metrics.items())
    }


def interval(samples: Column, level: float = 0.95) -> Interval:
    """Return the middle ``level`` of resampled values; those that are NaN do not count.

    Parameters
    ----------
    samples : (n_resamples,) float64
        Of one metric, or paired differences: one predictor's `resampled` less another's.
    level : float
        In (0, 1).
    """
    values = samples[~np.isnan(samples)]
    if not len(values):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def _draws(n_users: int, n_resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often each user is drawn, (some resamples, n_users) at a time."""
    rng = np.random.default_rng(seed)
    at_once = max(1, _BLOCK // max(1, n_users))
    for start in range(0, n_resamples, at_once):
        n = min(at_once, n_resamples - start)
        users = rng.integers(n_users, size=(n, n_users)) if n_users else np.zeros((n, 0), int)
        cells = (users + n_users * np.arange(n)[:, None]).ravel()
        yield np.bincount(cells, minlength=n * n_users).reshape(n, n_users).astype(np.float64)

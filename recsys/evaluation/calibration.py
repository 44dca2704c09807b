"""Intervals around predicted stars, calibrated on ratings that training never saw.

Split-conformal in spirit: the quantiles are order statistics of the errors on held-out ratings,
taken one place further out than the sample's own, as one more rating would be the next. They
would be exact for a new rating that is drawn as the held-out ones were, had the four weights of
the scale not been fitted on the same ratings; beside their number that is little.

References
----------
Lei, G'Sell, Rinaldo, Tibshirani and Wasserman 2018, "Distribution-Free Predictive Inference for
Regression", section 5.2: residuals over a fitted scale.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from recsys.data import Ratings
from recsys.errors import DataError
from recsys.model.intervals import StarIntervals
from recsys.model.snapshot import Snapshot

# Below this number the share that an interval of 80 % holds is good to no better than 8 %.
MIN_RATINGS = 100

# What lies below the lower end; beyond the upper end lies as much.
_TAILS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45)
_PRECISION = 0.01  # stars; lest predictions without any error have no scale
_PENALTY = 1.0  # of the squared weights, all ratings together: for what does not vary in the data


def with_intervals(snapshot: Snapshot, train: Ratings, held_out: Ratings) -> Snapshot:
    """Return the snapshot with intervals around its predicted stars.

    It is returned as it is where it predicts no stars, or fewer than `MIN_RATINGS` ratings are
    held out.

    Parameters
    ----------
    snapshot : Snapshot
        Trained on ``train``.
    train, held_out : Ratings
    """
    too_few = held_out.values is None or held_out.n_ratings < MIN_RATINGS
    if snapshot.objective != "rating" or too_few:
        return snapshot
    users, items = held_out.rows_in(train)
    intervals = calibrate(
        snapshot.predict(users, items),
        np.asarray(held_out.values),
        counts_at(snapshot.item_counts, items),
        counts_at(train.counts_by_user, users),
        snapshot.items.rating_scale,
    )
    return replace(snapshot, items=replace(snapshot.items, intervals=intervals))


def calibrate(
    predicted: NDArray[np.floating],
    actual: NDArray[np.floating],
    item_counts: NDArray[np.integer],
    user_counts: NDArray[np.integer],
    rating_scale: tuple[float, float],
) -> StarIntervals:
    """Return the intervals that the errors on held-out ratings speak for.

    The weights of the scale are those under which the errors are likeliest, were they normal;
    the quantiles then take the errors as they are.

    Parameters
    ----------
    predicted, actual : (n_ratings,) float
        Stars, of ratings that were not trained on.
    item_counts, user_counts : (n_ratings,) int
        Training ratings of each one's item and user.
    rating_scale : (float, float)
        Smallest and largest possible rating.

    Raises
    ------
    DataError
        If there are fewer than `MIN_RATINGS`.
    """
    if len(actual) < MIN_RATINGS:
        raise DataError(
            "there are too few held-out ratings to calibrate intervals",
            value=len(actual),
            allowed=f"{MIN_RATINGS} or more",
        )
    stars = predicted.astype(np.float64)
    errors = actual.astype(np.float64) - stars
    known = np.stack([np.log1p(item_counts), np.log1p(user_counts), stars], axis=1)
    intercept, of_item, of_user, of_star = _scale_weights(known, errors)
    logarithm = intercept + np.einsum("rk,k->r", known, (of_item, of_user, of_star))
    probabilities, quantiles = _quantiles(errors / np.exp(logarithm))
    return StarIntervals(
        intercept=intercept,
        per_log_item_count=of_item,
        per_log_user_count=of_user,
        per_star=of_star,
        probabilities=probabilities,
        quantiles=quantiles,
        rating_scale=rating_scale,
        n_ratings=len(errors),
    )


def counts_at(counts: NDArray[np.integer], rows: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the counts of ``rows``, 0 of row -1, which is somebody or something unknown."""
    found: NDArray[np.int64] = np.append(counts, 0)[rows].astype(np.int64)
    return found


def _scale_weights(known: NDArray[np.float64], errors: NDArray[np.float64]) -> list[float]:
    """Return the intercept and the weights of the logarithm of the scale."""
    centre = known.mean(axis=0)
    x = np.column_stack([np.ones(len(known)), known - centre])
    squares = errors**2 + _PRECISION**2

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        # By einsum, not BLAS: the last bit must not depend on the number of threads.
        logarithm = np.einsum("rk,k->r", x, weights)
        ratio = squares * np.exp(-2 * logarithm)
        penalised = np.append(0.0, weights[1:]) * _PENALTY / len(x)
        value = (logarithm + ratio / 2).mean() + (penalised * weights).sum() / 2
        return float(value), np.einsum("rk,r->k", x, 1 - ratio) / len(x) + penalised

    start = np.array([np.log(squares.mean()) / 2, *np.zeros(known.shape[1])])
    weights = minimize(loss, start, jac=True, method="BFGS").x
    intercept = weights[0] - (weights[1:] * centre).sum()
    return [float(intercept), *weights[1:].tolist()]


def _quantiles(scaled: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return probabilities and their quantiles, as far out as there are ratings to tell.

    Of n errors the k-th from below has k / (n + 1) of all further ones below it, and the k-th
    from above as many above it.
    """
    ordered = np.sort(scaled)
    # Rounded, lest 199 errors miss the first tail by a last bit.
    places = {tail: int(round((len(ordered) + 1) * tail, 9)) for tail in _TAILS}
    known = {tail: place for tail, place in places.items() if place >= 1}
    low = [(tail, float(ordered[place - 1])) for tail, place in known.items()]
    high = [(round(1 - tail, 3), float(ordered[-place])) for tail, place in known.items()]
    probabilities, quantiles = zip(*low, *reversed(high), strict=True)
    return probabilities, quantiles

"""What a model must beat: means and biases for stars, popularity and EASE for lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.errors import DataError
from recsys.model.ease import Ease, ease
from recsys.model.item_side import Floats

# Ratings of the prior that every item and user starts with in `damped_bias` (LensKit's default).
DAMPING = 5.0


@dataclass(frozen=True, eq=False)
class Baseline:
    """Predicts ``global_mean + user_bias + item_bias``.

    Attributes
    ----------
    name : str
    global_mean : float
        Mean training rating, stars.
    user_bias : (n_users,) float64
    item_bias : (n_items,) float64
    item_counts : (n_items,) int32
        Training ratings of each item.
    rating_scale : (float, float)
        Smallest and largest training rating; predictions are clipped to it.
    """

    name: str
    global_mean: float
    user_bias: NDArray[np.float64]
    item_bias: NDArray[np.float64]
    item_counts: NDArray[np.int32]
    rating_scale: tuple[float, float]

    def predict(self, users: NDArray[np.integer], items: NDArray[np.integer]) -> Floats:
        """Return the predicted ratings of pairs, (n,) float32; row -1 is an unknown user or item.

        See `Snapshot.predict`, whose contract this shares.
        """
        predicted: NDArray[np.float64] = self.global_mean + self.user_bias[users] * (users >= 0)
        predicted += self.item_bias[items] * (items >= 0)
        predicted = np.clip(predicted, *self.rating_scale)
        return predicted.astype(np.float32)

    def list_scores(self, users: NDArray[np.integer]) -> Floats:
        """Return what orders the lists of ``users``: the same for everybody, (n, n_items)."""
        bias = self.item_bias.astype(np.float32)
        return np.broadcast_to(bias, (len(users), len(bias)))


@dataclass(frozen=True, eq=False)
class Popularity:
    """Lists what has the most training ratings, for everybody alike.

    Attributes
    ----------
    item_counts : (n_items,) int32
        Training ratings of each item.
    """

    item_counts: NDArray[np.int32]
    name: str = "popularity"

    def predict(self, users: NDArray[np.integer], items: NDArray[np.integer]) -> None:
        """Return None: popularity orders lists and predicts no stars."""

    def list_scores(self, users: NDArray[np.integer]) -> Floats:
        """Return the number of ratings of each item, (n, n_items) float32."""
        counts = self.item_counts.astype(np.float32)
        return np.broadcast_to(counts, (len(users), len(counts)))


def global_mean(train: Ratings) -> Baseline:
    """Return the baseline that predicts the mean training rating."""
    return _baseline("global", train, np.zeros(train.n_users), np.zeros(train.n_items))


def item_mean(train: Ratings) -> Baseline:
    """Return the baseline that predicts each item's mean; the global mean where it has none."""
    item_bias = _damped_means(_from_mean(train), train.items, train.n_items, damping=0)
    return _baseline("item-mean", train, np.zeros(train.n_users), item_bias)


def damped_bias(train: Ratings) -> Baseline:
    """Return the baseline of user and item biases, shrunk towards zero where ratings are few.

    With mu the global mean and d the `DAMPING` ::

        b_i = sum over the item's ratings of (r - mu) / (n_i + d)
        b_u = sum over the user's ratings of (r - mu - b_i) / (n_u + d)

    References
    ----------
    Ekstrand, Riedl and Konstan 2011, "Collaborative Filtering Recommender Systems", eq. 2.3
    and 2.4.
    """
    residual = _from_mean(train)
    item_bias = _damped_means(residual, train.items, train.n_items, DAMPING)
    residual -= item_bias[train.items]
    user_bias = _damped_means(residual, train.users, train.n_users, DAMPING)
    return _baseline("bias", train, user_bias, item_bias)


def popularity(train: Ratings) -> Popularity:
    """Return the baseline that lists the most rated items."""
    return Popularity(train.counts_by_item.astype(np.int32))


BASELINES: dict[str, Callable[[Ratings], Baseline]] = {
    "global": global_mean,
    "item-mean": item_mean,
    "bias": damped_bias,
}
"""Those that predict stars."""

LIST_BASELINES: dict[str, Callable[[Ratings], Popularity | Ease]] = {
    "popularity": popularity,
    "ease": ease,
}
"""Those that only order lists."""


def fit_baselines(
    train: Ratings,
) -> tuple[dict[str, Baseline | Popularity | Ease], dict[str, DataError]]:
    """Return the baselines fitted by name, and why others are not: the data are too large.

    Where there are no stars, only those that order lists are there.
    """
    able = LIST_BASELINES if train.is_implicit else {**BASELINES, **LIST_BASELINES}
    fitted: dict[str, Baseline | Popularity | Ease] = {}
    refused = {}
    for name, baseline in able.items():
        try:
            fitted[name] = baseline(train)
        except DataError as refusal:
            refused[name] = refusal
    return fitted, refused


def _values(train: Ratings) -> NDArray[np.float32]:
    if train.values is None or not train.n_ratings:
        raise DataError("there are no rating values to average", path=train.name)
    return train.values


def _mean(train: Ratings) -> float:
    return float(_values(train).mean(dtype=np.float64))


def _from_mean(train: Ratings) -> NDArray[np.float64]:
    """Return the ratings less their mean, stars."""
    return np.subtract(_values(train), _mean(train), dtype=np.float64)


def _damped_means(
    residual: NDArray[np.float64], rows: NDArray[np.int32], n_rows: int, damping: float
) -> NDArray[np.float64]:
    sums = np.bincount(rows, weights=residual, minlength=n_rows)
    counts = np.bincount(rows, minlength=n_rows) + damping
    means: NDArray[np.float64] = sums / np.where(counts > 0, counts, 1)  # no ratings: the sum is 0
    return means


def _baseline(
    name: str,
    train: Ratings,
    user_bias: NDArray[np.float64],
    item_bias: NDArray[np.float64],
) -> Baseline:
    return Baseline(
        name=name,
        global_mean=_mean(train),
        user_bias=user_bias,
        item_bias=item_bias,
        item_counts=train.counts_by_item.astype(np.int32),
        rating_scale=train.rating_scale,
    )

"""Ratings whose true factors are known, to see whether training finds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data.ids import IdMap
from recsys.data.ratings import Ratings
from recsys.errors import UsageError

_GLOBAL_MEAN = 3.5
_BIAS_STD = 0.3
# Standard deviation of the dot product, in stars, whatever the number of factors.
_DOT_STD = 0.6
# How steeply popularity falls with an item's rank, and activity with a user's (Zipf's law).
_ITEM_TAIL, _USER_TAIL = 0.9, 0.6
_CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class PlantedFactors:
    """What the ratings were made from; their noise is the RMSE that no model can beat.

    Attributes
    ----------
    global_mean : float
    user_bias : (n_users,) float32
    item_bias : (n_items,) float32
    user_factors : (n_users, n_factors) float32
    item_factors : (n_items, n_factors) float32
    noise : float
        Standard deviation of the noise that was added, in stars.
    """

    global_mean: float
    user_bias: NDArray[np.float32]
    item_bias: NDArray[np.float32]
    user_factors: NDArray[np.float32]
    item_factors: NDArray[np.float32]
    noise: float

    def expected(self, users: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the ratings without noise of pairs of rows, (n,) float32."""
        values = np.empty(len(users), dtype=np.float32)
        # In pieces: the gathered factors of 20 million pairs would not fit in memory.
        for start in range(0, len(users), _CHUNK):
            part = slice(start, start + _CHUNK)
            u, i = users[part], items[part]
            dots = np.einsum("rk,rk->r", self.user_factors[u], self.item_factors[i])
            values[part] = self.global_mean + self.user_bias[u] + self.item_bias[i] + dots
        return values


def synthetic_ratings(
    n_users: int,
    n_items: int,
    n_ratings: int,
    n_factors: int,
    noise: float,
    rng: np.random.Generator,
) -> tuple[Ratings, PlantedFactors]:
    """Return ratings made from random factors, and those factors.

    A rating is the global mean, both biases, the dot product and Gaussian noise, neither rounded
    nor clipped. Who rates and what is rated are long-tailed. Pairs are unique and sorted by user,
    then item; ids count from 1.

    Parameters
    ----------
    n_users, n_items, n_ratings, n_factors : int
    noise : float
        Standard deviation in stars, 0 or more.
    rng : numpy.random.Generator

    Raises
    ------
    UsageError
        If a number is not positive, or more than half of all pairs were to be rated.
    """
    for name, number in (
        ("n_users", n_users),
        ("n_items", n_items),
        ("n_ratings", n_ratings),
        ("n_factors", n_factors),
    ):
        if number < 1:
            raise UsageError(f"{name} is {number}; allowed: 1 or more")
    if not 0 <= noise < np.inf:
        raise UsageError(f"noise is {noise}; allowed: a finite number from 0 on")
    if n_ratings > n_users * n_items // 2:
        raise UsageError(
            f"{n_ratings} ratings; allowed: at most half of all pairs, {n_users * n_items // 2}"
        )
    factor_std = np.sqrt(_DOT_STD / np.sqrt(n_factors))
    truth = PlantedFactors(
        global_mean=_GLOBAL_MEAN,
        user_bias=_normal(rng, (n_users,), _BIAS_STD),
        item_bias=_normal(rng, (n_items,), _BIAS_STD),
        user_factors=_normal(rng, (n_users, n_factors), factor_std),
        item_factors=_normal(rng, (n_items, n_factors), factor_std),
        noise=noise,
    )
    users, items = _pairs(n_users, n_items, n_ratings, rng)
    values = truth.expected(users, items) + _normal(rng, (n_ratings,), noise)
    ratings = Ratings(
        "synthetic",
        IdMap(str(row + 1) for row in range(n_users)),
        IdMap(str(row + 1) for row in range(n_items)),
        users,
        items,
        values,
    )
    return ratings, truth


def _pairs(
    n_users: int, n_items: int, n_ratings: int, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return distinct pairs of rows, drawn by activity and popularity."""
    activity, popularity = _tail(n_users, _USER_TAIL, rng), _tail(n_items, _ITEM_TAIL, rng)
    pairs = np.empty(0, dtype=np.int64)
    while (missing := n_ratings - len(pairs)) > 0:
        users = rng.choice(n_users, size=missing, p=activity)
        items = rng.choice(n_items, size=missing, p=popularity)
        pairs = np.sort(np.concatenate([pairs, users * n_items + items]))
        pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])]
        # The popular pairs are gone after a few rounds; flatter weights find the others.
        activity, popularity = _flatter(activity), _flatter(popularity)
    users, items = np.divmod(pairs, n_items)
    return users.astype(np.int32), items.astype(np.int32)


def _tail(n: int, exponent: float, rng: np.random.Generator) -> NDArray[np.float64]:
    weights = np.arange(1, n + 1, dtype=np.float64) ** -exponent
    return np.asarray(rng.permutation(weights / weights.sum()))


def _flatter(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    flatter = np.sqrt(weights)
    return np.asarray(flatter / flatter.sum())


def _normal(rng: np.random.Generator, shape: tuple[int, ...], std: float) -> NDArray[np.float32]:
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(std)

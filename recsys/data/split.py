"""Which ratings train and which are kept back: masks over ``ratings``, True where kept back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.data.ratings import Ratings
from recsys.errors import DataError, UsageError

# Part of what every stored version means by "held out": another key is another choice.
_KEY = b"recsys held-out ratings"
_CHUNK = 1 << 20


def held_out(ratings: Ratings, fraction: float = 0.1) -> NDArray[np.bool_]:
    """Return which ratings no version ever trains on, (n_ratings,) bool.

    A keyed hash of the user's and the item's id decides, and nothing else: not the order of the
    file, not the other ratings, no seed. What is held out at one fraction is so at any larger one.

    Parameters
    ----------
    ratings : Ratings
    fraction : float
        In [0, 1]. The share comes out near it, not exactly it.

    Raises
    ------
    UsageError
        If ``fraction`` is outside [0, 1].
    """
    _check_fraction(fraction)
    users = _hashes(ratings.user_ids, b"user")
    items = _mix(_hashes(ratings.item_ids, b"item"))
    chosen = np.empty(ratings.n_ratings, dtype=bool)
    # In pieces: the hashes of 20 million pairs take more memory than the ratings.
    for start in range(0, ratings.n_ratings, _CHUNK):
        part = slice(start, start + _CHUNK)
        # 53 bits are what a float64 in [0, 1) can hold.
        bits = _mix(users[ratings.users[part]] + items[ratings.items[part]]) >> np.uint64(11)
        chosen[part] = bits * 2.0**-53 < fraction
    return chosen


class Parted(NamedTuple):
    """Ratings and their two parts, which share their memory."""

    all: Ratings
    train: Ratings
    held_out: Ratings


def part(ratings: Ratings, is_held_out: NDArray[np.bool_]) -> Parted:
    """Return the ratings, those held out moved behind the others, and both parts of them.

    The order within a part stays. Of many ratings, parts of their own would take as much memory
    as all of them.

    Parameters
    ----------
    ratings : Ratings
    is_held_out : (n_ratings,) bool
    """

    def moved(column: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate((column[~is_held_out], column[is_held_out]))

    together = replace(
        ratings,
        users=moved(ratings.users),
        items=moved(ratings.items),
        values=None if ratings.values is None else moved(ratings.values),
        timestamps=None if ratings.timestamps is None else moved(ratings.timestamps),
    )
    n_train = ratings.n_ratings - int(np.count_nonzero(is_held_out))
    return Parted(together, together.select(slice(n_train)), together.select(slice(n_train, None)))


def split_by_rating(
    ratings: Ratings, fraction: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return a random ``floor(fraction * n_ratings)`` of the ratings, (n_ratings,) bool.

    Raises
    ------
    UsageError
        If ``fraction`` is outside [0, 1].
    """
    _check_fraction(fraction)
    chosen = np.zeros(ratings.n_ratings, dtype=bool)
    chosen[rng.permutation(ratings.n_ratings)[: _floor(fraction, ratings.n_ratings)]] = True
    return chosen


def split_by_user(ratings: Ratings, fraction: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return a random ``floor(fraction * n)`` of each user's n ratings, (n_ratings,) bool.

    Raises
    ------
    UsageError
        If ``fraction`` is outside [0, 1].
    """
    _check_fraction(fraction)
    order = rng.permutation(ratings.n_ratings)
    order = order[np.argsort(ratings.users[order], kind="stable")]
    counts = ratings.counts_by_user
    place = np.arange(ratings.n_ratings) - np.repeat(np.cumsum(counts) - counts, counts)
    chosen = np.zeros(ratings.n_ratings, dtype=bool)
    chosen[order] = place < np.repeat(_floor(fraction, counts), counts)
    return chosen


def split_by_time(ratings: Ratings, fraction: float) -> NDArray[np.bool_]:
    """Return the newest ``floor(fraction * n_ratings)`` of all ratings, (n_ratings,) bool.

    One cut through time for all users, so that nothing trained on is newer than anything tested
    on. A user may fall on one side with all ratings. Of equal times the later line is the newer.

    Raises
    ------
    DataError
        If the ratings carry no times.
    UsageError
        If ``fraction`` is outside [0, 1].

    References
    ----------
    Meng, McCreadie, Macdonald, Ounis: Exploring Data Splitting Strategies for the Evaluation of
    Recommendation Models, RecSys 2020, "temporal global".
    """
    _check_fraction(fraction)
    if ratings.timestamps is None:
        raise DataError(f"{ratings.name} has no timestamps, and a split by time needs them")
    n_chosen = _floor(fraction, ratings.n_ratings)
    order = np.argsort(ratings.timestamps, kind="stable")
    chosen = np.zeros(ratings.n_ratings, dtype=bool)
    chosen[order[ratings.n_ratings - n_chosen :]] = True
    return chosen


def split_last(ratings: Ratings) -> NDArray[np.bool_]:
    """Return the newest rating of each user with two and more, (n_ratings,) bool.

    Of equal times the later line is the newer. A user with a single rating keeps it, so that
    there is something to recommend from.

    Raises
    ------
    DataError
        If the ratings carry no times.

    References
    ----------
    Meng et al. 2020 (see `split_by_time`), "leave one last item".
    """
    if ratings.timestamps is None:
        raise DataError(f"{ratings.name} has no timestamps, and leaving the last out needs them")
    order = np.lexsort((ratings.timestamps, ratings.users))
    users = ratings.users[order]
    is_last = np.append(users[1:] != users[:-1], True)[: len(users)]
    counts = ratings.counts_by_user
    chosen = np.zeros(ratings.n_ratings, dtype=bool)
    chosen[order] = is_last & (counts[users] > 1)
    return chosen


def k_folds(ratings: Ratings, k: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Return the number of each rating's fold, (n_ratings,) int8 in [0, k).

    The folds are random and differ in size by one rating at most.

    Raises
    ------
    UsageError
        If ``k`` is not 2 to 127, or more than there are ratings.
    """
    largest = min(127, ratings.n_ratings)
    if not 2 <= k <= largest:
        raise UsageError(f"{k} folds; allowed: 2 to {largest}")
    folds = np.empty(ratings.n_ratings, dtype=np.int8)
    folds[rng.permutation(ratings.n_ratings)] = np.arange(ratings.n_ratings) % k
    return folds


def _hashes(ids: Iterable[str], person: bytes) -> NDArray[np.uint64]:
    digests = (
        hashlib.blake2b(raw_id.encode(), digest_size=8, key=_KEY, person=person).digest()
        for raw_id in ids
    )
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return 64 bits that each depend on all 64 given ones (the finaliser of SplitMix64)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _floor(fraction: float, n: int | NDArray[np.int64]) -> int | NDArray[np.int64]:
    # 0.29 * 100 is 28.999999999999996 in floats, and 29 is meant.
    floors = np.floor(fraction * np.asarray(n) + 1e-9).astype(np.int64)
    return floors if isinstance(n, np.ndarray) else int(floors)


def _check_fraction(fraction: float) -> None:
    if not 0 <= fraction <= 1:
        raise UsageError(f"a fraction of {fraction}; allowed: 0 to 1")

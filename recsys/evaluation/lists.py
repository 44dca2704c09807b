"""Everybody's list, a block of users at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.evaluation.predictor import Predictor

Rows = NDArray[np.int32]

# Scores held at once, whatever the catalogue: 16 MB of them, and a few times that to sort.
_BLOCK = 1 << 22
# Users at once where few items are scored, because of the items of their own.
_USERS = 4096
# Where everybody has the same scores, so many of the best for each place are looked at first.
_BEST_PER_PLACE = 16
# With so many, few groups hold two of the best.
_GROUPS_PER_PLACE = 16


def best_items(scores: NDArray[np.floating], k: int) -> Rows:
    """Return the ``k`` items of the highest scores of each user, best first.

    Equal scores come in row order, as in `recsys.model.ranking.page`.

    Parameters
    ----------
    scores : (n_users, n_items) float
        Without NaN; -inf leaves an item out.
    k : int
        At least 1.

    Returns
    -------
    (n_users, k) int32
        Item rows; -1 where a user has fewer than ``k`` items.
    """
    n_users, n_items = scores.shape
    best = np.full((n_users, k), -1, np.int32)
    n = min(k, n_items)
    if n == 0 or n_users == 0:
        return best
    # Of the items that equal the n-th highest score only the first are needed.
    threshold = _nth_highest(scores, n)
    is_chosen = scores >= threshold
    tied = np.flatnonzero(np.count_nonzero(is_chosen, axis=1) > n)
    if len(tied):
        is_above = scores[tied] > threshold[tied]
        equals = is_chosen[tied] & ~is_above
        n_missing = n - is_above.sum(axis=1, keepdims=True)
        is_chosen[tied] = is_above | (equals & (np.cumsum(equals, axis=1) <= n_missing))
    rows = np.flatnonzero(is_chosen).reshape(n_users, n) % n_items

    chosen = np.take_along_axis(scores, rows, axis=1)
    order = np.argsort(-chosen, axis=1, kind="stable")
    is_in = np.take_along_axis(chosen, order, axis=1) > -np.inf
    best[:, :n] = np.where(is_in, np.take_along_axis(rows, order, axis=1), -1)
    return best


def _nth_highest(scores: NDArray[np.floating], n: int) -> NDArray[np.floating]:
    """Return each user's ``n``-th highest score, (n_users, 1).

    The items are dealt into groups: the n-th highest of the groups' maxima is reached by n scores
    and more, so that only the few that reach it need sorting out.
    """
    n_users, n_items = scores.shape
    n_groups = _GROUPS_PER_PLACE * n
    in_each = n_items // n_groups
    if in_each < 2:
        return np.partition(scores, n_items - n, axis=1)[:, n_items - n, None]
    grouped = scores[:, : in_each * n_groups].reshape(n_users, in_each, n_groups)
    bounds = np.partition(grouped.max(axis=1), n_groups - n, axis=1)[:, n_groups - n]
    highest = np.empty((n_users, 1), scores.dtype)
    for user, bound in enumerate(bounds):
        reaching = scores[user][scores[user] >= bound]
        highest[user] = np.partition(reaching, len(reaching) - n)[len(reaching) - n]
    return highest


def recommend_lists(
    predictor: Predictor,
    train: Ratings,
    users: NDArray[np.integer],
    k: int,
    *,
    progress: Callable[[int, int], None] = lambda n_done, n_users: None,
) -> Rows:
    """Return the list of each user: items with training ratings less the user's own.

    Parameters
    ----------
    predictor : Predictor
        Trained on ``train``.
    train : Ratings
    users : (n,) int
        Rows of ``train``; -1 is somebody unknown, who has no items to leave out.
    k : int
    progress : callable
        Is told after each block how many of the users have their list, of how many.

    Returns
    -------
    (n, k) int32
        Item rows, best first; -1 after the end of a list shorter than ``k``.
    """
    of_two = predictor.list_scores(users[:2])
    if len(of_two) == 2 and of_two.strides[0] == 0:
        scores = np.where(predictor.item_counts > 0, of_two[0], -np.inf)
        lists = _shared_lists(scores, TrainingItems(train), users, k)
        progress(len(users), len(users))
        return lists
    lists = np.full((len(users), k), -1, np.int32)
    for part, scores in candidate_scores(predictor, train, users):
        lists[part] = best_items(scores, k)
        progress(min(part.stop, len(users)), len(users))
    return lists


def _shared_lists(
    scores: NDArray[np.floating],
    own_items: TrainingItems,
    users: NDArray[np.integer],
    k: int,
) -> Rows:
    """Return the lists of users for all of whom items have the same ``scores``, (n_items,).

    Only the best items are looked at, and again more of them for users who own so many of those
    that their lists are not full.
    """
    lists = np.full((len(users), k), -1, np.int32)
    best_first = np.argsort(-scores, kind="stable")
    left, n_best = np.arange(len(users)), _BEST_PER_PLACE * k
    while len(left):
        best = np.sort(best_first[:n_best])  # in row order, by which equals are listed
        column = np.full(len(scores), -1)
        column[best] = np.arange(len(best))
        at_once = max(1, min(_BLOCK // len(best), _USERS))
        for start in range(0, len(left), at_once):
            block = left[start : start + at_once]
            theirs = np.tile(scores[best], (len(block), 1))
            rows, items = own_items.of(users[block])
            is_best = column[items] >= 0
            theirs[rows[is_best], column[items[is_best]]] = -np.inf
            found = best_items(theirs, k)
            lists[block] = np.where(found >= 0, best[found], -1)
        if n_best >= len(scores):
            break
        left, n_best = left[lists[left, -1] < 0], 8 * n_best
    return lists


def candidate_scores(
    predictor: Predictor, train: Ratings, users: NDArray[np.integer]
) -> Iterator[tuple[slice, NDArray[np.floating]]]:
    """Yield a block of ``users``, and their scores with -inf for what is no candidate.

    Candidates are the items with training ratings less the user's own.
    """
    own_items = TrainingItems(train)
    untrained = np.flatnonzero(predictor.item_counts == 0)
    at_once = max(1, _BLOCK // max(1, train.n_items))
    for start in range(0, len(users), at_once):
        part = slice(start, start + at_once)
        scores = predictor.list_scores(users[part]).copy()
        scores[:, untrained] = -np.inf
        scores[own_items.of(users[part])] = -np.inf
        yield part, scores


class TrainingItems:
    """The training items of users, to be left out of their lists."""

    def __init__(self, train: Ratings) -> None:
        # One row more, without items: that of somebody unknown.
        self._counts = np.append(train.counts_by_user, 0)
        self._starts = np.append(0, np.cumsum(self._counts)[:-1])
        self._items = train.items[np.argsort(train.users, kind="stable")]

    def of(self, users: NDArray[np.integer]) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """Return positions in ``users``, (n,) int, and the item rows that belong to them."""
        counts = self._counts[users]
        positions = np.repeat(np.arange(len(users)), counts)
        first = np.repeat(self._starts[users], counts)
        return positions, self._items[first + _place(positions, len(users))]


def _place(sorted_rows: NDArray[np.integer], n_rows: int) -> NDArray[np.integer]:
    """Return how many equal rows stand before each."""
    counts = np.bincount(sorted_rows, minlength=n_rows)
    return np.arange(len(sorted_rows)) - np.repeat(np.cumsum(counts) - counts, counts)

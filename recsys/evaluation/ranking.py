"""List metrics over the full catalogue: no sampled negatives.

Gains are binary. A user has r relevant held-out items; the list of k holds relevant ones at the
ranks in H, counted from 1. Every function returns one value per user, (n_users,) float64, from

    hits : (n_users, k) bool
        Whether the item at a rank is relevant.
    n_relevant : (n_users,) int
        r, at least 1. Items unknown to training count: they can never be found.

References
----------
Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques".
Manning, Raghavan and Schütze 2008, "Introduction to Information Retrieval", chapter 8.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.evaluation.user_metric import Column

Hits = NDArray[np.bool_]
Counts = NDArray[np.integer]


def find_hits(
    lists: NDArray[np.integer],
    users: NDArray[np.integer],
    items: NDArray[np.integer],
    n_items: int,
) -> Hits:
    """Return which places of lists hold a relevant item, (n_users, k) bool.

    Parameters
    ----------
    lists : (n_users, k) int
        Item rows, -1 where a list has ended.
    users, items : (n_relevant,) int
        The relevant pairs: a row of ``lists``, and an item row or -1 for an unknown item.
    n_items : int
    """
    known = items >= 0
    pairs = np.sort(users[known].astype(np.int64) * n_items + items[known])
    wanted = np.arange(len(lists))[:, None] * n_items + lists
    if not len(pairs):
        return np.zeros(lists.shape, bool)
    place = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
    return np.asarray((pairs[place] == wanted) & (lists >= 0))


def ndcg(hits: Hits, n_relevant: Counts) -> Column:
    """Return the discounted gain over that of a list that begins with min(k, r) relevant items.

    ``sum over H of 1 / log2(rank + 1)``, over ``sum of 1 / log2(rank + 1) for rank up to
    min(k, r)``.
    """
    k = hits.shape[1]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(n_relevant, k) - 1]
    return np.asarray(hits @ discounts / ideal)


def recall(hits: Hits, n_relevant: Counts) -> Column:
    """Return |H| / r."""
    return np.asarray(hits.sum(axis=1) / n_relevant)


def precision(hits: Hits, n_relevant: Counts) -> Column:
    """Return |H| / k."""
    return np.asarray(hits.mean(axis=1))


def average_precision(hits: Hits, n_relevant: Counts) -> Column:
    """Return ``sum over H of (relevant items down to that rank / rank) / min(k, r)``."""
    k = hits.shape[1]
    precisions = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
    return np.asarray((precisions * hits).sum(axis=1) / np.minimum(n_relevant, k))


def hit_rate(hits: Hits, n_relevant: Counts) -> Column:
    """Return 1 where the list holds a relevant item, else 0."""
    return np.asarray(hits.any(axis=1), dtype=np.float64)

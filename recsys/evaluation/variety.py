"""What lists are like, apart from being right: how much of the catalogue, how obscure, how alike.

``lists`` is always (n_users, k) int, item rows with -1 where a list has ended.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.data import ItemMetadata
from recsys.evaluation.user_metric import Column, UserMetric

Lists = NDArray[np.integer]

_USERS_AT_ONCE = 8192  # bounds the memory for pairs of items


def coverage(lists: Lists, n_candidates: int) -> float:
    """Return the share of the candidates that stand in at least one list; NaN without lists."""
    if not len(lists) or not n_candidates:
        return float("nan")
    return len(np.unique(lists[lists >= 0])) / n_candidates


def novelty(lists: Lists, item_counts: NDArray[np.integer], n_users: int) -> UserMetric:
    """Return how surprising the items are, in bits: the mean of log2(n_users / raters).

    An item that everybody has rated says nothing, one that a 16th has rated 4 bits. The mean is
    over a user's list, then over users.

    Parameters
    ----------
    lists : (n, k) int
    item_counts : (n_items,) int
        Training ratings of each item, at least 1 for those listed.
    n_users : int
        Users with training ratings.

    References
    ----------
    Zhou et al. 2010, "Solving the apparent diversity-accuracy dilemma of recommender systems",
    PNAS 107(10): surprisal.
    """
    bits = np.log2(n_users / np.maximum(item_counts, 1))
    return UserMetric.mean(*_list_means(lists, bits))


def popularity_lift(
    lists: Lists, item_counts: NDArray[np.integer], own_popularity: Column
) -> UserMetric:
    """Return how many times as popular the lists are as what the users chose themselves.

    Popularity of an item is its number of training ratings. That of lists is the mean over a
    list, then over users, and is divided by the same mean over the users' own training items:
    1 repeats their taste for the popular, 2 doubles it. Users without training items do not
    count.

    Parameters
    ----------
    lists : (n, k) int
    item_counts : (n_items,) int
    own_popularity : (n,) float64
        Mean popularity of each user's training items; 0 without any.

    References
    ----------
    Abdollahpouri, Mansoury, Burke, Mobasher 2019, "The Unfairness of Popularity Bias in
    Recommendation", arXiv 1907.13286: their change in group average popularity is this less 1.
    """
    listed, has_list = _list_means(lists, item_counts.astype(np.float64))
    counted = has_list & (own_popularity > 0)
    return UserMetric(np.where(counted, listed, 0.0), np.where(counted, own_popularity, 0.0))


def diversity(lists: Lists, genres: NDArray[np.bool_]) -> UserMetric:
    """Return how unlike the items of a list are: the mean Jaccard distance of their genres.

    ``1 - |A and B| / |A or B|`` over all pairs of a list, then the mean over users: 0 if all have
    the same genres, 1 if no two share one. Items without genres are left out, and users without a
    pair do not count. Genres and not embeddings, because a model's own embeddings would judge its
    own lists.

    Parameters
    ----------
    lists : (n, k) int
    genres : (n_items, n_genres) bool

    References
    ----------
    Ziegler, McNee, Konstan, Lausen 2005, "Improving Recommendation Lists Through Topic
    Diversification": intra-list similarity.
    """
    # A last row without genres, which is that of places after the end of a list.
    of_item = np.vstack([genres, np.zeros((1, genres.shape[1]), bool)]).astype(np.float32)
    distance, n_pairs = np.zeros(len(lists)), np.zeros(len(lists))
    pairs = np.triu_indices(lists.shape[1], k=1)
    for start in range(0, len(lists), _USERS_AT_ONCE):
        block = slice(start, start + _USERS_AT_ONCE)
        listed = of_item[lists[block]]
        sizes = listed.sum(axis=2)
        shared = (listed @ listed.transpose(0, 2, 1))[:, *pairs]
        first, second = sizes[:, pairs[0]], sizes[:, pairs[1]]
        counted = (first > 0) & (second > 0)
        similarity = np.divide(
            shared, first + second - shared, out=np.zeros_like(shared), where=counted
        )
        n_pairs[block] = counted.sum(axis=1)
        distance[block] = n_pairs[block] - similarity.sum(axis=1, dtype=np.float64)
    return UserMetric.mean(distance / np.maximum(n_pairs, 1), n_pairs > 0)


def genre_matrix(metadata: ItemMetadata) -> NDArray[np.bool_]:
    """Return which item has which genre, (n_items, n_genres) bool, genres in sorted order."""
    names = sorted({name for genres in metadata.genres for name in genres})
    column = {name: number for number, name in enumerate(names)}
    matrix = np.zeros((len(metadata), len(names)), bool)
    for row, genres in enumerate(metadata.genres):
        matrix[row, [column[name] for name in genres]] = True
    return matrix


def _list_means(lists: Lists, of_item: Column) -> tuple[Column, NDArray[np.bool_]]:
    """Return the mean over each list, 0 for an empty one, and which lists are not empty."""
    is_in = lists >= 0
    sums = np.where(is_in, of_item[lists], 0.0).sum(axis=1)
    n = is_in.sum(axis=1)
    return sums / np.maximum(n, 1), n > 0

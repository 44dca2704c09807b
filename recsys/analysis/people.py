"""A few users to look at: whom, and what they like best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.data.relevance import is_relevant


def draw_users(
    ratings: Ratings, n: int, rng: np.random.Generator, min_liked: int = 10
) -> NDArray[np.int32]:
    """Return the rows of ``n`` users who liked ``min_liked`` items or more, drawn at random.

    Ascending; fewer where there are not so many.
    """
    n_liked = np.bincount(ratings.users[is_relevant(ratings)], minlength=ratings.n_users)
    able = np.flatnonzero(n_liked >= min_liked).astype(np.int32)
    return np.sort(rng.choice(able, size=min(n, len(able)), replace=False))


def favourites(ratings: Ratings, user: int, n: int) -> NDArray[np.intp]:
    """Return the positions in ``ratings`` of the ``n`` that a user rated best, best first.

    Of equally rated items the more popular come first; without stars that alone decides.
    """
    counts = np.bincount(ratings.items, minlength=ratings.n_items)
    own = np.flatnonzero(ratings.users == user)
    stars = np.ones(len(own)) if ratings.values is None else ratings.values[own]
    return own[np.lexsort((-counts[ratings.items[own]], -stars))][:n]

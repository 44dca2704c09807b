"""What a user is held to have liked: what lists should find, and what they may learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recsys.data.ratings import Ratings

RELEVANT_FROM = 4.0  # stars


def is_relevant(ratings: Ratings) -> NDArray[np.bool_]:
    """Return which ratings are of `RELEVANT_FROM` stars and more, (n_ratings,) bool.

    All are, where there are no stars.
    """
    if ratings.values is None:
        return np.ones(ratings.n_ratings, dtype=bool)
    return np.asarray(ratings.values >= RELEVANT_FROM)


def positives(ratings: Ratings) -> Ratings:
    """Return the relevant ratings as implicit feedback: who liked what, without stars.

    Users and items that are left with nothing are dropped.
    """
    return replace(ratings.select(is_relevant(ratings)), values=None).compact()

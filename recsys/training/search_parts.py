"""What a search trains on, and what it scores on: never the ratings held out for good."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from recsys.data import Ratings
from recsys.data.relevance import is_relevant
from recsys.data.split import split_by_rating
from recsys.errors import DataError

VALIDATION_SHARE = 0.1


class SearchParts(NamedTuple):
    """What a trial trains on, and what it is scored on."""

    train: Ratings
    validation: Ratings


def cut_validation(ratings: Ratings, seed: int) -> SearchParts:
    """Return a random nine tenths of the ratings to train on, and the last to score on.

    Parameters
    ----------
    ratings : Ratings
        Training ratings alone: less those that `recsys.data.split.held_out` keeps back.
    seed : int
    """
    chosen = split_by_rating(ratings, VALIDATION_SHARE, np.random.default_rng(seed))
    return SearchParts(ratings.select(~chosen), ratings.select(chosen))


def check_parts(parts: SearchParts, objective: str) -> None:
    """Raise a `DataError` where an objective has nothing to learn from or to be scored on."""
    train, validation = parts
    if not validation.n_ratings:
        raise DataError(
            "there are too few ratings to keep a validation part",
            path=train.name,
            value=train.n_ratings,
        )
    if objective == "rating" and train.is_implicit:
        raise DataError(
            "there are no stars to tune the objective rating for",
            path=train.name,
            allowed="a file with a rating column, or --objective ranking",
        )
    if objective == "ranking" and not is_relevant(validation).any():
        raise DataError(
            "nothing in the validation part is liked, so no list can be scored",
            path=train.name,
            allowed="ratings of 4 stars and more",
        )

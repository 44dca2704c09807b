"""The splits that the tables are of: what is trained on, and what is scored on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recsys.data import Ratings
from recsys.data.readers import read_ratings
from recsys.data.split import k_folds
from recsys.evaluation.protocols import Parts, hold_out_positives

N_SPLITS = 5
N_DRAWS = 3


def official_splits(folder: Path) -> Iterator[Parts]:
    """Yield u1 to u5 of ML-100k."""
    for number in range(1, N_SPLITS + 1):
        yield Parts(*(read_ratings(folder / f"u{number}.{part}") for part in ("base", "test")))


def seeded_folds(ratings: Ratings, seed: int) -> Iterator[Parts]:
    """Yield five folds, each held out once."""
    fold_of = k_folds(ratings, N_SPLITS, np.random.default_rng(seed))
    for number in range(N_SPLITS):
        yield Parts(ratings.select(fold_of != number), ratings.select(fold_of == number))


def liked_pairs(ratings: Ratings, seed: int) -> Iterator[Parts]:
    """Yield pairs with 4 stars and more, a fifth of each user's held out, drawn at three seeds."""
    for number in range(N_DRAWS):
        yield hold_out_positives(ratings, 0.2, np.random.default_rng(seed + number))

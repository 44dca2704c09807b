"""Other systems on the same parts, where they are installed: Surprise, Cornac, implicit.

The best of some dozen settings each on a validation part of ML-100k's training ratings, or the
system's defaults where the name says so.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from recsys.data import Ratings
from recsys.evaluation.predictor import Predictor
from recsys.model.item_side import Floats


@dataclass(frozen=True, eq=False)
class Peer:
    """Another system's scores of every user and item, by the rows of the training ratings.

    Attributes
    ----------
    scores : (n_users, n_items) float32
    item_counts : (n_items,) int32
    rating_scale : (float, float) or None
        None if the scores are not stars.
    """

    scores: Floats
    item_counts: NDArray[np.int32]
    rating_scale: tuple[float, float] | None

    def predict(self, users: NDArray[np.integer], items: NDArray[np.integer]) -> Floats | None:
        """Return predicted stars; of somebody or something unknown, the mean score."""
        if self.rating_scale is None:
            return None
        known = (users >= 0) & (items >= 0)
        stars = np.where(known, self.scores[users, items], self.scores.mean())
        return np.clip(stars, *self.rating_scale)

    def list_scores(self, users: NDArray[np.integer]) -> Floats:
        """Return what orders lists; nothing for somebody unknown."""
        return self.scores[users] * (users >= 0)[:, None]


def star_peers(seed: int) -> dict[str, Callable[[Ratings], Predictor]]:
    """Return how to train each installed system that predicts stars."""
    found: dict[str, Callable[[Ratings], Predictor]] = {}
    if _is_installed("surprise"):
        found["Surprise SVD, defaults"] = lambda train: _surprise(train, seed)
        found["Surprise SVD, tuned"] = lambda train: _surprise(
            train, seed, n_factors=100, n_epochs=80, lr_all=0.005, reg_all=0.1
        )
    if _is_installed("cornac"):
        found["Cornac MF, 64 factors"] = lambda train: _cornac(
            train, "MF", k=64, max_iter=100, learning_rate=0.005, lambda_reg=0.1, seed=seed
        )
    return found


def list_peers(seed: int) -> dict[str, Callable[[Ratings], Predictor]]:
    """Return how to train each installed system that orders lists."""
    found: dict[str, Callable[[Ratings], Predictor]] = {}
    if _is_installed("implicit"):
        found["implicit ALS, tuned"] = lambda train: _implicit_als(train, seed)
    if _is_installed("cornac"):
        found["Cornac BPR"] = lambda train: _cornac(
            train, "BPR", k=64, max_iter=200, learning_rate=0.01, lambda_reg=0.01, seed=seed
        )
    return found


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _counts(train: Ratings) -> NDArray[np.int32]:
    return train.counts_by_item.astype(np.int32)


def _surprise(train: Ratings, seed: int, **settings: Any) -> Predictor:
    from surprise import SVD, Dataset, Reader

    stars = train.values  # noqa: PD011 - not a data frame's
    frame = pd.DataFrame({"user": train.users, "item": train.items, "rating": stars})
    data = Dataset.load_from_df(
        frame, Reader(rating_scale=train.rating_scale)
    ).build_full_trainset()
    fitted = SVD(random_state=seed, **settings).fit(data)
    users = [data.to_inner_uid(row) for row in np.unique(train.users)]
    items = [data.to_inner_iid(row) for row in np.unique(train.items)]
    scores = np.full((train.n_users, train.n_items), data.global_mean)
    known = np.ix_(np.unique(train.users), np.unique(train.items))
    scores[known] += (
        fitted.bu[users][:, None] + fitted.bi[items] + fitted.pu[users] @ fitted.qi[items].T
    )
    return Peer(scores.astype(np.float32), _counts(train), train.rating_scale)


def _cornac(train: Ratings, name: str, **settings: Any) -> Predictor:
    from cornac import models
    from cornac.data import Dataset

    stars = train.values  # noqa: PD011 - not a data frame's
    values = np.ones(train.n_ratings) if stars is None else stars
    data = Dataset.from_uir(
        list(zip(train.users.tolist(), train.items.tolist(), values.tolist(), strict=True))
    )
    fitted = getattr(models, name)(verbose=False, **settings).fit(data)
    scores = np.full((train.n_users, train.n_items), float(values.mean()), np.float32)
    items = np.array([data.iid_map[row] for row in np.unique(train.items)])
    for user in np.unique(train.users):
        scores[user, np.unique(train.items)] = fitted.score(data.uid_map[user])[items]
    return Peer(scores, _counts(train), train.rating_scale if name == "MF" else None)


def _implicit_als(train: Ratings, seed: int) -> Predictor:
    from implicit.als import AlternatingLeastSquares

    shape = (train.n_users, train.n_items)
    liked = sparse.csr_matrix(
        (np.ones(train.n_ratings, np.float32), (train.users, train.items)), shape=shape
    )
    fitted = AlternatingLeastSquares(
        factors=64, regularization=30.0, alpha=5.0, iterations=15, random_state=seed
    )
    fitted.fit(liked, show_progress=False)
    return Peer(fitted.user_factors @ fitted.item_factors.T, _counts(train), None)

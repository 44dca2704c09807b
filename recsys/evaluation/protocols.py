"""How published tables were made, to stand beside them; `evaluate` is what we go by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.data.relevance import positives
from recsys.data.split import split_by_user
from recsys.errors import DataError
from recsys.evaluation.evaluate import LIST_LENGTH
from recsys.evaluation.lists import best_items, candidate_scores
from recsys.evaluation.predictor import Predictor
from recsys.evaluation.user_metric import UserMetric

N_NEGATIVES = 99


class Parts(NamedTuple):
    """What is trained on, and what is scored on."""

    train: Ratings
    test: Ratings


def hold_out_positives(ratings: Ratings, fraction: float, rng: np.random.Generator) -> Parts:
    """Return implicit feedback of what users liked, a share of each user's held out.

    Only relevant ratings are kept (`recsys.data.relevance`), without their stars. Of each user's
    n a random ``floor(fraction * n)`` is the test part. The metrics of `evaluate` on these parts
    are over the full catalogue.

    Parameters
    ----------
    ratings : Ratings
    fraction : float
        In [0, 1].
    rng : numpy.random.Generator

    Raises
    ------
    UsageError
        If ``fraction`` is outside [0, 1].
    """
    liked = positives(ratings)
    is_test = split_by_user(liked, fraction, rng)
    return Parts(liked.select(~is_test), liked.select(is_test))


def sampled_negatives(
    predictor: Predictor,
    train: Ratings,
    test: Ratings,
    rng: np.random.Generator,
    n_negatives: int = N_NEGATIVES,
    k: int = LIST_LENGTH,
) -> dict[str, UserMetric]:
    """Return hit rate and nDCG of one held-out item among sampled others.

    Only to compare with published tables: such figures are far above those of the full catalogue
    and may rank predictors otherwise (Krichene and Rendle 2020). Each user's held-out item, of
    whatever stars, is ranked among ``n_negatives`` items drawn without replacement from those with
    training ratings that the user has not rated; with fewer, among all of them. At place p, from
    0, the gain is ``1 / log2(p + 2)`` if p is below ``k``. Items unknown to training are misses.

    Parameters
    ----------
    predictor : Predictor
        Trained on ``train``.
    train, test : Ratings
        ``test`` with one rating for each user, such as `recsys.data.split.split_last` leaves.
    rng : numpy.random.Generator
        The same seed draws the same items for any predictor.
    n_negatives, k : int

    Returns
    -------
    dict
        ``sampled_hit_rate@k`` and ``sampled_ndcg@k``, over the user rows of ``test``.

    Raises
    ------
    DataError
        If a user has more than one held-out rating.

    References
    ----------
    He et al. 2017, "Neural Collaborative Filtering"; Rendle, Krichene, Zhang and Anderson 2020,
    "Neural Collaborative Filtering vs. Matrix Factorization Revisited".
    Krichene and Rendle 2020, "On Sampled Metrics for Item Recommendation".
    """
    counts = test.counts_by_user
    if counts.max(initial=0) > 1:
        raise DataError(
            f"user {test.user_ids[int(counts.argmax())]!r} has {counts.max()} held-out ratings",
            path=test.name,
            allowed="one for each user, where negatives are sampled",
        )
    users, items = test.rows_in(train)
    places = np.full(len(items), k)
    for part, scores in candidate_scores(predictor, train, users):
        places[part] = _places(scores, items[part], n_negatives, rng)
    hits = places < k
    everybody = np.ones(len(items), bool)
    return {
        f"{name}@{k}": UserMetric.mean(values, everybody).at(test.users, test.n_users)
        for name, values in (
            ("sampled_hit_rate", hits.astype(np.float64)),
            ("sampled_ndcg", hits / np.log2(places + 2)),
        )
    }


def _places(
    scores: NDArray[np.floating],
    items: NDArray[np.int32],
    n_negatives: int,
    rng: np.random.Generator,
) -> NDArray[np.integer]:
    """Return how many negatives each user's item stands behind; all items if it is unknown."""
    rows = np.arange(len(items))
    own = np.where(items >= 0, scores[rows, items], -np.inf)
    keys = rng.random(scores.shape, dtype=np.float32)
    keys[scores == -np.inf] = -np.inf
    keys[rows[items >= 0], items[items >= 0]] = -np.inf
    negatives = best_items(keys, n_negatives)
    theirs = np.where(negatives >= 0, scores[rows[:, None], negatives], -np.inf)
    is_first = theirs > own[:, None]
    is_first |= (theirs == own[:, None]) & (negatives < items[:, None])
    places: NDArray[np.integer] = is_first.sum(axis=1)
    places[own == -np.inf] = scores.shape[1]
    return places

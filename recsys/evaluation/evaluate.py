"""One protocol for models and baselines: predicted ratings and lists against held-out ratings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.data.relevance import is_relevant
from recsys.evaluation import ranking, variety
from recsys.evaluation.accuracy import errors_by_user
from recsys.evaluation.lists import recommend_lists
from recsys.evaluation.predictor import Predictor
from recsys.evaluation.user_metric import UserMetric

LIST_LENGTH = 10
_PIECE = 1 << 20  # ratings


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of one predictor on one set of held-out ratings.

    Attributes
    ----------
    by_user : mapping of str to UserMetric
        ``rmse`` and ``mae``, unless there are no stars to compare; then, each with the length of
        the lists such as ``ndcg@10``: ``ndcg recall precision map hit_rate novelty
        popularity_lift diversity``. All are over the user rows of the held-out ratings.
    coverage : float
        Share of the candidates that stand in at least one list; NaN without lists.
    k : int
        Length of the lists.
    n_test : int
    n_unknown_users, n_unknown_items : int
        Held-out ratings of users, and of items, without training ratings.
    """

    by_user: Mapping[str, UserMetric]
    coverage: float
    k: int
    n_test: int
    n_unknown_users: int
    n_unknown_items: int

    @property
    def rmse(self) -> float | None:
        """Stars; None where there are none to compare."""
        return self.by_user["rmse"].value if "rmse" in self.by_user else None

    def scores(self) -> dict[str, float]:
        """Return every score by its name; NaN is what there was nothing to score on."""
        values = dict.fromkeys(score_names(self.k), float("nan"))
        values |= {name: metric.value for name, metric in self.by_user.items()}
        values[f"coverage@{self.k}"] = self.coverage
        return values


def score_names(k: int = LIST_LENGTH) -> tuple[str, ...]:
    """Return the names of the scores, in the order in which they are told."""
    first = ("ndcg", "recall", "precision", "coverage")
    more = ("map", "hit_rate", "novelty", "popularity_lift", "diversity")
    return ("rmse", "mae", *(f"{name}@{k}" for name in (*first, *more)))


def evaluate(
    predictor: Predictor,
    train: Ratings,
    test: Ratings,
    k: int = LIST_LENGTH,
    *,
    progress: Callable[[int, int], None] = lambda n_done, n_users: None,
) -> Evaluation:
    """Return how well ``predictor``, trained on ``train``, does on ``test``.

    Candidates of a user's list are the items with training ratings less the user's own. Relevant
    is what `recsys.data.relevance` says. List metrics are over the users with a relevant held-out
    item.

    Parameters
    ----------
    predictor : Predictor
    train, test : Ratings
        ``test`` may have its own ids; those unknown to ``train`` are counted.
    k : int
        Length of the lists.
    progress : callable
        Is told now and then how many users have their list, of how many; it takes nearly all of
        the time.
    """
    users, items = test.rows_in(train)
    seen_users = train.counts_by_user > 0
    predicted = predictor.predict(users, items)
    by_user: dict[str, UserMetric] = {}
    if test.values is not None and predicted is not None:
        by_user |= errors_by_user(predicted, test.values, test.users, test.n_users)

    relevant = is_relevant(test)
    # By the test set's own users: people unknown to training are still different people.
    listed, places = np.unique(test.users[relevant], return_inverse=True)
    rows = train.user_ids.rows(test.user_ids)[listed]
    lists = recommend_lists(predictor, train, rows, k, progress=progress)
    in_lists = _found(lists, places, items[relevant], train.n_items)
    in_lists |= _variety(lists, predictor, train, rows)
    by_user |= {f"{name}@{k}": m.at(listed, test.n_users) for name, m in in_lists.items()}
    return Evaluation(
        by_user=by_user,
        coverage=variety.coverage(lists, int((predictor.item_counts > 0).sum())),
        k=k,
        n_test=test.n_ratings,
        n_unknown_users=_count_unknown(users, seen_users),
        n_unknown_items=_count_unknown(items, predictor.item_counts > 0),
    )


def _found(
    lists: NDArray[np.int32],
    places: NDArray[np.integer],
    items: NDArray[np.int32],
    n_items: int,
) -> dict[str, UserMetric]:
    """Return how well lists find the relevant pairs of a list's place and an item."""
    hits = ranking.find_hits(lists, places, items, n_items)
    n_relevant = np.bincount(places, minlength=len(lists))
    everybody = np.ones(len(lists), bool)
    return {
        name: UserMetric.mean(metric(hits, n_relevant), everybody)
        for name, metric in (
            ("ndcg", ranking.ndcg),
            ("recall", ranking.recall),
            ("precision", ranking.precision),
            ("map", ranking.average_precision),
            ("hit_rate", ranking.hit_rate),
        )
    }


def _variety(
    lists: NDArray[np.int32], predictor: Predictor, train: Ratings, rows: NDArray[np.int32]
) -> dict[str, UserMetric]:
    """Return what lists are like, whether or not they are right."""
    counts = predictor.item_counts
    n_own, sums = np.zeros(train.n_users, np.int64), np.zeros(train.n_users)
    # In pieces, because `bincount` takes its arguments as 64-bit copies.
    for start in range(0, train.n_ratings, _PIECE):
        users, items = (rows[start : start + _PIECE] for rows in (train.users, train.items))
        n_own += np.bincount(users, minlength=train.n_users)
        sums += np.bincount(users, weights=counts[items], minlength=train.n_users)
    # The last entry is that of row -1, somebody without training items.
    own_popularity = np.append(sums / np.maximum(n_own, 1), 0.0)
    return {
        "novelty": variety.novelty(lists, counts, int((n_own > 0).sum())),
        "popularity_lift": variety.popularity_lift(lists, counts, own_popularity[rows]),
        "diversity": variety.diversity(lists, variety.genre_matrix(train.metadata)),
    }


def _count_unknown(rows: NDArray[np.int32], seen: NDArray[np.bool_]) -> int:
    return int(np.sum((rows < 0) | ~seen[rows])) if len(seen) else len(rows)

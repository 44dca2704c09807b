"""One protocol for models and baselines: predicted ratings and lists against held-out ratings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.data import Ratings
from recsys.evaluation.accuracy import mae, rmse
from recsys.evaluation.ranking import ListMetrics, list_metrics
from recsys.model.ranking import page

LIST_LENGTH = 10
# From how many stars on a held-out rating says that the item should have been in the list.
RELEVANT_FROM = 4.0
_USERS_AT_ONCE = 256  # bounds the memory for scores to this many times the catalogue


class Predictor(Protocol):
    """What a snapshot and a baseline have in common."""

    @property
    def item_counts(self) -> NDArray[np.int32]:
        """Training ratings of each item, (n_items,) int32."""

    def predict(
        self, users: NDArray[np.integer], items: NDArray[np.integer]
    ) -> NDArray[np.float32]:
        """Return predicted ratings of pairs; row -1 is an unknown user or item."""

    def list_scores(self, users: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return what orders the users' lists, (n, n_items)."""


@dataclass(frozen=True)
class Evaluation:
    """The scores of one predictor on one set of held-out ratings."""

    rmse: float | None
    """Stars; None where the held-out ratings have no values."""
    mae: float | None
    lists: ListMetrics
    n_test: int
    n_unknown_users: int
    """Held-out ratings of users without training ratings."""
    n_unknown_items: int
    """Held-out ratings of items without training ratings."""


def evaluate(predictor: Predictor, train: Ratings, test: Ratings) -> Evaluation:
    """Return how well ``predictor``, trained on ``train``, does on ``test``.

    Candidates of a user's list are the items with training ratings less the user's own. Relevant
    is a held-out item without rating or with `RELEVANT_FROM` stars and more.

    Parameters
    ----------
    predictor : Predictor
    train, test : Ratings
        ``test`` may have its own ids; those unknown to ``train`` are counted.
    """
    users, items = test.rows_in(train)
    seen_users = np.bincount(train.users, minlength=train.n_users) > 0
    predicted = predictor.predict(users, items)
    return Evaluation(
        rmse=None if test.values is None else rmse(predicted, test.values),
        mae=None if test.values is None else mae(predicted, test.values),
        lists=_evaluate_lists(predictor, train, test, users, items),
        n_test=test.n_ratings,
        n_unknown_users=_count_unknown(users, seen_users),
        n_unknown_items=_count_unknown(items, predictor.item_counts > 0),
    )


def _count_unknown(rows: NDArray[np.int32], seen: NDArray[np.bool_]) -> int:
    return int(np.sum((rows < 0) | ~seen[rows])) if len(seen) else len(rows)


def _evaluate_lists(
    predictor: Predictor,
    train: Ratings,
    test: Ratings,
    users: NDArray[np.int32],
    items: NDArray[np.int32],
) -> ListMetrics:
    relevant = (
        np.ones(test.n_ratings, bool) if test.values is None else (test.values >= RELEVANT_FROM)
    )
    # Grouped by the test set's own users: people unknown to training are still different people.
    order = np.argsort(test.users[relevant], kind="stable")
    of_user = test.users[relevant][order]
    first = np.flatnonzero(np.diff(of_user, prepend=-1))
    wanted = np.split(items[relevant][order], first[1:]) if len(first) else []
    listed_users = users[relevant][order][first]
    candidates = predictor.item_counts > 0
    return list_metrics(
        _lists(predictor, train, listed_users, candidates),
        iter(wanted),
        n_candidates=int(candidates.sum()),
        k=LIST_LENGTH,
    )


def _lists(
    predictor: Predictor,
    train: Ratings,
    users: NDArray[np.int32],
    candidates: NDArray[np.bool_],
) -> Iterator[NDArray[np.intp]]:
    """Yield the list of each user: candidates less the user's own training items, best first."""
    by_user = np.argsort(train.users, kind="stable")
    starts = np.searchsorted(train.users[by_user], np.arange(train.n_users + 1))
    for begin in range(0, len(users), _USERS_AT_ONCE):
        block = users[begin : begin + _USERS_AT_ONCE]
        for user, scores in zip(block, predictor.list_scores(block), strict=True):
            allowed = candidates.copy()
            if user >= 0:
                allowed[train.items[by_user[starts[user] : starts[user + 1]]]] = False
            yield page(scores, allowed, LIST_LENGTH)[0]

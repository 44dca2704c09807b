import numpy as np
import pytest

from recsys.data import IdMap, Ratings
from recsys.evaluation import evaluate as module
from recsys.evaluation.evaluate import evaluate


class Fixed:
    """Predicts 3 stars and lists items in row order."""

    def __init__(self, item_counts):
        self.item_counts = np.asarray(item_counts)

    def predict(self, users, items):
        return np.full(len(users), 3, np.float32)

    def list_scores(self, users):
        return np.tile(-np.arange(len(self.item_counts), dtype=np.float32), (len(users), 1))


def ratings(rows, users="ab", items="vwxyz", implicit=False):
    u, i, r = zip(*rows, strict=True)
    user_ids, item_ids = IdMap(users), IdMap(items)
    values = None if implicit else np.array(r, np.float32)
    return Ratings("tiny", user_ids, item_ids, user_ids.rows(u), item_ids.rows(i), values)


TRAIN = ratings([("a", "v", 4), ("a", "w", 2), ("b", "x", 5), ("b", "y", 1)])
COUNTS = [1, 1, 1, 1, 0]  # z has no training ratings


def test_own_training_items_and_untrained_items_are_not_listed(monkeypatch):
    seen = []
    original = module.list_metrics

    def spy(lists, relevant, n_candidates, k):
        seen.extend([rows.tolist() for rows in lists])
        return original(iter(map(np.array, seen)), relevant, n_candidates, k)

    monkeypatch.setattr(module, "list_metrics", spy)
    evaluate(Fixed(COUNTS), TRAIN, ratings([("a", "x", 5), ("b", "v", 5)]))
    assert seen == [[2, 3], [0, 1]]


def test_scores_worked_by_hand():
    # a: x is relevant and first in [x, y]; the 2 stars for y are not. b: z is not in [v, w].
    test = ratings([("a", "x", 4), ("a", "y", 2), ("b", "z", 5)])
    scored = evaluate(Fixed(COUNTS), TRAIN, test)
    assert scored.rmse == pytest.approx(np.sqrt((1 + 1 + 4) / 3))
    assert scored.mae == pytest.approx(4 / 3)
    assert (scored.lists.ndcg, scored.lists.recall) == (0.5, 0.5)
    assert scored.lists.precision == (1 / 10 + 0) / 2
    assert scored.lists.coverage == 4 / 4
    assert (scored.n_test, scored.n_unknown_users, scored.n_unknown_items) == (3, 0, 1)


def test_ids_that_training_does_not_know_are_counted():
    test = ratings(
        [("a", "x", 4), ("new", "x", 4), ("new", "other", 4)], ["a", "new"], ["x", "other"]
    )
    scored = evaluate(Fixed(COUNTS), TRAIN, test)
    assert (scored.n_unknown_users, scored.n_unknown_items) == (2, 1)
    # new gets the list [v, w, x, y]: x at rank 3, half of 1/log2(4) over 1 + 1/log2(3)
    assert scored.lists.ndcg == pytest.approx((1 + 0.5 / (1 + 1 / np.log2(3))) / 2)


def test_implicit_held_out_items_are_all_relevant_and_have_no_error():
    test = ratings([("a", "x", 0), ("a", "y", 0)], implicit=True)
    scored = evaluate(Fixed(COUNTS), TRAIN, test)
    assert scored.rmse is None
    assert scored.mae is None
    assert (scored.lists.ndcg, scored.lists.recall) == (1, 1)

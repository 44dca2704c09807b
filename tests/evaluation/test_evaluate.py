import math
from dataclasses import replace

import numpy as np
import pytest

from recsys.data import IdMap, ItemMetadata, Ratings
from recsys.evaluation.evaluate import evaluate, score_names


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


def test_scores_worked_by_hand():
    # a: x is relevant and first in [x, y]; the 2 stars for y are not. b: z is not in [v, w].
    test = ratings([("a", "x", 4), ("a", "y", 2), ("b", "z", 5)])
    scored = evaluate(Fixed(COUNTS), TRAIN, test)
    scores = scored.scores()
    assert tuple(scores) == score_names()
    assert scored.rmse == scores["rmse"] == pytest.approx(np.sqrt((1 + 1 + 4) / 3))
    assert scores["mae"] == pytest.approx(4 / 3)
    assert scores["ndcg@10"] == scores["recall@10"] == scores["map@10"] == 0.5
    assert scores["hit_rate@10"] == 0.5
    assert scores["precision@10"] == (1 / 10 + 0) / 2
    assert scores["coverage@10"] == 4 / 4
    # Every item has one of the two users: log2(2/1) = 1 bit, and nobody chose the popular.
    assert scores["novelty@10"] == scores["popularity_lift@10"] == 1
    assert math.isnan(scores["diversity@10"])  # no genres
    assert (scored.n_test, scored.n_unknown_users, scored.n_unknown_items) == (3, 0, 1)


def test_lists_have_the_length_asked_for():
    # b's list is [v] alone, where w would have been the second: rank 2 is cut off.
    test = ratings([("a", "x", 4), ("b", "w", 5)])
    assert evaluate(Fixed(COUNTS), TRAIN, test, k=2).scores()["recall@2"] == 1
    assert evaluate(Fixed(COUNTS), TRAIN, test, k=1).scores()["recall@1"] == 0.5


def test_ids_that_training_does_not_know_are_counted():
    test = ratings(
        [("a", "x", 4), ("new", "x", 4), ("new", "other", 4)], ["a", "new"], ["x", "other"]
    )
    scored = evaluate(Fixed(COUNTS), TRAIN, test)
    assert (scored.n_unknown_users, scored.n_unknown_items) == (2, 1)
    # new gets the list [v, w, x, y]: x at rank 3, half of 1/log2(4) over 1 + 1/log2(3)
    ndcg = (1 + 0.5 / (1 + 1 / np.log2(3))) / 2
    assert scored.scores()["ndcg@10"] == pytest.approx(ndcg)


def test_the_lift_leaves_out_people_unknown_to_training():
    # w has two ratings, v, x and y one each. a (v, w: mean 1.5) gets [x, y], mean 1.
    train = ratings([("a", "v", 4), ("a", "w", 2), ("b", "w", 5), ("b", "x", 5), ("c", "y", 1)],
                    users="abc")  # fmt: skip
    test = ratings([("a", "x", 4), ("new", "v", 4)], ["a", "new"])
    scored = evaluate(Fixed([1, 2, 1, 1, 0]), train, test)
    assert scored.scores()["popularity_lift@10"] == pytest.approx(1 / 1.5)


def test_diversity_is_over_the_genres_of_the_training_items():
    genres = (("War",), ("War",), ("War", "Drama"), ("Drama",), ())
    train = replace(TRAIN, metadata=ItemMetadata((None,) * 5, (None,) * 5, genres))
    # a's list is [x, y]: one genre shared of two.
    scored = evaluate(Fixed(COUNTS), train, ratings([("a", "x", 4)]))
    assert scored.scores()["diversity@10"] == pytest.approx(0.5)


def test_implicit_held_out_items_are_all_relevant_and_have_no_error():
    test = ratings([("a", "x", 0), ("a", "y", 0)], implicit=True)
    scored = evaluate(Fixed(COUNTS), TRAIN, test)
    assert scored.rmse is None
    assert math.isnan(scored.scores()["mae"])
    assert scored.scores()["ndcg@10"] == scored.scores()["recall@10"] == 1


def test_who_only_orders_lists_has_no_error():
    class Lister(Fixed):
        def predict(self, users, items):
            return None

    scored = evaluate(Lister(COUNTS), TRAIN, ratings([("a", "x", 4)]))
    assert scored.rmse is None
    assert scored.scores()["ndcg@10"] == 1


def test_nothing_relevant_leaves_the_lists_without_scores():
    scored = evaluate(Fixed(COUNTS), TRAIN, ratings([("a", "x", 2)]))
    assert scored.rmse == 1
    assert all(math.isnan(scored.scores()[name]) for name in score_names()[2:])


def test_what_each_user_adds_is_kept_at_the_users_row():
    test = ratings([("b", "v", 5), ("b", "w", 1), ("c", "x", 1), ("d", "v", 4)], users="dcba")
    by_user = evaluate(Fixed(COUNTS), TRAIN, test).by_user
    assert by_user["ndcg@10"].weights.tolist() == [1, 0, 1, 0]
    assert by_user["rmse"].weights.tolist() == [1, 1, 2, 0]
    assert by_user["rmse"].amounts.tolist() == [1, 4, 4 + 4, 0]

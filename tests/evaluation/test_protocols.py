import math

import numpy as np
import pytest

from recsys.data import IdMap, Ratings
from recsys.errors import DataError
from recsys.evaluation import lists
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.protocols import hold_out_positives, sampled_negatives


class Scored:
    """Gives everybody the same scores."""

    def __init__(self, scores, train):
        self.scores = np.asarray(scores, np.float32)
        self.item_counts = np.bincount(train.items, minlength=train.n_items)

    def predict(self, users, items):
        return None

    def list_scores(self, users):
        return np.tile(self.scores, (len(users), 1))


def ratings(pairs, n_users, n_items, values=None):
    users, items = np.array(pairs, np.int32).reshape(-1, 2).T
    return Ratings(
        "tiny",
        IdMap(f"u{n}" for n in range(n_users)),
        IdMap(f"i{n}" for n in range(n_items)),
        users.copy(),
        items.copy(),
        None if values is None else np.array(values, np.float32),
    )


def sampled(predictor, train, test, seed=0, **options):
    found = sampled_negatives(predictor, train, test, np.random.default_rng(seed), **options)
    return {name: metric.value for name, metric in found.items()}


# Somebody has rated all of items 0 to 9, and user 0 item 9.
EVERYTHING = [(1, item) for item in range(10)] + [(0, 9)]


def test_what_users_liked_is_split_by_user_and_loses_its_stars():
    values = [5, 4, 3, 4, 5, 4] * 10
    liked = ratings([(u, i) for u in range(6) for i in range(10)], 6, 10, values)
    train, test = hold_out_positives(liked, 0.5, np.random.default_rng(0))
    assert train.is_implicit
    assert test.is_implicit
    n_liked = np.bincount(liked.users[liked.values >= 4])
    assert np.bincount(test.users).tolist() == (n_liked // 2).tolist()
    pairs = {*zip(train.users, train.items, strict=True), *zip(test.users, test.items, strict=True)}
    assert len(pairs) == n_liked.sum() == train.n_ratings + test.n_ratings


def test_the_held_out_item_is_placed_among_the_negatives():
    # All 8 negatives (own items 9 and 6 left out) are drawn. Scores fall with the row, so items
    # 0 to 5 come before item 6: place 6, gain 1/log2(8) = 1/3.
    train, test = ratings(EVERYTHING, 2, 10), ratings([(0, 6)], 2, 10)
    predictor = Scored(-np.arange(10), train)
    assert sampled(predictor, train, test) == pytest.approx(
        {"sampled_hit_rate@10": 1, "sampled_ndcg@10": 1 / 3}
    )
    assert sampled(predictor, train, test, k=6) == {"sampled_hit_rate@6": 0, "sampled_ndcg@6": 0}
    assert sampled(predictor, train, test, k=7)["sampled_hit_rate@7"] == 1


def test_equal_scores_are_placed_by_row():
    train, test = ratings(EVERYTHING, 2, 10), ratings([(0, 2)], 2, 10)
    found = sampled(Scored(np.zeros(10), train), train, test)
    assert found["sampled_ndcg@10"] == pytest.approx(1 / math.log2(2 + 2))


def test_as_many_negatives_are_drawn_as_asked_for():
    # Item 999 is the worst of 1000: among n others its place is n.
    train = ratings([(1, item) for item in range(1000)], 2, 1000)
    test = ratings([(0, 999)], 2, 1000)
    predictor = Scored(-np.arange(1000), train)
    assert sampled(predictor, train, test, n_negatives=9)["sampled_ndcg@10"] == pytest.approx(
        1 / math.log2(9 + 2)
    )
    assert sampled(predictor, train, test, n_negatives=10)["sampled_hit_rate@10"] == 0


def test_the_middle_item_beats_half_of_the_negatives():
    # The place of item 500 among 99 others is about 49.5, and 300 users say how about: a
    # standard deviation of 5 / sqrt(300) = .29.
    train = ratings([(300, item) for item in range(1001)], 301, 1001)
    test = ratings([(user, 500) for user in range(300)], 301, 1001)
    predictor = Scored(-np.arange(1001), train)
    places = [sampled(predictor, train, test, k=k)[f"sampled_hit_rate@{k}"] for k in range(1, 101)]
    assert 48 < 100 - sum(places) < 51


def test_ids_unknown_to_training_are_misses_or_have_no_own_items():
    train = ratings(EVERYTHING, 2, 11)  # nobody has rated item 10
    test = Ratings(
        "other", IdMap(["u0", "new"]), IdMap(["i10", "i0"]), *np.array([[0, 1], [0, 1]], np.int32)
    )
    found = sampled_negatives(Scored(-np.arange(11), train), train, test, np.random.default_rng(0))[
        "sampled_hit_rate@10"
    ]
    assert found.amounts.tolist() == [0, 1]
    assert found.weights.tolist() == [1, 1]


def test_the_seed_decides_and_the_size_of_a_block_does_not(monkeypatch):
    train = ratings([(30, item) for item in range(101)], 31, 101)
    test = ratings([(user, 50) for user in range(30)], 31, 101)
    predictor = Scored(-np.arange(101), train)
    whole = sampled(predictor, train, test, n_negatives=15)
    assert sampled(predictor, train, test, seed=1, n_negatives=15) != whole
    monkeypatch.setattr(lists, "_BLOCK", 3 * 101)
    assert sampled(predictor, train, test, n_negatives=15) == whole


def test_sampled_figures_flatter():
    rng = np.random.default_rng(0)
    train = ratings([(50, item) for item in range(2000)], 51, 2000)
    test = ratings([(user, rng.integers(100)) for user in range(50)], 51, 2000)
    predictor = Scored(-np.arange(2000), train)
    full = evaluate(predictor, train, test).scores()
    found = sampled(predictor, train, test)
    assert full["hit_rate@10"] < 0.3 < 0.9 < found["sampled_hit_rate@10"]


def test_more_than_one_held_out_rating_is_refused():
    train, test = ratings(EVERYTHING, 2, 10), ratings([(0, 2), (0, 3)], 2, 10)
    with pytest.raises(DataError, match="user 'u0' has 2 held-out ratings; allowed: one for each"):
        sampled(Scored(np.zeros(10), train), train, test)

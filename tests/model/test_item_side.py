from dataclasses import replace

import numpy as np
import pytest

from recsys.data import IdMap
from recsys.model.embedding_mlp import EmbeddingMLP
from recsys.model.item_side import SHRINKAGE, Head, ItemSide
from recsys.model.snapshot import Snapshot

N_USERS, N_ITEMS = 5, 7


@pytest.fixture
def items():
    return ItemSide(
        item_ids=IdMap("xyz"),
        item_factors=np.array([[1, 0], [0, 1], [2, -1]], np.float32),
        item_bias=np.array([0.5, 0, -0.5], np.float32),
        item_counts=np.array([10, 1, 0], np.int32),
        global_mean=3.0,
        y_range=None,
        rating_scale=(1.0, 5.0),
    )


def test_a_score_is_the_sum_of_mean_biases_and_dot_product(items):
    # 3 + .25 + bias + p.q with p = (2, -1): 2, -1 and 4 + 1.
    scores = items.scores(np.array([2, -1], np.float32), 0.25)
    np.testing.assert_allclose(scores, [3.25 + 0.5 + 2, 3.25 - 1, 3.25 - 0.5 + 5])


def test_the_score_of_an_item_does_not_depend_on_which_others_are_asked_for(items):
    p = np.array([0.1, -0.7], np.float32)
    alone = [items.scores_of(np.array([row]), p, 0.25)[0] for row in (2, 0, 2)]
    assert items.scores_of(np.array([2, 0, 2]), p, 0.25).tolist() == alone
    np.testing.assert_allclose(alone, items.scores(p, 0.25)[[2, 0, 2]], rtol=1e-6)


def test_trust_is_the_share_of_its_own_score_that_a_list_gives_an_item(items):
    # n / (n + 10): 10 / 20, 1 / 11, 0 / 10
    np.testing.assert_allclose(items.trust, [0.5, 1 / 11, 0], rtol=1e-6)


def test_sigmoid_range_bounds_the_stars(items):
    ranged = replace(items, y_range=(0.0, 5.5))
    stars = ranged.stars(np.array([-100, 0, 100], np.float32))
    np.testing.assert_allclose(stars, [1.0, 2.75, 5.0])  # 0 and 5.5, clipped to the scale


def test_lists_trust_an_item_by_its_number_of_ratings(items):
    p = np.array([0.3, -0.2], np.float32)
    scores, listed = items.scores(p, 0.25), items.list_scores(p, 0.25)
    # counts 10, 1 and 0: trust 10/20, 1/11 and 0 in what goes beyond 3 + .25
    assert SHRINKAGE == 10
    np.testing.assert_allclose(listed - 3.25, (scores - 3.25) * [1 / 2, 1 / 11, 0], atol=1e-6)


def test_an_array_without_negative_zeros_is_not_copied(items):
    bias = np.array([0.5, 0, -0.5], np.float32)
    assert replace(items, item_bias=bias).item_bias is bias
    bias[1] = -0.0
    assert not np.signbit(replace(items, item_bias=bias).item_bias[1])
    assert np.signbit(bias[1])


def test_a_network_of_two_layers_is_worked_out_by_hand():
    # One factor each. Layer 0 of [p, q]: (p + 2q + 1, -p + q); layer 1: 3a - 2b + .5.
    head = Head(
        (np.array([[1, -1], [2, 1]], np.float32), np.array([[3], [-2]], np.float32)),
        (np.array([1, 0], np.float32), np.array([0.5], np.float32)),
    )
    # p 1, q 2: (6, 1) -> 18 - 2 + .5; p 1, q -1: (0, -2 -> 0) -> .5; p 1, q -4: both 0 -> .5
    items = np.array([[2], [-1], [-4]], np.float32)
    scores = head.scores(np.ones(1, np.float32), head.item_part(items))
    np.testing.assert_allclose(scores, [16.5, 0.5, 0.5])


def trained_mlp(hidden, y_range):
    """A float32 model whose parameters are far from their start."""
    rng = np.random.default_rng(3)
    model = EmbeddingMLP(
        N_USERS,
        N_ITEMS,
        6,
        4,
        hidden,
        global_mean=0.3 if y_range else 3.3,
        y_range=y_range,
        rng=rng,
    )
    for array in model.arrays().values():
        array += rng.normal(0, 0.4, array.shape).astype(np.float32)
    return model


def frozen(model):
    counts = np.array([10, 1, 0, 3, 90, 5, 2], np.int32)
    return Snapshot(
        objective="rating",
        items=model.item_side(IdMap("abcdefg"), counts, (0.0, 6.0)),
        user_ids=IdMap("uvwxy"),
        user_factors=model.user_factors.copy(),
        user_bias=np.zeros(N_USERS, np.float32),
        hyperparameters={},
        data_fingerprint="0",
    )


@pytest.mark.parametrize("hidden", [(), (8,), (8, 5)])
@pytest.mark.parametrize("y_range", [None, (0.0, 5.5)])
class TestAgainstEmbeddingMLP:
    def test_pairs_one_user_and_many_users_get_what_the_model_predicts(self, hidden, y_range):
        model = trained_mlp(hidden, y_range)
        snapshot, side = frozen(model), frozen(model).items
        users, items = np.repeat(np.arange(N_USERS), N_ITEMS), np.tile(np.arange(N_ITEMS), N_USERS)
        predicted = np.clip(model.predict(users, items), 0, 6).reshape(N_USERS, N_ITEMS)

        many = side.stars(side.scores(snapshot.user_factors, snapshot.user_bias))
        one = [side.stars(side.scores(p, 0.0)) for p in snapshot.user_factors]
        pairs = snapshot.predict(users, items).reshape(N_USERS, N_ITEMS)

        assert np.ptp(predicted) > 0.5
        for found in (many, one, pairs):
            np.testing.assert_allclose(found, predicted, rtol=1e-5, atol=1e-5)

    def test_later_training_does_not_reach_the_frozen_copy(self, hidden, y_range):
        model = trained_mlp(hidden, y_range)
        snapshot = frozen(model)
        before = snapshot.predict(np.arange(5), np.arange(5))
        for name, array in model.arrays().items():
            if name != "users.weight":
                array += 1
        np.testing.assert_array_equal(snapshot.predict(np.arange(5), np.arange(5)), before)


def test_a_strict_users_list_does_not_begin_with_what_hardly_anybody_rated():
    # The network's output is p + q: with p = -2 the scores are 3 - 2 + q.
    head = Head((np.ones((2, 1), np.float32),), (np.zeros(1, np.float32),))
    items = ItemSide(
        item_ids=IdMap("abc"),
        item_factors=np.array([[1], [0.2], [-1]], np.float32),
        item_bias=np.zeros(3, np.float32),
        item_counts=np.array([30, 1, 30], np.int32),
        global_mean=3.0,
        y_range=None,
        rating_scale=(0.5, 5.0),
        head=head,
    )
    p = np.array([[-2.0]], np.float32)
    # Scores 2, 1.2 and 0; their mean over the 61 training ratings is (60 + 1.2) / 61.
    mean = 61.2 / 61
    trust = np.array([30 / 40, 1 / 11, 30 / 40])
    expected = mean + trust * (np.array([2, 1.2, 0]) - mean)
    np.testing.assert_allclose(items.list_scores(p, np.zeros(1, np.float32))[0], expected, 1e-5)
    assert list(np.argsort(-expected)) == [0, 1, 2]

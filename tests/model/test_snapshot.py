from dataclasses import replace

import numpy as np
import pytest

from recsys.data import IdMap
from recsys.errors import DataError
from recsys.model.item_side import Head, ItemSide
from recsys.model.newcomers import Newcomers
from recsys.model.snapshot import Snapshot


@pytest.fixture
def snapshot():
    rng = np.random.default_rng(0)
    items = ItemSide(
        item_ids=IdMap("xyz"),
        item_factors=rng.normal(size=(3, 4)).astype(np.float32),
        item_bias=np.array([0.5, 0, -0.5], np.float32),
        item_counts=np.array([10, 1, 0], np.int32),
        global_mean=3.0,
        y_range=None,
        rating_scale=(1.0, 5.0),
    )
    return Snapshot(
        objective="rating",
        items=items,
        user_ids=IdMap("ab"),
        user_factors=rng.normal(size=(2, 4)).astype(np.float32),
        user_bias=np.array([0.25, -0.25], np.float32),
        hyperparameters={"n_factors": 4},
        data_fingerprint="0",
    )


def test_predicted_stars_are_the_scores_on_the_scale(snapshot):
    users, items = np.repeat([0, 1], 3), np.tile([0, 1, 2], 2)
    scores = snapshot.items.scores(snapshot.user_factors, snapshot.user_bias)
    np.testing.assert_allclose(
        snapshot.predict(users, items), np.clip(scores, 1, 5).ravel(), rtol=1e-6
    )


def test_what_is_unknown_counts_as_zero(snapshot):
    predicted = snapshot.predict(np.array([-1, 0, -1]), np.array([-1, -1, 0]))
    np.testing.assert_allclose(predicted, [3.0, 3.25, 3.5])


def test_a_parameter_that_is_not_finite_is_refused(snapshot):
    broken = snapshot.user_factors.copy()
    broken[1, 2] = np.nan
    with pytest.raises(DataError, match="user_factors has an entry that is not a finite number"):
        replace(snapshot, user_factors=broken)


def test_arrays_that_do_not_fit_the_ids_are_refused(snapshot):
    with pytest.raises(DataError, match=r"user_bias is float32 \(1,\); allowed: float32 \(2,\)"):
        replace(snapshot, user_bias=snapshot.user_bias[:1])


def test_content_hash_changes_with_a_single_bit(snapshot):
    changed = snapshot.user_factors.copy()
    changed[0, 0] = np.nextafter(changed[0, 0], np.float32(9))
    assert replace(snapshot, user_factors=changed).content_hash != snapshot.content_hash
    assert replace(snapshot).content_hash == snapshot.content_hash


def with_head(snapshot, *layers, n_user_factors=4):
    """The snapshot with a network of layers (weight, bias) and users of another length."""
    head = Head(*(tuple(arrays) for arrays in zip(*layers, strict=True)))
    user_factors = np.ones((2, n_user_factors), np.float32)
    return replace(snapshot, items=replace(snapshot.items, head=head), user_factors=user_factors)


def zeros(*shape):
    return np.zeros(shape, np.float32)


def test_the_hashes_of_what_is_without_newcomers_stay_those_that_databases_hold():
    # As computed before there was `Newcomers`.
    items = ItemSide(
        item_ids=IdMap("ab"),
        item_factors=np.array([[1, 2], [3, 4]], np.float32),
        item_bias=np.array([0.5, -0.5], np.float32),
        item_counts=np.array([1, 2], np.int32),
        global_mean=3.5,
        y_range=None,
        rating_scale=(1, 5),
    )
    snapshot = Snapshot(
        objective="rating",
        items=items,
        user_ids=IdMap("u"),
        user_factors=np.array([[1, -1]], np.float32),
        user_bias=np.array([0.25], np.float32),
        hyperparameters={"lr": 0.1},
        data_fingerprint="f",
    )
    assert snapshot.content_hash.startswith("b0f78ffc084e08e593620ec7f6dac2b0")
    assert items.content_hash.startswith("293b3a08fce117d2761956eb6c5c865e")


@pytest.mark.parametrize(
    "changed",
    [
        {"reg": 0.2},
        {"reg_bias": 0.3},
        {"reg_per_rating": 6},
        {"unobserved": 1e-9},
        {"user_mean": np.full(4, np.float32(1e-45))},
        {"item_implicit": np.zeros((3, 4), np.float32)},
        {"item_implicit_bias": np.full(3, np.float32(1e-45))},
    ],
)
def test_both_hashes_change_with_all_that_newcomers_take(snapshot, changed):
    newcomers = Newcomers(
        reg=0.1,
        reg_bias=0.2,
        reg_per_rating=5,
        unobserved=0,
        user_mean=np.zeros(4, np.float32),
        item_implicit=np.ones((3, 4), np.float32),
        item_implicit_bias=np.zeros(3, np.float32),
    )
    found = {
        one.content_hash
        for other in (None, newcomers, replace(newcomers, **changed))
        for items in (replace(snapshot.items, newcomers=other),)
        for one in (items, replace(snapshot, items=items))
    }
    assert len(found) == 6


def test_implicit_vectors_that_do_not_fit_the_items_are_refused(snapshot):
    newcomers = Newcomers(
        reg=0.1,
        reg_bias=0.2,
        reg_per_rating=5,
        unobserved=0,
        user_mean=np.zeros(4, np.float32),
        item_implicit=np.ones((2, 4), np.float32),
        item_implicit_bias=np.zeros(3, np.float32),
    )
    with pytest.raises(DataError, match=r"item_implicit is float32 \(2, 4\)"):
        replace(snapshot, items=replace(snapshot.items, newcomers=newcomers))


def test_a_users_embedding_may_be_longer_than_an_items_where_there_is_a_network(snapshot):
    made = with_head(snapshot, (zeros(10, 3), zeros(3)), (zeros(3, 1), zeros(1)), n_user_factors=6)
    assert (made.items.n_user_factors, made.items.n_factors) == (6, 4)
    with pytest.raises(DataError, match=r"user_factors is float32 \(2, 6\); .* \(2, 4\)"):
        replace(snapshot, user_factors=made.user_factors)


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        ([(zeros(9, 1), zeros(1))], r"user_factors is float32 \(2, 4\); allowed: float32 \(2, 5\)"),
        ([(zeros(8, 2), zeros(2))], r"weight of layer 0 is float32 \(8, 2\); .* \(8, 1\)"),
        ([(zeros(8, 3), zeros(2)), (zeros(2, 1), zeros(1))], r"weight of layer 0 .* \(8, 2\)"),
        ([(zeros(8, 3), zeros(3)), (zeros(2, 1), zeros(1))], r"weight of layer 1 .* \(3, 1\)"),
        ([(zeros(8, 1), zeros(1, 1))], r"bias of layer 0 is float32 \(1, 1\); .* \(1,\)"),
        ([(np.zeros((8, 1)), zeros(1))], r"weight of layer 0 is float64 \(8, 1\)"),
        ([(zeros(8, 1), zeros(1) + np.inf)], "bias of layer 0 has an entry that is not a finite"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(snapshot, layers, told):
    with pytest.raises(DataError, match=told):
        with_head(snapshot, *layers)


def test_a_network_needs_a_bias_for_each_weight_and_a_layer():
    for weights, biases in (((), ()), ((zeros(8, 1),), ())):
        with pytest.raises(DataError, match=f"{len(weights)} weights and 0 biases"):
            Head(weights, biases)


def test_content_hash_changes_with_a_bit_of_the_network(snapshot):
    weight, bias = zeros(8, 1), zeros(1)
    dot, plain = snapshot.content_hash, with_head(snapshot, (weight, bias)).content_hash
    weight[3, 0] = 1e-45
    changed = with_head(snapshot, (weight, bias)).content_hash
    assert len({dot, plain, changed}) == 3

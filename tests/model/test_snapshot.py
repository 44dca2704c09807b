from dataclasses import replace

import numpy as np
import pytest

from recsys.data import IdMap
from recsys.errors import DataError
from recsys.model.item_side import SHRINKAGE, ItemSide
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


def test_one_user_and_many_users_get_the_same_scores(snapshot):
    many = snapshot.items.scores(snapshot.user_factors, snapshot.user_bias)
    one = snapshot.items.scores(snapshot.user_factors[1], float(snapshot.user_bias[1]))
    np.testing.assert_allclose(one, many[1], rtol=1e-6)


def test_what_is_unknown_counts_as_zero(snapshot):
    predicted = snapshot.predict(np.array([-1, 0, -1]), np.array([-1, -1, 0]))
    np.testing.assert_allclose(predicted, [3.0, 3.25, 3.5])


def test_sigmoid_range_bounds_the_stars(snapshot):
    ranged = replace(snapshot.items, y_range=(0.0, 5.5))
    stars = ranged.stars(np.array([-100, 0, 100], np.float32))
    np.testing.assert_allclose(stars, [1.0, 2.75, 5.0])  # 0 and 5.5, clipped to the scale


def test_lists_trust_an_item_by_its_number_of_ratings(snapshot):
    scores = snapshot.items.scores(snapshot.user_factors[0], 0.25)
    listed = snapshot.items.list_scores(snapshot.user_factors[0], 0.25)
    # counts 10, 1 and 0: trust 10/20, 1/11 and 0 in what goes beyond 3 + .25
    assert SHRINKAGE == 10
    np.testing.assert_allclose(listed - 3.25, (scores - 3.25) * [1 / 2, 1 / 11, 0], atol=1e-6)


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

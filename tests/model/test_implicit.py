import numpy as np
import pytest

from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.implicit import WhoRatedWhat

# User 0 rated items 0 and 1, user 1 item 1, user 2 nothing; nobody rated item 2.
WHO = WhoRatedWhat.of(np.array([0, 0, 1]), np.array([0, 1, 1]), (3, 3), np.float64)


def test_each_rating_weighs_one_over_the_root_of_their_number():
    root = 1 / np.sqrt(2)
    np.testing.assert_allclose(WHO.by_user.toarray(), [[root, root, 0], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(WHO.by_item.toarray(), [[1, 0, 0], [root, root, 0], [0, 0, 0]])


def test_tables_add_the_sums_of_the_other_sides_vectors():
    model = EmbeddingDotBias(
        3, 3, 2, rng=np.random.default_rng(0), dtype=np.float64, who_rated_what=WHO
    )
    model.item_implicit[:] = [[1, 0], [3, 4], [9, 9]]
    model.user_implicit_bias[:] = [2, 4, 8]
    tables = model.tables()
    # User 0: (1 + 3, 0 + 4) / sqrt 2; user 1: (3, 4); user 2 rated nothing
    sums = [[4 / np.sqrt(2), 4 / np.sqrt(2)], [3, 4], [0, 0]]
    np.testing.assert_allclose(tables.user_factors, model.user_factors + sums)
    # Item 0: user 0's 2; item 1: (2 + 4) / sqrt 2; item 2: nobody
    np.testing.assert_allclose(tables.item_bias, [2, 6 / np.sqrt(2), 0])
    np.testing.assert_array_equal(tables.item_factors, model.item_factors)


def test_predictions_and_what_is_served_come_from_the_tables():
    model = EmbeddingDotBias(
        3, 3, 2, global_mean=3.0, rng=np.random.default_rng(0), dtype=np.float64,
        who_rated_what=WHO,
    )  # fmt: skip
    for array in model.arrays().values():
        array[...] = np.random.default_rng(1).normal(size=array.shape)
    tables, (factors, bias) = model.tables(), model.user_side()
    users, items = np.repeat(np.arange(3), 3), np.tile(np.arange(3), 3)
    expected = 3 + bias[:, None] + tables.item_bias + factors @ tables.item_factors.T
    np.testing.assert_allclose(model.predict(users, items), expected.ravel())
    np.testing.assert_array_equal(factors, tables.user_factors)


def test_curvature_is_the_largest_of_the_mean_squared_error():
    # Along the items' implicit biases c the error is b_u = |N(u)|^-1/2 sum of c_j, once per
    # rating of u: the second derivative of its mean square is 2 R'R / n_ratings.
    rated = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]])
    largest = np.linalg.eigvalsh(rated.T @ rated).max()
    assert WHO.curvature == pytest.approx(2 * largest / 3)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.objective import Penalty


def model_of(y_range=None, n_factors=4, seed=0):
    """A float64 model whose parameters are far from zero, so that every gradient shows."""
    rng = np.random.default_rng(seed)
    model = EmbeddingDotBias(
        5, 7, n_factors, global_mean=0.3, y_range=y_range, init_std=0.5, rng=rng, dtype=np.float64
    )
    model.user_bias[:] = rng.normal(0, 0.5, 5)
    model.item_bias[:] = rng.normal(0, 0.5, 7)
    return model


def batch_of(seed=1, size=30):
    # 30 ratings of 5 users and 7 items: every row occurs several times.
    rng = np.random.default_rng(seed)
    return rng.integers(0, 5, size), rng.integers(0, 7, size), rng.uniform(1, 5, size)


def numeric_gradient(model, batch, penalty, array, step=1e-6):
    gradient = np.zeros_like(array)
    for at in np.ndindex(array.shape):
        here = array[at]
        array[at] = here + step
        above = sum(model.loss(*batch, penalty))
        array[at] = here - step
        below = sum(model.loss(*batch, penalty))
        array[at] = here
        gradient[at] = (above - below) / (2 * step)
    return gradient


@pytest.mark.parametrize("y_range", [None, (0.0, 5.5)])
def test_gradients_are_those_of_the_loss(y_range):
    model, batch, penalty = model_of(y_range), batch_of(), Penalty(reg=0.3, reg_bias=0.2)
    analytic = model.gradients(*batch, penalty)
    for name, array in model.arrays().items():
        numeric = numeric_gradient(model, batch, penalty, array)
        error = np.linalg.norm(analytic[name] - numeric) / (
            np.linalg.norm(analytic[name]) + np.linalg.norm(numeric)
        )
        assert error < 1e-8, f"{name}:\n{analytic[name]}\n{numeric}"


def test_score_is_mean_biases_and_dot_product():
    # (.9, .8, -.6) . (.98, .9, -.9) = .882 + .72 + .54 = 2.142; the other item: -1.611
    rng = np.random.default_rng(0)
    model = EmbeddingDotBias(1, 2, 3, global_mean=1.0, rng=rng, dtype=np.float64)
    model.user_factors[0] = [0.9, 0.8, -0.6]
    model.item_factors[:] = [[0.98, 0.9, -0.9], [-0.99, -0.3, 0.8]]
    model.user_bias[0], model.item_bias[:] = 0.25, [0.5, 0.0]
    predicted = model.predict(np.array([0, 0]), np.array([0, 1]))
    np.testing.assert_allclose(predicted, [1 + 0.25 + 0.5 + 2.142, 1 + 0.25 - 1.611])


@pytest.mark.parametrize(("z", "stars"), [(0.0, 2.75), (2.302585, 5.0), (0.583, 3.53)])
def test_range_of_0_to_5_5_puts_scores_where_published(z, stars):
    # 5.5 * sigmoid(0) = 2.75; 5 stars need sigmoid = 10/11, z = ln 10 = 2.302585
    rng = np.random.default_rng(0)
    model = EmbeddingDotBias(
        1, 1, 1, global_mean=z, y_range=(0, 5.5), init_std=0, rng=rng, dtype=np.float64
    )
    np.testing.assert_allclose(model.predict(np.array([0]), np.array([0])), stars, atol=1e-3)


def test_loss_is_a_mean_per_rating_with_nothing_halved():
    rng = np.random.default_rng(0)
    model = EmbeddingDotBias(1, 2, 1, rng=rng, dtype=np.float64)
    model.user_factors[0], model.item_factors[:, 0] = 2.0, [1.0, 3.0]
    model.user_bias[0], model.item_bias[:] = 1.0, [0.0, -1.0]
    # scores 2 + 1 = 3 and 6 + 1 - 1 = 6, ratings 4 and 4: squared errors 1 and 4, mean 2.5
    # factors .1 * ((4 + 1) + (4 + 9)) / 2 = .9; biases .01 * ((1 + 0) + (1 + 1)) / 2 = .015
    loss = model.loss(np.array([0, 0]), np.array([0, 1]), np.array([4.0, 4.0]), Penalty(0.1, 0.01))
    assert loss == pytest.approx((2.5, 0.915))


def test_a_row_that_occurs_twice_collects_both_gradients():
    model, penalty = model_of(), Penalty(0.1, 0.1)
    once = [model.gradients(*(a[[n]] for a in batch_of()), penalty) for n in (0, 1)]
    both = model.gradients(*(a[:2] for a in batch_of()), penalty)
    for name in both:
        np.testing.assert_allclose(both[name], (once[0][name] + once[1][name]) / 2)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_factors=st.integers(1, 9))
def test_lookup_is_the_product_with_a_one_hot_matrix(seed, n_factors):
    model, (users, items, _) = model_of(n_factors=n_factors, seed=seed), batch_of(seed)
    one_hot_users, one_hot_items = np.eye(5)[users], np.eye(7)[items]
    dot = ((one_hot_users @ model.user_factors) * (one_hot_items @ model.item_factors)).sum(axis=1)
    score = 0.3 + one_hot_users @ model.user_bias + one_hot_items @ model.item_bias + dot
    np.testing.assert_allclose(model.predict(users, items), score)


def test_both_precisions_start_from_the_same_draw():
    single, double = (
        EmbeddingDotBias(3, 3, 2, rng=np.random.default_rng(0), dtype=dtype)
        for dtype in (np.float32, np.float64)
    )
    np.testing.assert_array_equal(single.user_factors, double.user_factors.astype(np.float32))

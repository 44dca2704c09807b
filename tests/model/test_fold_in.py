from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from recsys.data import IdMap
from recsys.errors import NotFoundError
from recsys.model.fold_in import MEAN_USER_LIKES, FoldIn
from recsys.model.item_side import Head, ItemSide
from recsys.model.newcomers import Newcomers

N_ITEMS, N_FACTORS = 30, 6


def side_of(factors, bias, newcomers, **other):
    n_items = len(factors)
    return ItemSide(
        **{
            "item_ids": IdMap(str(n) for n in range(n_items)),
            "item_factors": np.array(factors, np.float32),
            "item_bias": np.array(bias, np.float32),
            "item_counts": np.full(n_items, 9, np.int32),
            "global_mean": 3.0,
            "y_range": None,
            "rating_scale": (1.0, 5.0),
            "newcomers": newcomers,
            **other,
        }
    )


@pytest.fixture
def rating_side():
    rng = np.random.default_rng(0)
    newcomers = Newcomers(
        reg=1.5,
        reg_per_rating=0,
        reg_bias=0.7,
        unobserved=0,
        user_mean=np.zeros(N_FACTORS, np.float32),
        item_implicit=rng.normal(0, 0.1, (N_ITEMS, N_FACTORS)).astype(np.float32),
        item_implicit_bias=rng.normal(0, 0.1, N_ITEMS).astype(np.float32),
    )
    return side_of(rng.normal(size=(N_ITEMS, N_FACTORS)), rng.normal(0, 0.3, N_ITEMS), newcomers)


@pytest.fixture
def ranking_side():
    rng = np.random.default_rng(1)
    factors = rng.normal(0, 0.4, (N_ITEMS, N_FACTORS)).astype(np.float32)
    mean = rng.normal(0, 0.4, N_FACTORS).astype(np.float32)
    newcomers = Newcomers(0.8, 0.01, 0.0, 0.2, mean)
    return side_of(factors, factors @ mean, newcomers, global_mean=0.0)


def test_one_rating_is_folded_in_by_hand():
    # One factor, q = (2, 1), biases (.5, 0), y = (1, 0), c = (.25, 0); r = 5 for the first item.
    newcomers = Newcomers(
        reg=4,
        reg_per_rating=0,
        reg_bias=2,
        unobserved=0,
        user_mean=np.zeros(1, np.float32),
        item_implicit=np.array([[1], [0]], np.float32),
        item_implicit_bias=np.array([0.25, 0], np.float32),
    )
    side = side_of([[2], [1]], [0.5, 0], newcomers, global_mean=1.0)
    user = FoldIn(side).fold_in(np.array([0]), np.array([5.0]))
    # Before the fit: 1 + .5 + .25 + 1 * 2 = 3.75, so 1.25 is left for w = (p, b), x = (2, 1):
    # w = B^-1 x * 1.25 / (1 + x'B^-1 x) = (2/4, 1/2) * 1.25 / (1 + 1 + .5) = (.25, .25).
    np.testing.assert_allclose(user.user_factors, [1 + 0.25])
    assert user.user_bias == pytest.approx(0.25 + 0.25)
    # Item 1: 1 + 0 is constant, (1 + .25) * 1 + .5 comes of the one rating.
    constant, per_rating = user.contributions(side, 1)
    assert constant == pytest.approx(1.0)
    np.testing.assert_allclose(per_rating, [1.75])


def test_two_likes_are_folded_in_by_hand():
    # One factor, q = (1, 2, 0), c = .5, reg 1, nothing per rating; the mean user is 3.
    newcomers = Newcomers(1, 0, 0, 0.5, np.array([3], np.float32))
    side = side_of([[1], [2], [0]], [3, 6, 0], newcomers, global_mean=0.0)
    user = FoldIn(side).fold_in(np.array([0, 1]), np.array([4.0, 5.0]))
    # Q'Q = 5, a = 4 / (4 + 2): (5 + .5 * 5 + 1) p = (1 + 2) + 2/3 * .5 * 5 * 3 = 8, so p = 8 / 8.5.
    assert MEAN_USER_LIKES == 4
    np.testing.assert_allclose(user.user_factors, [8 / 8.5 - 3], rtol=1e-6)
    constant, per_rating = user.contributions(side, 1)
    assert constant == pytest.approx(2 * 5 / 8.5)
    np.testing.assert_allclose(per_rating, [2 * 1 / 8.5, 2 * 2 / 8.5])


@pytest.mark.parametrize("n", [1, 5, 7, 29])
def test_the_rating_objective_has_its_minimum_there(rating_side, n):
    rng = np.random.default_rng(n)
    items, values = rng.permutation(N_ITEMS)[:n], rng.integers(1, 6, n).astype(float)
    new, user = rating_side.newcomers, FoldIn(rating_side).fold_in(items, values)
    sum_of_factors = new.item_implicit[items].sum(axis=0) / np.sqrt(n)
    sum_of_bias = new.item_implicit_bias[items].sum() / np.sqrt(n)

    def loss(factors, bias):
        error = values - rating_side.scores(factors.astype(np.float64), 0.0)[items] - bias
        own = factors - sum_of_factors
        return (error**2).sum() + new.reg * own @ own + new.reg_bias * (bias - sum_of_bias) ** 2

    best = loss(user.user_factors, user.user_bias)
    for step in 1e-2 * np.eye(N_FACTORS + 1):
        for sign in (-1, 1):
            moved = sign * step
            assert loss(user.user_factors + moved[:-1], user.user_bias + moved[-1]) > best


@pytest.mark.parametrize("n", [1, 5, 7, 29])
def test_the_ranking_objective_has_its_minimum_there(ranking_side, n):
    items = np.random.default_rng(n).permutation(N_ITEMS)[:n]
    new = ranking_side.newcomers
    q, mean = ranking_side.item_factors.astype(float), new.user_mean.astype(float)
    share = MEAN_USER_LIKES / (MEAN_USER_LIKES + n)

    def loss(centred):
        p = centred + mean
        liked = ((1 - q[items] @ p) ** 2).sum()
        drawn = new.unobserved * ((q @ p - share * (q @ mean)) ** 2).sum()
        return liked + drawn + (new.reg + n * new.reg_per_rating) * p @ p

    best = FoldIn(ranking_side).fold_in(items, None).user_factors.astype(float)
    for step in 1e-2 * np.eye(N_FACTORS):
        assert loss(best + step) > loss(best)
        assert loss(best - step) > loss(best)


@pytest.mark.parametrize("y_range", [None, (0.5, 5.5)])
def test_contributions_add_up_to_every_score(rating_side, ranking_side, y_range):
    rng = np.random.default_rng(4)
    for side in (replace(rating_side, y_range=y_range), ranking_side):
        items, values = rng.permutation(N_ITEMS)[:9], rng.integers(1, 6, 9).astype(float)
        user = FoldIn(side).fold_in(items, values)
        for item, score in enumerate(side.scores(user.user_factors, user.user_bias)):
            constant, per_rating = user.contributions(side, item)
            assert len(per_rating) == len(user.items)
            assert constant + per_rating.sum() == pytest.approx(score, abs=2e-6)


@pytest.mark.parametrize("y_range", [None, (0.5, 5.5)])
def test_each_rating_counts_linearly(rating_side, y_range):
    side = replace(rating_side, y_range=y_range)
    items, values = np.array([3, 8, 20]), np.array([2.0, 5.0, 4.0])
    found = []
    for stars in (1.0, 2.0, 5.0):
        values[1] = stars
        found.append(FoldIn(side).fold_in(items, values).contributions(side, 11)[1])
    np.testing.assert_allclose(found[2] - found[0], 4 * (found[1] - found[0]), atol=1e-12)
    assert found[1][1] != found[0][1]
    assert (found[1][[0, 2]] == found[0][[0, 2]]).all()


def test_with_a_sigmoid_range_the_linear_answer_is_near_the_true_minimum(rating_side):
    side = replace(rating_side, y_range=(0.0, 6.0), global_mean=0.0)
    items, values = np.arange(10), np.array([3, 4, 2, 3, 3, 4, 2, 3, 4, 3.0])
    new, q = side.newcomers, side.item_factors[:10].astype(float)
    p0 = new.item_implicit[:10].sum(axis=0) / np.sqrt(10)
    b0 = new.item_implicit_bias[:10].sum() / np.sqrt(10)

    def loss(w):
        z = side.item_bias[:10] + b0 + w[-1] + q @ (p0 + w[:-1])
        error = values - 6 / (1 + np.exp(-z))
        return error @ error + new.reg * w[:-1] @ w[:-1] + new.reg_bias * w[-1] ** 2

    user = FoldIn(side).fold_in(items, values)
    least = minimize(loss, np.zeros(N_FACTORS + 1)).fun
    folded = loss(np.append(user.user_factors - p0, user.user_bias - b0))
    assert least < 0.8 * loss(np.zeros(N_FACTORS + 1))
    assert folded < 1.05 * least


def test_what_was_chosen_without_a_rating_enters_the_implicit_sums_alone(rating_side):
    new, items = rating_side.newcomers, np.array([2, 5])
    for values in (None, np.array([np.nan, np.nan])):
        user = FoldIn(rating_side).fold_in(items, values)
        expected = new.item_implicit[items].sum(axis=0) / np.sqrt(2)
        np.testing.assert_allclose(user.user_factors, expected, rtol=1e-6)


def test_only_what_is_liked_counts_in_ranking_and_all_of_it_without_values(ranking_side):
    fold_in, items = FoldIn(ranking_side).fold_in, np.array([2, 5, 7])
    assert list(fold_in(items, np.array([4.0, 3.5, 5.0])).items) == [2, 7]
    assert list(fold_in(items, np.array([4.0, 3.5, np.nan])).items) == [2, 7]
    assert list(fold_in(items, None).items) == [2, 5, 7]


def test_somebody_who_liked_nothing_is_the_mean_user(ranking_side):
    user = FoldIn(ranking_side).fold_in(np.array([2]), np.array([1.0]))
    np.testing.assert_array_equal(user.user_factors, np.zeros(N_FACTORS))
    constant, per_rating = user.contributions(ranking_side, 3)
    assert constant == pytest.approx(float(ranking_side.item_bias[3]))
    assert len(per_rating) == 0


def test_somebody_who_rated_nothing_is_nobody_in_particular(rating_side):
    user = FoldIn(rating_side).fold_in(np.array([], int), np.array([]))
    np.testing.assert_array_equal(user.user_factors, np.zeros(N_FACTORS))
    assert user.user_bias == 0


def test_an_item_without_training_ratings_says_nothing(rating_side):
    counts = rating_side.item_counts.copy()
    counts[4] = 0
    side = replace(rating_side, item_counts=counts)
    with_it = FoldIn(side).fold_in(np.array([1, 4]), np.array([5.0, 1.0]))
    without = FoldIn(side).fold_in(np.array([1]), np.array([5.0]))
    np.testing.assert_array_equal(with_it.user_factors, without.user_factors)


@pytest.mark.parametrize("n_models", [2, 5])
def test_models_laid_side_by_side_score_with_the_mean_of_their_kernels(n_models):
    rng = np.random.default_rng(6)
    each = rng.normal(size=(n_models, N_ITEMS, N_FACTORS))
    bias = rng.normal(size=N_ITEMS)
    items, values = np.array([3, 9, 12]), np.array([5.0, 1.0, 4.0])
    laid = np.concatenate(each, axis=1) / np.sqrt(n_models)
    newcomers = Newcomers(2.0, 0, 1.0, 0, np.zeros(laid.shape[1], np.float32))
    side = side_of(laid, bias, newcomers)
    user = FoldIn(side).fold_in(items, values)
    # Kernel ridge: scores = mu + b + k(., N) (k(N, N) + I)^-1 t, k = q.q' / reg + 1 / reg_bias.
    kernel = sum(q @ q.T for q in each) / n_models / 2.0 + 1 / 1.0
    target = values - 3.0 - bias[items]
    expected = (
        3.0
        + bias
        + kernel[:, items] @ np.linalg.solve(kernel[np.ix_(items, items)] + np.eye(3), target)
    )
    np.testing.assert_allclose(
        side.scores(user.user_factors, user.user_bias), expected, rtol=1e-4, atol=1e-4
    )


def test_a_network_and_an_older_version_say_what_to_do(rating_side):
    with pytest.raises(NotFoundError, match=r"stored before .* train a new version: recsys train"):
        FoldIn(replace(rating_side, newcomers=None))
    head = Head((np.ones((2 * N_FACTORS, 1), np.float32),), (np.zeros(1, np.float32),))
    with pytest.raises(NotFoundError, match=r"no closed form .* --model dot"):
        FoldIn(replace(rating_side, newcomers=None, head=head))

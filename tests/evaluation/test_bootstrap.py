import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.evaluation import bootstrap
from recsys.evaluation.bootstrap import Interval, interval, resampled
from recsys.evaluation.user_metric import UserMetric


def mean_of(values):
    values = np.asarray(values, float)
    return UserMetric.mean(values, np.ones(len(values), bool))


def test_an_interval_is_the_middle_of_the_samples():
    # 0 to 100: 2.5 % lie below 2.5, 2.5 % above 97.5
    assert interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))
    assert interval(np.arange(101.0), level=0.8) == pytest.approx((10, 90))


def test_samples_without_a_value_do_not_count():
    assert interval(np.append(np.arange(101.0), np.nan)) == pytest.approx((2.5, 97.5))
    assert all(math.isnan(bound) for bound in interval(np.full(3, np.nan)))


def test_an_interval_excludes_zero_on_one_side_of_it():
    assert Interval(0.1, 0.2).excludes_zero
    assert Interval(-0.2, -0.1).excludes_zero
    assert not Interval(-0.1, 0.2).excludes_zero
    assert not Interval(math.nan, math.nan).excludes_zero


def test_a_mean_has_the_interval_of_the_normal_law():
    # 400 users, standard deviation 1: the mean's is 1/20, and the middle 95 % reach 1.96/20.
    values = np.random.default_rng(0).normal(size=400)
    values = (values - values.mean()) / values.std()
    low, high = interval(resampled({"m": mean_of(values)}, 4000)["m"])
    assert (low, high) == pytest.approx((-1.96 / 20, 1.96 / 20), abs=0.008)


def test_95_of_100_intervals_hold_the_true_mean():
    rng = np.random.default_rng(1)
    n_held = 0
    for seed in range(200):
        low, high = interval(resampled({"m": mean_of(rng.exponential(size=100))}, 400, seed)["m"])
        n_held += low <= 1 <= high
    # 190 expected, standard deviation sqrt(200 * .95 * .05) = 3; skewness costs a little
    assert 178 <= n_held <= 198


def test_two_predictors_are_drawn_the_same_users():
    # Users differ by hundreds, the predictors by one for each: only pairing can tell.
    values = np.random.default_rng(0).normal(0, 100, 50)
    one, other = (resampled({"m": mean_of(v)})["m"] for v in (values + 1, values))
    assert interval(one - other) == pytest.approx((1, 1))
    assert not interval(one - resampled({"m": mean_of(values)}, seed=1)["m"]).excludes_zero


def test_metrics_of_one_draw_are_of_the_same_users():
    values = np.random.default_rng(0).normal(size=30)
    drawn = resampled({"a": mean_of(values), "b": mean_of(2 * values)})
    np.testing.assert_allclose(drawn["b"], 2 * drawn["a"])


def test_a_root_is_taken_after_the_draw():
    errors = UserMetric(np.array([4.0, 9.0]), np.array([1.0, 1.0]), is_root=True)
    found = set(np.round(resampled({"rmse": errors}, 50)["rmse"], 6))
    # Twice the first, twice the second, or one each: sqrt(4), sqrt(9), sqrt(13 / 2)
    assert found == {2.0, 3.0, round(math.sqrt(6.5), 6)}


def test_draws_without_anybody_who_counts_have_no_value():
    metric = UserMetric(np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    found = resampled({"m": metric}, 50)["m"]
    assert set(found[~np.isnan(found)]) == {1.0}
    assert 0 < np.isnan(found).sum() < 50


def test_nobody_and_nothing_to_draw():
    assert np.isnan(resampled({"m": UserMetric(np.zeros(0), np.zeros(0))}, 5)["m"]).all()
    assert resampled({}) == {}


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-9, 9), st.integers(0, 3)), min_size=1, max_size=9),
       st.integers(1, 40), st.integers(0, 9))  # fmt: skip
def test_draws_are_those_of_a_loop_whatever_the_size_of_a_block(users, at_once, seed):
    amounts, weights = np.array(users, float).T
    amounts = amounts * (weights > 0)
    rng = np.random.default_rng(seed)
    expected = []
    for _ in range(7):
        drawn = rng.integers(len(users), size=len(users))
        total = weights[drawn].sum()
        expected.append(amounts[drawn].sum() / total if total else math.nan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "_BLOCK", at_once)
        found = resampled({"m": UserMetric(amounts, weights)}, 7, seed)["m"]
    np.testing.assert_allclose(found, expected, atol=1e-12)

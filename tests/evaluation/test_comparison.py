import math

import numpy as np
import pytest

from recsys.evaluation.comparison import Comparison
from recsys.evaluation.evaluate import Evaluation
from recsys.evaluation.user_metric import UserMetric


def evaluation(coverage=0.5, **values):
    by_user = {
        name: UserMetric.mean(np.nan_to_num(v), ~np.isnan(v))
        for name, v in ((name, np.asarray(v, float)) for name, v in values.items())
    }
    return Evaluation(by_user, coverage, k=10, n_test=9, n_unknown_users=0, n_unknown_items=0)


NOISE = np.random.default_rng(0).normal(size=60)


def test_a_difference_is_paired_by_user():
    comparison = Comparison()
    comparison.add({"model": evaluation(mae=NOISE + 0.1), "mean": evaluation(mae=NOISE)})
    found = comparison.differences("model", "mean")["mae"]
    assert (found.value, *found.interval) == pytest.approx((0.1, 0.1, 0.1))
    low, high = comparison.intervals("model")["mae"]
    assert low < NOISE.mean() + 0.1 < high
    assert high - low > 0.3  # 2 * 1.96 / sqrt(60) = .51: unpaired, .1 would be chance


def test_scores_are_means_over_the_folds_that_have_them():
    comparison = Comparison()
    nobody = np.full(60, np.nan)
    for values, coverage in ((NOISE, 0.2), (NOISE + 1, 0.4), (nobody, math.nan)):
        comparison.add({"model": evaluation(coverage, mae=values)})
    scores = comparison.scores("model")
    assert scores["mae"] == pytest.approx(NOISE.mean() + 0.5)
    assert scores["coverage@10"] == pytest.approx(0.3)
    assert math.isnan(scores["rmse"])
    low, high = comparison.intervals("model")["mae"]
    assert low < NOISE.mean() + 0.5 < high


def test_folds_are_drawn_the_same_users():
    # What a user gains in one fold is lost in the other: the mean over the folds never moves.
    comparison = Comparison()
    for values in (NOISE, -NOISE):
        comparison.add({"model": evaluation(mae=values)})
    assert comparison.intervals("model")["mae"] == pytest.approx((0, 0))


def test_only_what_both_have_is_compared():
    comparison = Comparison()
    comparison.add(
        {"model": evaluation(mae=NOISE, rmse=NOISE), "popularity": evaluation(mae=NOISE)}
    )
    assert comparison.names == ("model", "popularity")
    assert list(comparison.differences("model", "popularity")) == ["mae"]


def test_the_seed_and_the_level_are_those_asked_for():
    def of(**options):
        comparison = Comparison(**options)
        comparison.add({"model": evaluation(mae=NOISE)})
        return comparison.intervals("model")["mae"]

    assert of() == of(seed=0, n_resamples=1000, level=0.95) != of(seed=1)
    assert of().low < of(level=0.5).low < of(level=0.5).high < of().high

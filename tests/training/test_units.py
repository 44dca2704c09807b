from dataclasses import replace

import numpy as np
import pytest

from recsys.model.fold_in import FoldIn
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.lr_find import sweep


def multiplied(ratings, factor):
    return replace(ratings, values=ratings.values * np.float32(factor))


def fit(ratings, **given):
    settings = Hyperparameters.choose(ratings, n_factors=8, n_epochs=6, **given)
    return fit_snapshot(ratings, settings, validation=ratings.select(np.arange(100)))


@pytest.fixture(scope="module")
def stars(make_ratings):
    ratings = make_ratings()
    assert Hyperparameters.choose(ratings).unit == 1
    return ratings


@pytest.mark.parametrize(
    ("factor", "unit"), [(1, 1), (2, 2), (4, 4), (18, 16), (20, 32), (0.25, 0.25), (1e-6, 2**-20)]
)
def test_the_unit_is_the_power_of_two_nearest_to_the_deviation(stars, factor, unit):
    assert Hyperparameters.choose(multiplied(stars, factor)).unit == unit


def test_ratings_that_are_all_the_same_have_the_unit_of_stars(stars):
    same = replace(stars, values=np.full_like(stars.values, 7))
    assert Hyperparameters.choose(same).unit == 1


@pytest.mark.parametrize(
    ("given", "scaled"),
    [
        ({}, {}),
        ({"implicit": False}, {}),
        ({"y_range": (-5.0, 11.0)}, {"y_range": (-20.0, 44.0)}),
        ({"model": "mlp", "n_factors": 4}, {}),
    ],
)
def test_ratings_four_times_as_large_give_predictions_four_times_as_large(stars, given, scaled):
    # 4 and its root are powers of two: not a bit is lost.
    given = {"n_factors": 8, **given}
    settings = [
        Hyperparameters.choose(r, n_epochs=6, **{**given, **more})
        for r, more in ((stars, {}), (multiplied(stars, 4), scaled))
    ]
    one = fit_snapshot(stars, settings[0], validation=stars.select(np.arange(100)))
    large = multiplied(stars, 4)
    four = fit_snapshot(large, settings[1], validation=large.select(np.arange(100)))
    assert settings[1].unit == 4
    assert four.hyperparameters["y_range"] == (list(scaled["y_range"]) if scaled else None)

    users, items = stars.users, stars.items
    np.testing.assert_array_equal(four.predict(users, items), 4 * one.predict(users, items))
    for name in ("train_rmse", "validation_rmse"):
        assert four.metrics[name] == pytest.approx(4 * one.metrics[name], rel=1e-12)
    for small, big in zip(one.history, four.history, strict=True):
        assert big["train_loss"] == pytest.approx(16 * small["train_loss"], rel=1e-12)
        assert big["train_rmse"] == pytest.approx(4 * small["train_rmse"], rel=1e-12)


@pytest.mark.parametrize(
    ("given", "scaled"),
    [({}, {}), ({"y_range": (-5.0, 11.0)}, {"y_range": (-20.0, 44.0)})],
)
def test_newcomers_are_folded_in_alike_on_either_scale(stars, given, scaled):
    large = multiplied(stars, 4)
    rated, values = np.array([3, 1, 7]), np.array([5.0, 2.0, 3.5], np.float32)
    predicted = []
    for ratings, factor, more in ((stars, 1, given), (large, 4, scaled)):
        side = fit(ratings, **more).items
        folded = FoldIn(side).fold_in(rated, values * factor)
        scores = side.scores(folded.user_factors, folded.user_bias)
        predicted.append(side.stars(scores) / factor)
    np.testing.assert_allclose(predicted[1], predicted[0], rtol=1e-5)


@pytest.mark.parametrize("factor", [0.2, 20])
def test_the_defaults_learn_ratings_of_any_scale(stars, factor):
    large = multiplied(stars, factor)
    fitted = fit_snapshot(large, Hyperparameters.choose(large))
    assert fitted.metrics["train_rmse"] < 0.9 * large.values.std()


def test_the_rate_finder_sees_the_ratings_in_their_unit(stars):
    rates = np.geomspace(0.01, 1, 10)
    one, four = (
        sweep(r, Hyperparameters.choose(r), rates).losses for r in (stars, multiplied(stars, 4))
    )
    np.testing.assert_allclose(four, one)

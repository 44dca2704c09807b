import numpy as np
import pytest

from recsys.errors import DataError, UsageError
from recsys.training.hyperparameters import Hyperparameters


def test_defaults_grow_with_the_data(make_ratings):
    # 2,000 ratings: 2000 // 40 = 50 is below the smallest batch, 64. lr = .02 * 64 * (1 - .9)
    chosen = Hyperparameters.choose(make_ratings(100, 100, 2000), implicit=False)
    assert (chosen.batch_size, chosen.lr) == (64, 0.128)
    # 8,000 ratings: 8000 // 40 = 200
    chosen = Hyperparameters.choose(make_ratings(100, 100, 8000), implicit=False)
    assert (chosen.batch_size, chosen.lr) == (200, 0.4)


def test_with_implicit_terms_batches_are_few_and_their_rate_follows_the_curvature(make_ratings):
    ratings = make_ratings(100, 100, 8000)
    chosen = Hyperparameters.choose(ratings)
    assert chosen.implicit
    assert chosen.batch_size == 1000
    rated = np.zeros((100, 100))
    rated[ratings.users, ratings.items] = 1
    curvature = 2 * np.linalg.norm(rated, 2) ** 2 / 8000
    share = max(np.bincount(ratings.users).max(), np.bincount(ratings.items).max()) / 8000
    step = 0.25 / (1 + 4 * share)
    assert chosen.implicit_rate == pytest.approx(step / (curvature * chosen.lr), rel=1e-2)
    assert chosen.penalty == (chosen.reg, chosen.reg_bias, chosen.reg_implicit, chosen.n_prior)


def test_rate_is_bounded_where_one_item_has_most_ratings(make_ratings):
    # Of 8,000 ratings every item has 1,600: in a batch of 4,000 about 800, four times 200.
    ratings = make_ratings(1600, 5, 8000)
    alone = Hyperparameters.choose(ratings, batch_size=1000)
    crowded = Hyperparameters.choose(ratings, batch_size=4000)
    assert (alone.lr, crowded.lr) == (2.0, 2.0)


def test_without_implicit_terms_only_the_rows_of_many_ratings_are_held_back(make_ratings):
    ratings = make_ratings(1600, 5, 8000)
    crowded = Hyperparameters.choose(ratings, implicit=False, batch_size=4000)
    assert crowded.lr == 8  # .02 * 4000 * (1 - .9), whatever the items' share
    # A bias is stable up to n 2 * 8 / 4000 = 2 * 1.9, or n = 950 ratings, and the limit is 3 %.
    assert crowded.row_limit == 28.5
    quicker = Hyperparameters.choose(ratings, implicit=False, batch_size=4000, lr=16.0)
    assert quicker.row_limit == 14.2


def test_what_is_given_stays(make_ratings):
    chosen = Hyperparameters.choose(make_ratings(), lr=0.5, batch_size=7, momentum=0.0, seed=None)
    assert (chosen.lr, chosen.batch_size, chosen.momentum, chosen.seed) == (0.5, 7, 0.0, 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_factors": 0}, "n_factors is 0; allowed: 1 to 512"),
        ({"n_factors": 513}, "n_factors is 513; allowed: 1 to 512"),
        ({"n_epochs": 0}, "n_epochs is 0; allowed: 1 or more"),
        ({"momentum": 1.0}, "momentum is 1.0; allowed: 0 to below 1"),
        ({"momentum": 1.0, "lr": 1.0, "implicit": False}, "momentum is 1.0; allowed: 0 to below"),
        ({"batch_size": 0, "implicit": False}, "batch_size is 0; allowed: 1 or more"),
        ({"reg": float("nan")}, "reg is nan; allowed: 0 or more"),
        ({"lr": 0.0}, "lr is 0.0; allowed: finite, above 0"),
        ({"y_range": (5.0, 1.0)}, r"y_range is \(5.0, 1.0\); allowed: a lower bound, then"),
        ({"schedule": "up"}, "schedule is 'up'; allowed: constant, step"),
        ({"optimizer": "newton"}, "optimizer is 'newton'; allowed: sgd, momentum"),
        ({"model": "svd"}, "model is 'svd'; allowed: dot, mlp"),
        ({"clip": 0.0}, "clip is 0.0; allowed: finite, above 0"),
        ({"dropout": 0.1}, "dropout is a setting of the model mlp; the dot product has no layers"),
        ({"model": "mlp", "implicit": True}, "implicit terms are of the model dot"),
        ({"implicit": False, "reg_implicit": 1.0}, "reg_implicit is of the implicit terms"),
        ({"row_limit": 9.0}, "row_limit is of the model dot on momentum SGD without implicit"),
        ({"implicit": False, "row_limit": 0.0}, "row_limit is 0.0; allowed: finite, above 0"),
        ({"n_prior": -1.0}, "n_prior is -1.0; allowed: 0 or more"),
        ({"hidden": (10,)}, "hidden is a setting of the model mlp"),
        ({"model": "mlp", "reg_bias": 0.1}, "reg_bias is a setting of the model dot"),
        ({"optimizer": "sgd", "momentum": 0.9}, "the optimizer sgd has no momentum; those that"),
        ({"dtype": "float16"}, "dtype is 'float16'; allowed: float32, float64"),
    ],
)
def test_what_makes_no_sense_is_refused(make_ratings, given, message):
    with pytest.raises(UsageError, match=message):
        Hyperparameters.choose(make_ratings(), **given)


def test_no_ratings_are_refused(ratings):
    with pytest.raises(DataError, match="no rating to train on"):
        Hyperparameters.choose(ratings.select(np.zeros(ratings.n_ratings, bool)))

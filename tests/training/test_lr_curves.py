from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import StoreError
from recsys.nn.lr_finder import LRCurve
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.lr_curves import keep_curve, kept_curve

CURVE = LRCurve(
    np.array([0.1, 1.0, 10.0]), np.array([2.0, 1.0, np.nan]), np.array([2.0, 1.5, np.inf]), 0.3
)


def settings(**changed):
    return Hyperparameters(**{"batch_size": 10, "lr": 1.0, "reg": 0.1, **changed}).as_dict()


def test_a_curve_comes_back_as_it_was_and_what_is_no_number_is_none(tmp_path):
    keep_curve(tmp_path / "new", CURVE, "ab", settings())
    found = kept_curve(tmp_path / "new", "ab", settings())
    assert found.rates.tolist() == [0.1, 1.0, 10.0]
    np.testing.assert_array_equal(found.losses, [2, 1, np.nan])
    np.testing.assert_array_equal(found.smoothed, [2, 1.5, np.nan])
    assert found.suggestion == 0.3


@pytest.mark.parametrize(
    "changed", [{"lr": 0.5}, {"schedule": "one-cycle"}, {"n_epochs": 3}, {"early_stopping": 0}]
)
def test_what_a_sweep_does_not_use_may_differ(tmp_path, changed):
    keep_curve(tmp_path, CURVE, "ab", settings())
    assert kept_curve(tmp_path, "ab", settings(**changed)) is not None


@pytest.mark.parametrize(
    "changed", [{"reg": 0.2}, {"batch_size": 11}, {"momentum": 0.8}, {"seed": 1}]
)
def test_a_curve_of_other_settings_or_ratings_is_not_found(tmp_path, changed):
    assert kept_curve(tmp_path / "none", "ab", settings()) is None
    keep_curve(tmp_path, CURVE, "ab", settings())
    assert kept_curve(tmp_path, "ab", settings(**changed)) is None
    assert kept_curve(tmp_path, "cd", settings()) is None


def test_a_newer_curve_takes_the_place_of_the_old_one(tmp_path):
    keep_curve(tmp_path, CURVE, "ab", settings())
    never = LRCurve(CURVE.rates, CURVE.losses, CURVE.smoothed, None)
    path = keep_curve(tmp_path, never, "ab", settings())
    assert kept_curve(tmp_path, "ab", settings()).suggestion is None
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"rates": [1], "losses": [1, 2], "smoothed": [1], "suggestion": null}'],
)
def test_a_damaged_file_is_named(tmp_path, content):
    path = keep_curve(tmp_path, CURVE, "ab", settings())
    path.write_text(content)
    with pytest.raises(StoreError, match=rf"{path.name} is damaged .*recsys lr-find"):
        kept_curve(tmp_path, "ab", settings())

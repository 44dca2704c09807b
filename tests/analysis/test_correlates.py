from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.analysis.correlates import Correlate, correlates, label
from recsys.data import ItemMetadata


@pytest.fixture
def described(make_items):
    """Thirty items with ratings, biases and years, of which every third year is unknown."""
    rng = np.random.default_rng(2)
    items, catalogue = make_items(rng.normal(size=30), rng.integers(20, 400, 30))
    years = tuple(None if row % 3 == 0 else 1950 + 2 * row for row in range(30))
    metadata = ItemMetadata(catalogue.metadata.titles, years, (("Drama",),) * 30)
    return items, replace(catalogue, metadata=metadata)


def found_by(described, coordinates, **options):
    rows = np.arange(30)
    return [
        {c.feature: c for c in axis}
        for axis in correlates(np.asarray(coordinates, float), *described, rows, 9, **options)
    ]


def test_correlations_are_pearsons_over_the_items_where_a_feature_is_known(described):
    items, catalogue = described
    axes = np.random.default_rng(4).normal(size=(30, 2))
    years = np.array([np.nan if y is None else y for y in catalogue.metadata.years])
    known = np.isfinite(years)
    for along, axis in zip(axes.T, found_by(described, axes), strict=True):
        expected = {
            "popularity": np.corrcoef(np.log1p(catalogue.n_ratings), along)[0, 1],
            "bias": np.corrcoef(items.item_bias, along)[0, 1],
            "year": np.corrcoef(years[known], along[known])[0, 1],
        }
        # Drama, which all are, says nothing.
        assert {name: c.correlation for name, c in axis.items()} == pytest.approx(expected)


def test_an_axis_is_told_the_same_alone_and_among_others(described):
    axes = np.random.default_rng(4).normal(size=(30, 3))
    among, (alone,) = found_by(described, axes)[1], found_by(described, axes[:, 1:2])
    assert {name: (pytest.approx(c.correlation), c.p_value) for name, c in alone.items()} == {
        name: (c.correlation, c.p_value) for name, c in among.items()
    }


def test_the_smallest_p_value_is_one_by_the_number_of_orders(described):
    items, _ = described
    (axis,) = found_by(described, items.item_bias[:, None], n_permutations=99)
    assert axis["bias"].correlation == pytest.approx(1)
    assert axis["bias"].p_value == 1 / 100
    assert axis["popularity"].p_value > 0.05


def test_by_chance_a_p_value_is_uniform(described):
    axes = np.random.default_rng(0).normal(size=(30, 200))
    smallest = [min(c.p_value for c in axis.values()) for axis in found_by(described, axes)]
    # 200 draws of a uniform number: .1 and .5 of them, within three standard errors.
    assert np.mean(np.array(smallest) <= 0.1) == pytest.approx(0.1, abs=0.064)
    assert np.mean(np.array(smallest) <= 0.5) == pytest.approx(0.5, abs=0.106)


def test_a_label_has_the_three_strongest_that_are_significant():
    found = [
        Correlate("bias", 0.9, 0.005),
        Correlate("year", -0.8, 0.02),
        Correlate("genre War", -0.7, 0.01),
        Correlate("popularity", 0.6, 0.005),
        Correlate("mean rating", 0.5, 0.005),
    ]
    assert label(found) == "+bias, −genre War, +popularity"
    assert label(found[1:2]) is label([]) is None

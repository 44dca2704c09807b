from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from recsys.analysis import principal_axes
from recsys.errors import UsageError


@pytest.fixture
def planted(make_items):
    """100 items on a long and a short axis; along the long one the ratings grow."""
    rng = np.random.default_rng(5)
    long, short = np.linspace(-3, 3, 100), rng.permutation(np.linspace(-1, 1, 100))
    noise = rng.normal(0, 0.01, (100, 6))
    directions = np.linalg.qr(rng.normal(size=(6, 2)))[0].T
    factors = np.outer(long, directions[0]) + np.outer(short, directions[1]) + noise + 4.0
    counts = np.round(np.exp(4 + long / 3)).astype(np.int32)
    return make_items(np.zeros(100), counts, factors=factors), short


def ends(axis):
    return [row.item_id for row in axis.highest], [row.item_id for row in axis.lowest]


def test_the_planted_axes_come_out_in_order_of_their_variance(planted):
    (items, catalogue), short = planted
    result = principal_axes(items, catalogue, top=5)
    first, second, _ = result.axes
    assert ends(first) == ([f"i{i}" for i in (99, 98, 97, 96, 95)], [f"i{i}" for i in range(5)])
    # Variances 3² : 1² of equally spaced coordinates: 9/10 and 1/10 of the whole.
    assert first.explained_variance_ratio == pytest.approx(0.9, abs=0.01)
    assert second.explained_variance_ratio == pytest.approx(0.1, abs=0.01)
    assert abs(np.corrcoef(result.coordinates[:, 1], short)[0, 1]) > 0.999


def test_the_axes_are_those_of_scikit_learn(make_items):
    rng = np.random.default_rng(9)
    factors = rng.normal(size=(60, 5)) @ rng.normal(size=(5, 5))
    items, catalogue = make_items(np.zeros(60), np.full(60, 30), factors=factors)
    reference = PCA(svd_solver="full").fit(items.item_factors.astype(np.float64))
    result = principal_axes(items, catalogue, 5)
    ratios = [axis.explained_variance_ratio for axis in result.axes]
    np.testing.assert_allclose(ratios, reference.explained_variance_ratio_, rtol=1e-12)
    # Apart from the signs, which are by another rule.
    expected = np.abs(reference.transform(items.item_factors.astype(np.float64)))
    np.testing.assert_allclose(np.abs(result.coordinates), expected, rtol=1e-4, atol=1e-5)


def test_the_positive_end_is_the_more_rated_one(planted):
    (items, catalogue), _ = planted
    result = principal_axes(items, catalogue)
    for along in result.coordinates[result.rows].T:
        assert np.corrcoef(along, np.log1p(catalogue.n_ratings[result.rows]))[0, 1] > 0


@pytest.mark.parametrize("transformation", ["negation", "rotation", "shift"])
def test_the_axes_do_not_depend_on_the_basis_of_the_factors(planted, transformation):
    (items, catalogue), _ = planted
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    factors = {
        "negation": -items.item_factors,
        "rotation": items.item_factors @ rotation,
        "shift": items.item_factors + 2,
    }[transformation].astype(np.float32)
    before = principal_axes(items, catalogue, 2)
    after = principal_axes(replace(items, item_factors=factors), catalogue, 2)
    assert np.allclose(before.coordinates, after.coordinates, atol=1e-3)
    assert [ends(axis) for axis in before.axes] == [ends(axis) for axis in after.axes]


def test_the_axes_do_not_depend_on_the_order_of_the_items(planted):
    (items, catalogue), _ = planted
    order = np.random.default_rng(2).permutation(100)
    ids = items.item_ids.take(order)
    shuffled = replace(
        items,
        item_ids=ids,
        item_factors=items.item_factors[order],
        item_counts=items.item_counts[order],
    )
    other = replace(
        catalogue,
        item_ids=ids,
        metadata=catalogue.metadata.take(order),
        n_ratings=catalogue.n_ratings[order],
    )
    before, after = principal_axes(items, catalogue, 2), principal_axes(shuffled, other, 2)
    assert np.allclose(before.coordinates[order], after.coordinates, atol=1e-4)
    assert [ends(axis) for axis in before.axes] == [ends(axis) for axis in after.axes]


def test_where_popularity_is_even_the_furthest_item_is_positive(make_items):
    # Along the axis: -1, -1, -1, 3; popularity constant.
    items, catalogue = make_items([0] * 4, [50] * 4, factors=[[1, 0], [1, 0], [1, 0], [-3, 0]])
    (axis,) = principal_axes(items, catalogue, 1, top=1).axes
    assert axis.highest[0].item_id == "i3"
    assert axis.highest[0].coordinate == pytest.approx(3.0)
    assert axis.explained_variance_ratio == pytest.approx(1.0)


def test_items_with_few_ratings_do_not_bend_the_axes_but_have_coordinates(planted, make_items):
    (items, catalogue), _ = planted
    tail = np.random.default_rng(9).normal(0, 50, (40, 6))
    with_tail, its_catalogue = make_items(
        np.zeros(140),
        np.concatenate([items.item_counts, np.full(40, 3)]),
        factors=np.concatenate([items.item_factors, tail]),
    )
    before, after = principal_axes(items, catalogue), principal_axes(with_tail, its_catalogue)
    assert after.coordinates.shape == (140, 3)
    assert np.allclose(before.coordinates, after.coordinates[:100], atol=1e-3)
    assert after.rows.max() < 100


def test_an_axis_names_what_goes_along_with_it(make_items):
    # Odd rows are dramas (see make_items), and lie on one side.
    factors = [[1.0 if row % 2 else -1.0, 0.001 * row] for row in range(40)]
    items, catalogue = make_items([0.0] * 40, [50 + row % 2 for row in range(40)], factors=factors)
    (first,) = principal_axes(items, catalogue, 1).axes
    named = {c.feature: c.correlation for c in first.correlates}
    assert named["genre Drama"] == pytest.approx(1.0)
    assert named["genre Comedy"] == pytest.approx(-1.0)
    assert "bias" not in named  # the same for all items


def test_a_label_names_what_is_more_than_chance(make_items):
    factors = [[1.0 if row % 2 else -1.0, 0.001 * row] for row in range(40)]
    items, catalogue = make_items([0.0] * 40, [50] * 40, factors=factors)
    (first,) = principal_axes(items, catalogue, 1).axes
    # Which items are dramas and which lie on one side is the same for 2 of 40!/(20! 20!) orders.
    assert {c.feature: c.p_value for c in first.correlates[:2]} == {
        "genre Comedy": 0.005,
        "genre Drama": 0.005,
    }
    assert first.label in ("−genre Comedy, +genre Drama", "+genre Comedy, −genre Drama")


def test_an_axis_of_noise_has_no_label(make_items):
    n_found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        counts, bias = rng.integers(50, 500, 60), rng.normal(size=60)
        items, catalogue = make_items(bias, counts, factors=rng.normal(size=(60, 3)))
        n_found += sum(axis.label is not None for axis in principal_axes(items, catalogue).axes)
    # 60 axes, each labelled with probability .01 by chance: 3 or fewer with probability .997.
    assert n_found <= 3


def test_an_axis_is_ready_for_json(planted):
    (items, catalogue), _ = planted
    axis = json.loads(json.dumps(asdict(principal_axes(items, catalogue).axes[0])))
    assert axis["component"] == 0
    assert {"item_id", "title", "year", "n_ratings", "coordinate"} == set(axis["highest"][0])


@settings(max_examples=30, deadline=None)
@given(
    n_items=st.integers(0, 8),
    n_factors=st.integers(1, 4),
    n_components=st.integers(1, 6),
    constant=st.booleans(),
)
def test_small_data_gives_fewer_axes_and_never_an_error(
    make_items, n_items, n_factors, n_components, constant
):
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(n_items, n_factors)) * (not constant)
    items, catalogue = make_items([0.1] * n_items, [50] * n_items, factors=factors)
    result = principal_axes(items, catalogue, n_components)
    expected = 0 if constant else max(0, min(n_components, n_items - 1, n_factors))
    assert len(result.axes) == expected
    assert result.coordinates.shape == (n_items, expected)
    assert sum(axis.explained_variance_ratio for axis in result.axes) <= 1 + 1e-9


def test_no_item_stands_at_both_ends(make_items):
    items, catalogue = make_items([0] * 5, [50] * 5, factors=np.arange(10).reshape(5, 2) ** 2)
    high, low = ends(principal_axes(items, catalogue, 1, top=10).axes[0])
    assert len(high) == len(low) == 2
    assert not set(high) & set(low)


@pytest.mark.parametrize("setting", [{"n_components": 0}, {"top": 0}, {"min_ratings": -1}])
def test_a_setting_out_of_range_is_named(make_items, setting):
    with pytest.raises(UsageError, match=next(iter(setting))):
        principal_axes(*make_items([0.1], [30]), **setting)


def test_importing_the_analysis_loads_neither_scikit_learn_nor_matplotlib():
    code = (
        "import sys, recsys.analysis\n"
        "print([m for m in ('sklearn', 'matplotlib', 'scipy', 'numba') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.analysis.drift import measure_drift
from recsys.errors import NotFoundError, UsageError


@pytest.fixture(scope="module")
def version(make_items):
    """Four hundred items of six factors, all with fifty ratings."""
    rng = np.random.default_rng(3)
    return make_items(rng.normal(size=400), [50] * 400, factors=rng.normal(size=(400, 6)))


def changed(version, **changes):
    side, catalogue = version
    arrays = {name: np.asarray(array, np.float32) for name, array in changes.items()}
    return replace(side, **arrays), catalogue


def turned(factors, seed=1):
    n_factors = factors.shape[1]
    return factors @ np.linalg.qr(np.random.default_rng(seed).normal(size=(n_factors,) * 2))[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda q: q,
        turned,
        lambda q: q * [-1, 1, 1, 1, 1, 1],
        lambda q: 3 * q,
        lambda q: np.pad(turned(q), ((0, 0), (0, 3))),
        lambda q: turned(2 * np.pad(q, ((0, 0), (0, 3)))),
    ],
    ids=["same", "turned", "mirrored", "scaled", "more factors", "turned into more factors"],
)
def test_what_changes_no_list_is_no_drift(version, change):
    found = measure_drift(version, changed(version, item_factors=change(version[0].item_factors)))
    assert found.n_items == 400
    assert found.alignment == pytest.approx(1, abs=1e-6)
    assert found.neighbour_overlap == 1
    assert found.bias_correlation == pytest.approx(1)
    assert max(item.distance for item in found.items) < 1e-5
    assert min(item.cosine for item in found.items) > 1 - 1e-6
    assert all(item.rank_change == 0 for item in found.items)


def test_a_shift_of_all_items_is_no_movement(version):
    found = measure_drift(version, changed(version, item_factors=version[0].item_factors + 5))
    assert found.alignment == pytest.approx(1)
    assert found.items[0].distance < 1e-5


@settings(max_examples=25, deadline=None)
@given(moved=st.integers(0, 399), seed=st.integers(0, 100))
def test_an_item_that_moved_is_found_first(version, moved, seed):
    factors = version[0].item_factors.copy()
    factors[moved] = -2 * factors[moved] - 3  # not to where it was, wherever that is
    found = measure_drift(version, changed(version, item_factors=turned(factors, seed)))
    assert found.items[0].item_id == f"i{moved}"
    assert found.items[0].distance > 4 * found.items[1].distance
    assert 0.9 < found.alignment < 0.999


def test_the_numbers_are_those_worked_out_by_hand(make_items):
    # A cross, and the same turned by a quarter with its top drawn in from 1 to 0 and its bottom
    # drawn in as well: of size sqrt(4) and sqrt(2).
    cross = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    bar = [[0.0, 1.0], [0.0, -1.0], [0.0, 0.0], [0.0, 0.0]]
    before = make_items([4, 3, 2, 1], [50] * 4, factors=cross)
    after = make_items([4, 1, 2, 3], [50] * 4, factors=bar)
    found = measure_drift(before, after, n_neighbours=2)
    # At unit size the cross is c/2 and the bar b/sqrt 2; the singular values of their product
    # are 2/(2 sqrt 2) and 0.
    assert found.alignment == pytest.approx(1 / np.sqrt(2))
    # With a root mean square of 1 the arms of the cross are 1 long and those of the bar sqrt 2.
    expected = {"i0": np.sqrt(2) - 1, "i1": np.sqrt(2) - 1, "i2": 1, "i3": 1}
    assert {i.item_id: i.distance for i in found.items} == pytest.approx(expected)
    assert {i.item_id: i.cosine for i in found.items} == pytest.approx(
        {"i0": 1, "i1": 1, "i2": 0, "i3": 0}, abs=1e-9
    )
    assert {i.item_id: (i.rank_before, i.rank_after) for i in found.items} == {
        "i0": (1, 1),
        "i1": (2, 4),
        "i2": (3, 3),
        "i3": (4, 2),
    }
    # Spearman: 1 - 6 * (0 + 4 + 0 + 4) / (4 * 15)
    assert found.bias_correlation == pytest.approx(0.2)
    assert [(i.item_id, i.rank_change) for i in found.by_rank_change()[:2]] == [
        ("i3", 2),
        ("i1", -2),
    ]


def test_neighbours_that_changed_are_counted(make_items):
    # Two pairs; in the second version they have changed partners.
    pairs = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    before = make_items([0.0] * 4, [50] * 4, factors=pairs)
    after = make_items([0.0] * 4, [50] * 4, factors=pairs[[0, 2, 1, 3]])
    assert measure_drift(before, before, n_neighbours=1).neighbour_overlap == 1
    assert measure_drift(before, after, n_neighbours=1).neighbour_overlap == 0


def test_items_are_matched_by_id_and_need_enough_ratings_in_both(make_items):
    rng = np.random.default_rng(0)
    factors = rng.normal(size=(10, 3))
    before = make_items(np.arange(10), [50] * 9 + [3], factors=factors)
    # Items i0 to i7 alone, of which i0 has hardly any ratings.
    after = make_items(np.arange(8), [3] + [50] * 7, factors=factors[:8])
    found = measure_drift(before, after)
    assert {item.item_id for item in found.items} == {f"i{n}" for n in range(1, 8)}
    assert found.items[0].distance < 1e-5
    assert len(measure_drift(before, after, min_ratings=1).items) == 8


def test_versions_without_enough_in_common_cannot_be_compared(make_items):
    rng = np.random.default_rng(0)
    two = make_items([0.0] * 2, [50] * 2, factors=rng.normal(size=(2, 3)))
    with pytest.raises(NotFoundError, match="2 items in common that have 20 or more ratings"):
        measure_drift(two, two)
    alike = make_items([0.0] * 5, [50] * 5, factors=np.ones((5, 3)))
    with pytest.raises(NotFoundError, match="all alike"):
        measure_drift(alike, alike)
    with pytest.raises(UsageError, match="n_neighbours is 0"):
        measure_drift(alike, alike, n_neighbours=0)


def test_a_network_has_no_ranks(version):
    found = measure_drift(version, changed(version, item_bias=np.zeros(400)))
    assert found.bias_correlation is None
    assert {item.rank_change for item in found.items} == {None}
    assert len(found.by_rank_change()) == 400


def test_the_same_items_are_sampled_each_time(make_items):
    rng = np.random.default_rng(0)
    one, other = (
        make_items([0.0] * 600, [50] * 600, factors=rng.normal(size=(600, 4))) for _ in range(2)
    )
    assert (
        measure_drift(one, other).neighbour_overlap
        == measure_drift(one, other).neighbour_overlap
        > 0
    )

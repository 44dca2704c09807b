from __future__ import annotations

import numpy as np
import pytest

from recsys.analysis.neighbours import nearest_items
from recsys.errors import NotFoundError, UsageError

# Cosines with i0 = (1, 0): i1 (3, 4) 3/5; i2 (4, 3) 4/5; i3 (-2, 0) -1; i4 (5, 0) 1; i5 none.
FACTORS = [[1, 0], [3, 4], [4, 3], [-2, 0], [5, 0], [0, 0]]


def test_nearest_is_by_angle_and_not_by_length(make_items):
    items, catalogue = make_items([0] * 6, [50] * 6, factors=FACTORS)
    near = nearest_items(items, catalogue, "i0", 9)
    assert [row.item_id for row in near] == ["i4", "i2", "i1", "i3"]
    assert [row.cosine for row in near] == pytest.approx([1, 0.8, 0.6, -1])


def test_an_item_is_not_its_own_neighbour_even_with_a_twin(make_items):
    items, catalogue = make_items([0] * 2, [50] * 2, factors=[[1, 1], [1, 1]])
    assert [row.item_id for row in nearest_items(items, catalogue, "i1", 5)] == ["i0"]


def test_items_with_few_ratings_are_nobodys_neighbours(make_items):
    items, catalogue = make_items([0] * 6, [50, 50, 50, 50, 19, 50], factors=FACTORS)
    assert nearest_items(items, catalogue, "i0", 1)[0].item_id == "i2"
    # They have neighbours themselves.
    assert nearest_items(items, catalogue, "i4", 1)[0].item_id == "i0"


def test_an_embedding_of_zero_has_no_neighbours(make_items):
    items, catalogue = make_items([0] * 6, [50] * 6, factors=FACTORS)
    assert nearest_items(items, catalogue, "i5") == ()


def test_cosines_stay_in_range_whatever_the_rounding(make_items):
    factors = np.tile(np.random.default_rng(0).normal(size=30), (40, 1))
    items, catalogue = make_items([0] * 40, [50] * 40, factors=factors)
    assert all(row.cosine <= 1 for row in nearest_items(items, catalogue, "i0", 39))


def test_an_unknown_item_and_a_bad_number_are_named(make_items):
    items, catalogue = make_items([0] * 6, [50] * 6, factors=FACTORS)
    with pytest.raises(NotFoundError, match="'nowhere'"):
        nearest_items(items, catalogue, "nowhere")
    with pytest.raises(UsageError, match="n is 0"):
        nearest_items(items, catalogue, "i0", 0)

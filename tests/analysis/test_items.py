from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.analysis import bias_table, catalogue_of
from recsys.data import IdMap, Ratings


def test_a_title_is_shown_with_its_year_and_an_untitled_item_by_its_id(make_items):
    items, catalogue = make_items([0.1], [30])
    untitled = replace(
        catalogue,
        item_ids=IdMap(["i0"]),
        metadata=replace(catalogue.metadata, titles=(None,), years=(None,)),
    )
    assert bias_table(items, catalogue).best(1)[0].label == "Film 0 (1950)"
    assert bias_table(items, untitled).best(1)[0].label == "item i0"


def test_a_catalogue_counts_and_averages_the_ratings_of_each_item():
    # a: 2 and 5; b: 3; c: none.
    ratings = Ratings(
        "three",
        IdMap(["u", "v"]),
        IdMap(["a", "b", "c"]),
        np.array([0, 0, 1], np.int32),
        np.array([0, 1, 0], np.int32),
        np.array([2, 3, 5], np.float32),
    )
    catalogue = catalogue_of(ratings)
    assert catalogue.n_ratings.tolist() == [2, 1, 0]
    assert catalogue.mean_ratings is not None
    assert np.array_equal(catalogue.mean_ratings, [3.5, 3.0, np.nan], equal_nan=True)
    assert catalogue_of(replace(ratings, values=None)).mean_ratings is None

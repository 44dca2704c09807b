import math
from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DataError, NotFoundError
from recsys.model.newcomers import Newcomers
from recsys.model.snapshot import UserRow
from recsys.serving.folding import Folding
from recsys.serving.person import Person


def takes_newcomers(side, unobserved=0.0):
    newcomers = Newcomers(2.0, 0.0, 1.0, unobserved, np.array([0.25, 0.5], np.float32))
    return replace(side, newcomers=newcomers)


@pytest.fixture
def sides(make_items):
    """Of six items "a" to "f"; "d" has no training ratings."""
    return {
        "rating": takes_newcomers(make_items()),
        "ranking": takes_newcomers(make_items(global_mean=0.0), unobserved=0.1),
    }


@pytest.fixture
def folding(sides):
    return Folding(sides, sides["rating"].item_ids)


def known(rated, values):
    factors = np.array([9, 9], np.float32)
    values = None if values is None else np.array(values, np.float32)
    row = UserRow(factors, 9.0, np.array(rated, np.int32), values)
    return Person({"rating": row, "ranking": row})


def test_a_newcomer_has_a_row_for_each_objective_and_is_known_by_what_they_rated(folding):
    person, unknown = folding.person(["c", "a"], [2.0, 5.0])
    assert unknown == []
    assert list(person.rows) == list(person.folded) == ["rating", "ranking"]
    np.testing.assert_array_equal(person.rated_items, [0, 2])
    np.testing.assert_array_equal(person.rated_values, [5.0, 2.0])
    # Only "a" is liked.
    assert list(person.folded["ranking"].items) == [0]
    for row, folded in zip(person.rows.values(), person.folded.values(), strict=True):
        np.testing.assert_array_equal(row.factors, folded.user_factors)
        assert row.bias == folded.user_bias


def test_unknown_items_are_skipped_and_named(folding):
    person, unknown = folding.person(["zebra", "a", "aardvark"], [1.0, 5.0, math.nan])
    assert unknown == ["zebra", "aardvark"]
    np.testing.assert_array_equal(person.rated_items, [0])


def test_of_an_item_rated_twice_the_last_rating_counts(folding):
    person, _ = folding.person(["a", "b", "a"], [1.0, 3.0, 5.0])
    np.testing.assert_array_equal(person.rated_items, [0, 1])
    np.testing.assert_array_equal(person.rated_values, [5.0, 3.0])


def test_new_ratings_join_replace_and_erase_those_of_a_known_user(folding):
    before = known([0, 1, 4], [1.0, 2.0, 3.0])
    after, _ = folding.person(["f", "a", "b", "c"], [4.0, 5.0, math.nan, math.nan], before)
    alone, _ = folding.person(["a", "e", "f"], [5.0, 3.0, 4.0])
    np.testing.assert_array_equal(after.rated_items, [0, 4, 5])
    np.testing.assert_array_equal(after.rated_values, [5.0, 3.0, 4.0])
    for objective, row in alone.rows.items():
        np.testing.assert_array_equal(after.rows[objective].factors, row.factors)
        assert after.rows[objective].bias == row.bias


def test_an_erased_rating_can_be_given_again(folding):
    person, _ = folding.person(["a", "a"], [math.nan, 4.0], known([0], [1.0]))
    np.testing.assert_array_equal(person.rated_values, [4.0])


def test_items_can_be_chosen_without_ratings(folding):
    person, _ = folding.person(["a", "b"])
    assert person.rated_values is None
    assert list(person.folded["ranking"].items) == [0, 1]
    mixed, _ = folding.person(["b", "c"], [None, 2.0], known([0], None))
    np.testing.assert_array_equal(mixed.rated_values, [np.nan, np.nan, 2.0])
    again, _ = folding.person([], [], mixed)
    np.testing.assert_array_equal(again.rated_values, mixed.rated_values)


def test_ratings_are_brought_within_the_training_scale(folding):
    person, _ = folding.person(["a", "b"], [100.0, -100.0])
    np.testing.assert_array_equal(person.rated_values, [5.0, 0.5])


def test_implicit_feedback_has_no_scale_to_be_brought_within(sides):
    implicit = replace(sides["ranking"], rating_scale=(0.0, 0.0))
    person, _ = Folding({"ranking": implicit}, implicit.item_ids).person(["a", "b"], [4.0, 1.0])
    assert list(person.folded["ranking"].items) == [0]


def test_an_infinite_rating_is_refused(folding):
    with pytest.raises(DataError, match="not a finite number; found inf"):
        folding.person(["a"], [math.inf])


def test_somebody_without_ratings_is_nobody_in_particular(folding):
    person, unknown = folding.person([])
    assert unknown == []
    assert len(person.rated_items) == 0
    for row in person.rows.values():
        np.testing.assert_array_equal(row.factors, [0, 0])
        assert row.bias == 0


def test_a_version_that_takes_no_newcomers_says_what_to_do(sides):
    sides["rating"] = replace(sides["rating"], newcomers=None)
    with pytest.raises(NotFoundError, match="train a new version: recsys train"):
        Folding(sides, sides["rating"].item_ids)

from __future__ import annotations

import numpy as np

from recsys.analysis.people import draw_users, favourites
from recsys.data import IdMap, Ratings


def few(users, items, values):
    return Ratings(
        "few",
        IdMap(["a", "b", "c"]),
        IdMap(["w", "x", "y", "z"]),
        users=np.array(users, np.int32),
        items=np.array(items, np.int32),
        values=None if values is None else np.array(values, np.float32),
    )


def test_favourites_are_the_best_rated_and_of_equals_the_most_popular():
    # Of user 0's 5 stars item 2 has two ratings and item 1 one; item 3 has 4 stars.
    ratings = few([0, 0, 0, 1, 1], [1, 2, 3, 0, 2], [5, 5, 4, 3, 5])
    assert ratings.items[favourites(ratings, 0, 10)].tolist() == [2, 1, 3]
    assert ratings.items[favourites(ratings, 0, 2)].tolist() == [2, 1]


def test_without_stars_favourites_are_the_most_popular():
    ratings = few([0, 0, 1, 2, 2], [0, 1, 1, 1, 0], None)
    assert ratings.items[favourites(ratings, 0, 10)].tolist() == [1, 0]
    assert favourites(few([0], [0], None), 2, 10).tolist() == []


def test_only_users_who_liked_enough_are_drawn_each_once():
    # User 0 likes two items, user 1 one, user 2 two; what has 3 stars is not liked.
    ratings = few([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 2, 3], [4, 5, 4, 3, 5, 5])
    assert draw_users(ratings, 9, np.random.default_rng(0), min_liked=2).tolist() == [0, 2]
    one = {int(draw_users(ratings, 1, np.random.default_rng(n), 2)[0]) for n in range(20)}
    assert one == {0, 2}
    assert draw_users(ratings, 9, np.random.default_rng(0)).tolist() == []

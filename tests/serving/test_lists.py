import numpy as np
import pytest

from recsys.serving.lists import ListOrder

KNOWN = np.array([44, 33, 11, 3, 2, 33], dtype=np.int32)


def test_ranking_scores_are_taken_as_they_are_and_stars_shrunk(make_items, make_user):
    side, user = make_items(), make_user([1, 0], bias=0.5)
    ranking, rating = (ListOrder(name, side, KNOWN) for name in ("ranking", "rating"))
    np.testing.assert_array_equal(ranking.scores(user), side.scores(user.factors, user.bias))
    np.testing.assert_array_equal(rating.scores(user), side.list_scores(user.factors, user.bias))


def test_the_trust_in_an_item_is_what_its_list_score_has_of_its_own(make_items, make_user):
    # c has 10 training ratings: 10 / (10 + 10).
    side, user = make_items(), make_user([1, 0], bias=0.5)
    rating = ListOrder("rating", side, KNOWN)
    assert rating.trust(2) == 0.5
    assert rating.scores(user)[2] == pytest.approx(3.5 + 0.5 * 2)
    assert ListOrder("ranking", side, KNOWN).trust(2) == 1


def test_an_item_without_training_ratings_is_not_listed(make_items):
    listed = ListOrder("rating", make_items(), KNOWN).listed
    assert listed.tolist() == [True, True, True, False, True, True]


def test_the_dial_moves_scores_by_known_ratings(make_items, make_user):
    order, user = ListOrder("ranking", make_items(), KNOWN), make_user([0, 0])
    up, down = (order.scores(user, dial) - order.scores(user) for dial in (1, -1))
    np.testing.assert_allclose(up, -down, atol=1e-6)
    assert up[0] > up[1] > up[2] > up[4]

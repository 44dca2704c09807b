from math import nan

import numpy as np
import pytest

from recsys.data import IdMap
from recsys.data.synthetic import synthetic_ratings
from recsys.evaluation.evaluate import Evaluation
from recsys.evaluation.gate import judge, share_still_there
from recsys.evaluation.user_metric import UserMetric

N_USERS = 40
EVERYBODY = np.ones(N_USERS, bool)


def scored(squared_error=None, ndcg=None):
    """An evaluation by each user's mean squared error and nDCG."""
    by_user = {}
    if squared_error is not None:
        by_user["rmse"] = UserMetric(np.asarray(squared_error, float), np.ones(N_USERS), True)
    if ndcg is not None:
        by_user["ndcg@10"] = UserMetric.mean(np.asarray(ndcg, float), EVERYBODY)
    return Evaluation(by_user, nan, 10, N_USERS, 0, 0)


def everybody(value):
    return np.full(N_USERS, value)


def by_chance(value, behind):
    """Half of the users far above the value and half far below it, ``behind`` on average."""
    return value + behind + np.where(np.arange(N_USERS) % 2, 0.3, -0.3)


CHAMPION = scored(everybody(0.64), everybody(0.5))  # RMSE .8


def test_a_difference_is_the_new_value_less_the_champions_with_its_paired_interval():
    found = judge(scored(everybody(0.81), everybody(0.4)), CHAMPION, same_ratings=True)
    stars, lists = found.against["rmse"], found.against["ndcg@10"]
    # sqrt(.81) - sqrt(.64) = .1 for whichever users are drawn
    assert stars.difference == pytest.approx(0.1)
    assert (stars.value, stars.champion) == pytest.approx((0.9, 0.8))
    assert tuple(stars.interval) == pytest.approx((0.1, 0.1))
    assert lists.difference == pytest.approx(-0.1)
    assert found.worse == ["rmse", "ndcg@10"]


@pytest.mark.parametrize("same_ratings", [True, False])
@pytest.mark.parametrize(
    ("new", "worse"),
    [
        (scored(everybody(0.65), everybody(0.5)), "rmse"),
        (scored(everybody(0.64), everybody(0.49)), "ndcg@10"),
        (scored(everybody(0.36), everybody(0.49)), "ndcg@10"),  # much better stars do not help
        (scored(everybody(0.65), everybody(0.9)), "rmse"),
    ],
)
def test_what_is_demonstrably_worse_in_stars_or_lists_is_refused(new, worse, same_ratings):
    found = judge(new, CHAMPION, same_ratings=same_ratings)
    assert found.worse == [worse]
    assert not found.may_promote


@pytest.mark.parametrize(
    "new",
    [
        scored(by_chance(0.64, 0.01), everybody(0.5)),
        scored(everybody(0.64), by_chance(0.5, -0.01)),
        scored(by_chance(0.64, 0.01), by_chance(0.5, -0.01)),
    ],
)
def test_what_is_behind_by_chance_is_promoted_only_if_it_learned_from_other_ratings(new):
    assert judge(new, CHAMPION, same_ratings=False).may_promote
    refused = judge(new, CHAMPION, same_ratings=True)
    assert (refused.worse, refused.may_promote) == ([], False)
    assert refused.pointless == [name for name, of in refused.against.items() if of.is_worse]


def test_of_the_same_ratings_a_demonstrably_better_metric_makes_up_for_chance_in_the_other():
    found = judge(
        scored(everybody(0.6), by_chance(0.5, -0.01)), CHAMPION, same_ratings=True
    )  # fmt: skip
    assert (found.better, found.worse, found.pointless) == (["rmse"], [], [])
    assert found.may_promote


def test_equal_is_not_worse_and_not_better():
    found = judge(CHAMPION, CHAMPION, same_ratings=True)
    assert (found.better, found.worse, found.pointless) == ([], [], [])
    assert found.may_promote


def test_ahead_by_chance_is_not_worse():
    new = scored(by_chance(0.64, -0.01), by_chance(0.5, 0.01))
    found = judge(new, CHAMPION, same_ratings=True)
    assert (found.better, found.may_promote) == ([], True)


def test_stars_of_one_alone_are_not_compared_and_must_not_be_lost():
    lists = scored(ndcg=everybody(0.5))
    lost = judge(lists, CHAMPION, same_ratings=False)
    assert list(lost.against) == ["ndcg@10"]
    assert (lost.lacks_stars, lost.may_promote) == (True, False)
    won = judge(CHAMPION, lists, same_ratings=False)
    assert (won.lacks_stars, won.may_promote) == (False, True)


def test_without_anything_to_compare_nothing_is_promoted():
    found = judge(scored(), scored(), same_ratings=False)
    assert (dict(found.against), found.may_promote) == ({}, False)


def test_lists_without_a_relevant_item_are_not_compared():
    nobody = UserMetric(np.zeros(N_USERS), np.zeros(N_USERS))
    strict = Evaluation({"ndcg@10": nobody}, nan, 10, N_USERS, 0, 0)
    assert dict(judge(strict, strict, same_ratings=True).against) == {}


def test_the_champions_users_are_looked_for_by_their_ids():
    ratings, _ = synthetic_ratings(4, 10, 12, 1, 0.1, np.random.default_rng(0))
    known = list(ratings.user_ids)
    assert share_still_there(ratings, IdMap([*known, "x", "y", "z", "w"])) == 0.5
    assert share_still_there(ratings, IdMap(known[:1])) == 1

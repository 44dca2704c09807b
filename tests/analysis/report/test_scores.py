from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.analysis.report.scores import OURS, score_version
from recsys.data.split import held_out
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.lists import recommend_lists
from recsys.model.baselines import damped_bias, ease
from recsys.model.served import Served


@pytest.fixture(scope="module")
def parts(make_version):
    snapshots, ratings = make_version()
    is_test = held_out(ratings)
    return snapshots, ratings, ratings.select(~is_test), ratings.select(is_test)


@pytest.fixture(scope="module")
def scores(parts):
    snapshots, ratings, _, _ = parts
    return score_version(snapshots, ratings)


def test_each_score_is_that_of_the_evaluation_on_the_ratings_held_out(parts, scores):
    snapshots, _, train, test = parts
    for name, predictor in (
        (OURS, Served.of(snapshots)),
        ("user and item biases", damped_bias(train)),
        ("EASE", ease(train)),
    ):
        known = evaluate(predictor, train, test).scores()
        np.testing.assert_equal(scores.comparison.scores(name), known)


def test_lists_are_compared_with_what_orders_lists_and_stars_with_what_predicts_them(scores):
    assert scores.make_lists == (OURS, "most rated items", "EASE")
    assert scores.predict_stars == (OURS, "global mean", "item mean", "user and item biases")


def test_shares_are_of_the_items_in_the_order_of_their_ratings(parts, scores):
    snapshots, _, train, test = parts
    counts = np.bincount(train.items, minlength=train.n_items)
    order = np.argsort(-counts, kind="stable")
    users = np.unique(test.users[test.values >= 4])
    lists = recommend_lists(Served.of(snapshots), train, users, 10)
    # By hand: which share of all places the most rated item has, and the three most rated.
    for n in (1, 3):
        expected = np.isin(lists, order[:n]).sum() / (lists >= 0).sum()
        assert scores.shares[OURS][n - 1] == pytest.approx(expected)
        own = train.items[np.isin(train.users, users)]
        assert scores.shares[""][n - 1] == pytest.approx(np.isin(own, order[:n]).mean())
    for share in scores.shares.values():
        assert share[-1] == pytest.approx(1)
        assert (np.diff(share) >= 0).all()


def test_a_version_that_saw_what_is_held_out_is_not_scored(parts):
    (snapshot,), ratings, _, _ = parts
    all_counts = np.bincount(ratings.items, minlength=ratings.n_items).astype(np.int32)
    cheated = replace(snapshot, items=replace(snapshot.items, item_counts=all_counts))
    assert score_version([cheated], ratings) is None


def test_without_a_held_out_rating_nothing_is_scored(parts):
    (snapshot,), _, train, _ = parts
    assert score_version([snapshot], train) is None


def test_progress_is_told_in_lists_of_all_predictors(parts, scores):
    snapshots, ratings, _, _ = parts
    told = []
    score_version(snapshots, ratings, lambda *n: told.append(n))
    n_lists = 6 * scores.n_list_users
    assert set(told) == {(n_lists * n // 6, n_lists) for n in range(1, 7)}
    assert told == sorted(told)


def test_a_baseline_that_the_data_is_too_large_for_is_left_out_with_its_reason(parts, monkeypatch):
    monkeypatch.setattr("recsys.model.ease.MOST_ROWS", 39)  # 40 users, 60 items
    snapshots, ratings, _, _ = parts
    scores = score_version(snapshots, ratings)
    assert "EASE" not in scores.comparison.names
    assert "dense matrix of 40 rows" in scores.left_out["EASE"]

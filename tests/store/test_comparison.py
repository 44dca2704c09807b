from __future__ import annotations

import pytest

from recsys import store
from recsys.store import MetricPair


@pytest.fixture
def save_with(engine, ratings, make_snapshot):
    """Return a function that stores a version of one snapshot or more, made with these options."""

    def save(*options, of=ratings):
        data_set_id = store.save_data_set(engine, of)
        made = [make_snapshot(of, **each) for each in options]
        return store.get_version(engine, store.save_version(engine, data_set_id, made))

    return save


def test_metrics_stand_side_by_side_and_settings_where_they_differ(save_with):
    before = save_with({"metrics": {"rmse": 1.0, "mae": 0.5}, "hyperparameters": {"a": 1, "b": 2}})
    after = save_with(
        {"metrics": {"rmse": 0.75, "mae": None, "ndcg": 0.1}, "hyperparameters": {"a": 1, "c": [3]}}
    )
    compared = store.compare_versions(before, after)
    (pair,) = compared.objectives
    assert compared.same_ratings
    assert pair.metrics == {
        "rmse": MetricPair(1.0, 0.75, -0.25),
        "mae": MetricPair(0.5, None, None),
        "ndcg": MetricPair(None, 0.1, None),
    }
    assert pair.settings == {"b": (2, None), "c": (None, [3])}


def test_other_ratings_are_another_test(save_with, ratings):
    before = save_with({})
    after = save_with({}, of=ratings.select(ratings.values > 1))
    compared = store.compare_versions(before, after)
    assert not compared.same_ratings
    assert compared.objectives[0].metrics == {"rmse": MetricPair(0.9, 0.9, None)}


def test_only_what_both_versions_have_is_compared(save_with):
    rating, ranking = {"objective": "rating"}, {"objective": "ranking"}
    before, after = save_with(rating, ranking), save_with({**rating, "seed": 1})
    assert [p.objective for p in store.compare_versions(before, after).objectives] == ["rating"]
    other = save_with(ranking)
    assert store.compare_versions(after, other).objectives == ()


def test_the_same_parameters_are_told(save_with):
    versions = [save_with({"seed": seed}) for seed in (1, 1, 2)]
    told = [store.compare_versions(versions[0], v).objectives[0].is_same for v in versions[1:]]
    assert told == [True, False]

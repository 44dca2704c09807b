import json

import numpy as np
import pytest

from benchmarks import fold_in
from recsys.data import IdMap, Ratings
from recsys.data.synthetic import synthetic_ratings


@pytest.fixture
def ratings():
    found, _ = synthetic_ratings(120, 120, 6000, 2, 0.3, np.random.default_rng(0))
    return found


def test_newcomers_are_a_seeded_tenth_of_those_with_ratings_enough(ratings):
    newcomers = fold_in.draw_newcomers(ratings, 0)
    n_ratings = np.bincount(ratings.users, minlength=ratings.n_users)
    assert len(newcomers) == int(0.1 * np.count_nonzero(n_ratings >= 40))
    assert n_ratings[newcomers].min() >= 40
    np.testing.assert_array_equal(newcomers, fold_in.draw_newcomers(ratings, 0))
    assert list(newcomers) != list(fold_in.draw_newcomers(ratings, 1))


@pytest.mark.parametrize(
    ("timestamps", "expected"),
    [([30, 7, 20, 10, 5], [2, 1, 1, 0, 0]), (None, [0, 0, 1, 2, 1])],
)
def test_first_ratings_are_first_by_time_or_as_they_stand(timestamps, expected):
    ratings = Ratings(
        "few",
        IdMap("ab"),
        IdMap("vwxyz"),
        users=np.array([0, 1, 0, 0, 1], np.int32),
        items=np.array([0, 1, 2, 3, 4], np.int32),
        values=np.ones(5, np.float32),
        timestamps=None if timestamps is None else np.array(timestamps),
    )
    np.testing.assert_array_equal(fold_in.turns(ratings), expected)


def test_more_ratings_help_and_the_table_and_the_object_tell_the_same(ratings, monkeypatch, capsys):
    monkeypatch.setattr(fold_in, "read_ratings", lambda _: ratings)
    rows = list(fold_in.measure(ratings, fold_in.draw_newcomers(ratings, 0), n_epochs=10, seed=0))
    assert [row.n_ratings for row in rows] == [5, 10, 20]
    assert rows[2].folded["rmse"] < rows[0].folded["rmse"] < rows[0].nothing["rmse"]
    # Nothing known is nothing known, whatever was left out of the lists.
    assert len({row.nothing["rmse"] for row in rows}) == 1

    monkeypatch.setattr(fold_in, "measure", lambda *_, **__: iter(rows))
    code = fold_in.main(["--data", "made up"])
    printed = capsys.readouterr().out
    assert fold_in.main(["--data", "made up", "--json"]) == code
    told = json.loads(capsys.readouterr().out)["data"][ratings.name]
    assert code == (0 if told["reached"] else 1)
    for row in told["rows"]:
        for way in ("nothing", "folded", "full"):
            assert f"{row[way]['rmse']:.4f}" in printed
            assert f"{row[way]['ndcg@10']:.3f}" in printed


@pytest.mark.parametrize(
    ("rmse", "ndcg", "reached"),
    [(0.91, 0.38, True), (0.9101, 0.38, False), (0.90, 0.379, False), (0.8, 0.5, True)],
)
def test_the_goal_is_of_both_stars_and_lists(rmse, ndcg, reached):
    full = {"rmse": 0.9, "ndcg@10": 0.4}
    row = fold_in.Row(20, full, {"rmse": rmse, "ndcg@10": ndcg}, full)
    assert row.is_reached is reached

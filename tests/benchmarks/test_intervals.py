import json

import numpy as np
import pytest

from benchmarks import intervals
from recsys.data.synthetic import synthetic_ratings
from recsys.evaluation.protocols import Parts


@pytest.fixture
def parts(monkeypatch):
    """Two halves of a set with noise of .3 stars, in place of the embedded set's folds."""
    ratings, _ = synthetic_ratings(300, 80, 9000, 2, 0.3, np.random.default_rng(0))
    is_first = np.random.default_rng(1).random(9000) < 0.5
    halves = [Parts(ratings.select(mask), ratings.select(~mask)) for mask in (is_first, ~is_first)]
    monkeypatch.setattr(intervals, "seeded_folds", lambda _, seed: halves)
    return halves


def test_new_ratings_are_held_about_as_often_as_stated(parts, tmp_path, capsys):
    assert intervals.main(["--data", str(tmp_path), "--json"]) in (0, 1)
    printed = capsys.readouterr()
    assert "ML-100k is left out" in printed.err
    told = json.loads(printed.out)
    assert list(told["reached"]) == ["the embedded set, five folds"]
    for level, of in told["intervals"]["the embedded set, five folds"].items():
        # Calibrated on some 450 ratings: at 50 % good to .024, one standard deviation.
        assert of["coverage"] == pytest.approx(float(level.rstrip("%")) / 100, abs=0.07)
        for name in intervals.BY:
            assert np.mean(of[name]) == pytest.approx(of["coverage"], abs=1e-3)


def test_the_table_has_a_line_for_each_level(parts, tmp_path, capsys):
    intervals.main(["--data", str(tmp_path), "--seed", "1"])
    printed = capsys.readouterr().out
    levels = [line.split()[0] for line in printed.splitlines() if "%" in line.split(" ")[0]]
    assert levels == ["50%", "80%", "90%", "95%"]


@pytest.mark.parametrize(
    ("coverage", "popularity", "reached"),
    [
        (0.80, [0.76, 0.80, 0.84], True),
        (0.77, [0.76, 0.77, 0.78], False),
        (0.80, [0.74, 0.80, 0.84], False),
        (0.81, [0.80, 0.80, 0.86], False),
    ],
)
def test_the_goal_is_of_all_ratings_and_of_each_third_of_popularity(coverage, popularity, reached):
    of = {"80%": {"coverage": coverage, "popularity": popularity}}
    assert intervals.is_reached(of) is reached

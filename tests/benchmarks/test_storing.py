from __future__ import annotations

import json

import numpy as np

from benchmarks import storing


def test_both_write_in_turns_and_the_ratio_is_that_of_the_medians(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    storing.main(["--users", "30", "--items", "20", "--n-factors", "4", "--turns", "3", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert {name: len(of) for name, of in told["all_seconds"].items()} == {
        "sqlite3": 3,
        "recsys": 3,
    }
    expected = np.median(told["all_seconds"]["recsys"]) / np.median(told["all_seconds"]["sqlite3"])
    np.testing.assert_allclose(told["ratio"], expected)
    assert list(tmp_path.iterdir()) == []


def test_every_user_and_item_has_a_rating_and_implicit_vectors_are_stored():
    ratings, snapshot = storing.make(7, 12, 3, np.random.default_rng(0))
    assert np.bincount(ratings.users).tolist() == [2, 2, 2, 2, 2, 1, 1]
    assert np.bincount(ratings.items).tolist() == [1] * 12
    assert snapshot.items.newcomers.item_implicit.shape == (12, 3)

import json

import numpy as np

from benchmarks import defaults
from recsys.data.readers import read_ratings
from recsys.data.split import held_out
from recsys.data.synthetic import synthetic_ratings


def pairs(ratings):
    raw = zip(ratings.users.tolist(), ratings.items.tolist(), strict=True)
    return {(ratings.user_ids[user], ratings.item_ids[item]) for user, item in raw}


def test_no_rating_that_is_held_out_for_good_is_in_the_data(tmp_path):
    embedded = read_ratings()
    secret = pairs(embedded.select(held_out(embedded)))
    found = dict(defaults.data_sets(["quarter", "whole"], tmp_path, seed=0))
    assert list(found) == ["embedded / 4", "embedded"]
    quarter, whole = found.values()
    assert (quarter.n_users, whole.n_users) == (671 // 4, 671)
    assert pairs(quarter) < pairs(whole)
    assert not secret & pairs(whole)
    # All of a chosen user's ratings, so that users are as active as in the whole.
    counts = dict(zip(whole.user_ids, np.bincount(whole.users), strict=True))
    chosen = dict(zip(quarter.user_ids, np.bincount(quarter.users), strict=True))
    assert all(counts[user] == n for user, n in chosen.items())


def run(capsys, *more):
    assert defaults.main(["--trials", "3", *more]) == 0
    return capsys.readouterr().out


def test_the_best_is_shown_beside_the_defaults_and_scored_again_elsewhere(
    tmp_path, capsys, monkeypatch
):
    small = synthetic_ratings(150, 60, 3000, 3, 0.5, np.random.default_rng(0))[0]
    monkeypatch.setattr(defaults, "data_sets", lambda *_: iter([("small", small)]))
    keep = ("--keep", str(tmp_path / "trials.db"))
    found = json.loads(run(capsys, *keep, "--json"))["found"]
    assert list(found) == ["rating", "ranking"]
    for of in (by_data["small"] for by_data in found.values()):
        assert (of["n_ratings"], of["n_trials"]) == (3000, 3)
        assert of["gain"]["value"] == of["scores"]["best"] - of["scores"]["defaults"]
        assert of["elsewhere"]["low"] <= of["elsewhere"]["value"] <= of["elsewhere"]["high"]
    assert (
        found["rating"]["small"]["scores"]["best"] <= found["rating"]["small"]["scores"]["defaults"]
    )

    lines = run(capsys, *keep, "--objectives", "ranking").splitlines()  # nothing is searched again
    assert max(map(len, lines)) <= 80
    (row,) = [line for line in lines if line.startswith("unobserved")]
    values = found["ranking"]["small"]["hyperparameters"]["unobserved"]
    assert row.split()[1:] == [f"{values[0]:.3g}", ">", f"{values[1]:.3g}"]

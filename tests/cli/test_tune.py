import csv
import shlex
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imread

from recsys.data.readers import read_ratings
from recsys.data.split import held_out
from recsys.training import tune as tune_module

SMALL = ("--n-factors", 4, "--n-epochs", 8)


@pytest.fixture
def tune(done, shop):
    """Search the shop's ratings."""

    def run(*arguments):
        return done("tune", "--data", shop, *SMALL, *arguments)

    return run


def without_seconds(trials):
    return [{key: value for key, value in trial.items() if key != "seconds"} for trial in trials]


def test_the_table_has_the_defaults_and_the_best_and_ends_with_the_line_to_type(tune, done, shop):
    told = tune("--trials", 4)
    headers, more, _, *rows = told.out.splitlines()[:7]
    assert (headers.split(), more.split()) == (
        ["trial", "rmse", "lr", "reg", "reg", "reg", "n", "init"],
        ["bias", "implicit", "prior", "std"],
    )
    assert rows[0].split()[0] == "0"
    assert max(map(len, told.out.splitlines()[:10])) <= 80
    assert "4 trials: 4 complete, 0 pruned, 0 diverged. Trial 0 is the defaults." in told.out

    found = tune("--trials", 4, "--json").json
    line = told.out.splitlines()[-1].strip()
    assert line == found["command"]
    trained = done(*shlex.split(line)[1:], "--json").json["hyperparameters"]["rating"]
    best = found["best"]["hyperparameters"]
    assert {name: trained[name] for name in best} == best
    assert (trained["n_factors"], trained["n_epochs"]) == (4, 8)


def test_the_same_command_goes_on(tune, home):
    first = tune("--trials", 2, "--json").json
    more = tune("--trials", 3)
    assert "2 of 3 trials are done already" in more.err
    three = tune("--trials", 3, "--json").json
    assert three["trials"][:2] == first["trials"]
    assert len(three["trials"]) == 3
    assert three["study"] == first["study"]
    assert (home / "var" / "tune.db").exists()


def test_the_json_tells_of_every_trial_and_of_the_gain(tune):
    found = tune("--trials", 3, "--json").json
    assert (found["data"], found["objective"], found["metric"]) == ("shop.csv", "rating", "rmse")
    assert found["fixed"] == {"objective": "rating", "n_factors": 4, "n_epochs": 8}
    assert [trial["trial"] for trial in found["trials"]] == [0, 1, 2]
    assert found["best"] in found["trials"]
    assert found["best"]["score"] == min(trial["score"] for trial in found["trials"])
    gain = found["best"]["score"] - found["trials"][0]["score"]
    assert found["gain"]["value"] == pytest.approx(gain)
    assert found["gain"]["low"] <= gain <= found["gain"]["high"]


def test_held_out_ratings_are_never_looked_at(tune, shop, home):
    """Whatever stars they have, the search is the same to the last digit."""
    before = tune("--trials", 3, "--json").json
    ratings = read_ratings(shop)
    is_held_out = held_out(ratings)
    with shop.open() as file:
        header, *rows = csv.reader(file)
    for position in np.flatnonzero(is_held_out):
        rows[position][header.index("rating")] = "1"
    assert is_held_out.sum() > 50
    with shop.open("w") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    changed = read_ratings(shop)
    assert np.array_equal(changed.values != ratings.values, is_held_out & (ratings.values != 1))

    (home / "var" / "tune.db").unlink()
    after = tune("--trials", 3, "--json").json
    assert without_seconds(after["trials"]) == without_seconds(before["trials"])
    assert (after["study"], after["gain"]) == (before["study"], before["gain"])


def test_no_held_out_pair_reaches_training_or_scoring(tune, shop, monkeypatch):
    ratings = read_ratings(shop)
    secret = pairs(ratings.select(held_out(ratings)))
    seen = []
    for name in ("fit_snapshot", "evaluate"):
        monkeypatch.setattr(tune_module, name, watched(getattr(tune_module, name), seen))
    found = tune("--trials", 2, "--json").json
    assert {part.n_ratings for part in seen} == {found["n_train"], found["n_validation"]}
    looked_at = set().union(*map(pairs, seen))
    assert looked_at == pairs(ratings) - secret


def watched(function, seen):
    def call(*arguments, **named):
        for value in (*arguments, *named.values()):
            if hasattr(value, "n_ratings"):
                seen.append(value)
        return function(*arguments, **named)

    return call


def pairs(ratings):
    return set(zip(ratings.users.tolist(), ratings.items.tolist(), strict=True))


def test_all_of_a_training_file_is_searched_on(done, shop):
    found = done("tune", "--train", shop, *SMALL, "--trials", 1, "--json").json
    assert found["n_train"] + found["n_validation"] == read_ratings(shop).n_ratings
    assert found["command"] == (
        f"recsys evaluate --train {shop} --test TEST --objective rating --n-factors 4 --n-epochs 8"
    )


def test_lists_are_searched_too_and_a_named_study_is_not_mixed_up(tune, recsys, shop):
    lists = ("--objective", "ranking", "--trials", 2, "--study", "lists")
    found = tune(*lists, "--json").json
    assert (found["study"], found["metric"]) == ("lists", "ndcg@10")
    assert found["command"].startswith(f"recsys train --data {shop} --objective ranking ")
    other = recsys("tune", "--data", shop, *lists, "--n-factors", 5)
    assert other.code == 2
    assert "the study 'lists' is of other settings" in other.err


def test_the_plot_is_written(tune, home):
    told = tune("--trials", 2, "--plot", "search.png")
    assert "the search is drawn in search.png" in told.err
    assert imread(home / "search.png").std() > 0.05


def test_interrupted_it_shows_what_is_finished_and_goes_on_the_next_time(tune, monkeypatch):
    fit = tune_module.fit_snapshot
    calls = []

    def interrupted_the_third_time(*arguments, **named):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return fit(*arguments, **named)

    monkeypatch.setattr(tune_module, "fit_snapshot", interrupted_the_third_time)
    told = tune("--trials", 4)
    assert "stopped; the same command goes on after 2 trials" in told.err
    assert "2 trials: 2 complete" in told.out
    assert "2 of 4 trials are done already" in tune("--trials", 4).err
    assert len(calls) == 5


def test_what_cannot_be_done_is_said(recsys, shop, monkeypatch):
    both = recsys("tune", "--data", shop, "--train", shop)
    assert (both.code, "give one" in both.err) == (2, True)
    diverged = recsys("tune", "--data", shop, *SMALL, "--lr", 1e9, "--trials", 1)
    assert diverged.code == 1
    assert "none of 1 trials came to a score" in diverged.err
    refused = recsys("tune", "--data", shop, "--objective", "ranking", "--reg-bias", 1)
    assert refused.code == 2
    assert "reg_bias is a setting of the objective rating" in refused.err


def test_without_optuna_it_says_what_to_install(recsys, shop, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "optuna"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("recsys.training.tune", "recsys.training.study"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    failed = recsys("tune", "--data", shop)
    assert (failed.code, failed.out) == (1, "")
    assert failed.err == (
        "Error: recsys tune needs Optuna, which is not installed: pip install 'recsys[tune]'\n"
    )


def test_the_help_of_all_commands_loads_no_optuna(home):
    program = (
        "import sys; from recsys.cli import main; main(['--help'], standalone_mode=False);"
        "sys.exit('optuna' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=home)
    assert (ran.returncode, ran.stderr) == (0, "")

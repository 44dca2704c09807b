import sqlite3
from dataclasses import replace

import numpy as np
import optuna
import pytest

from recsys.errors import DataError, StoreError, UsageError
from recsys.evaluation.comparison import Comparison
from recsys.evaluation.evaluate import evaluate
from recsys.model.served import Served
from recsys.training import tune
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.search_parts import SearchParts, cut_validation
from recsys.training.study import open_study
from recsys.training.tune import Search

SMALL = {"n_factors": 4, "n_epochs": 10}


@pytest.fixture(scope="module")
def parts(ratings):
    return cut_validation(ratings, seed=0)


@pytest.fixture(scope="module")
def whole(parts):
    """A search of twelve trials that was never stopped."""
    search = Search(parts, SMALL)
    search.run(12)
    return search


def told(search):
    """Everything of the trials but how long they took."""
    return [replace(trial, seconds=0).__dict__ for trial in search.trials]


def scored(parts, settings):
    return evaluate(Served.of([fit_snapshot(parts.train, settings)]), *parts)


def test_the_first_trial_is_the_defaults_scored_after_all_their_epochs(parts, whole):
    defaults = Hyperparameters.choose(parts.train, early_stopping=0, **SMALL)
    first = whole.trials[0]
    assert first.hyperparameters == defaults.as_dict()
    assert first.score == scored(parts, defaults).rmse


def test_trials_are_of_other_settings_each_and_keep_what_is_fixed(whole):
    assert set(whole.space) == {"lr", "reg", "reg_bias", "reg_implicit", "n_prior", "init_std"}
    searched = {tuple(t.hyperparameters[name] for name in whole.space) for t in whole.trials}
    assert len(searched) == 12
    for trial in whole.trials:
        assert (trial.hyperparameters["n_factors"], trial.hyperparameters["n_epochs"]) == (4, 10)


def test_the_best_comes_first_and_what_fell_behind_has_no_score(whole):
    scores = [trial.score for trial in whole.ranked]
    assert scores == sorted(scores)
    given_up = [trial for trial in whole.trials if trial.outcome == "pruned"]
    assert given_up
    assert all(trial.score is None for trial in given_up)
    assert len(scores) + len(given_up) == 12


def test_a_search_that_went_on_has_the_same_trials_as_one_that_was_never_stopped(
    parts, whole, tmp_path
):
    path = tmp_path / "tune.db"
    Search(parts, SMALL, path).run(2)
    again = Search(parts, SMALL, path)
    assert told(again) == told(whole)[:2]
    again.run(12)
    assert told(again) == told(whole)
    again.run(12)
    assert len(again.trials) == 12


def test_what_was_killed_or_interrupted_counts_for_nothing(parts, whole, tmp_path, monkeypatch):
    path = tmp_path / "tune.db"
    search = Search(parts, SMALL, path)
    for n_before in (0, 3):
        search.run(n_before)
        # A killed process leaves a trial that runs for ever.
        study = open_study(path, search.study, "minimize")
        study.ask({"lr": optuna.distributions.FloatDistribution(0.25, 4, log=True)})
        with monkeypatch.context() as patched:
            patched.setattr(tune, "fit_snapshot", interrupt)
            with pytest.raises(KeyboardInterrupt):
                search.run(12)
        assert told(search) == told(whole)[:n_before]
    search = Search(parts, SMALL, path)
    search.run(7)
    assert told(search) == told(whole)[:7]


def interrupt(*_, **__):
    raise KeyboardInterrupt


def test_another_seed_is_another_search(ratings, whole):
    fixed = {**SMALL, "seed": 1}
    other = Search(cut_validation(ratings, seed=1), fixed)
    other.run(2)
    assert other.study != whole.study
    assert [t.hyperparameters["lr"] for t in other.trials] != [
        t.hyperparameters["lr"] for t in whole.trials[:2]
    ]


def test_lists_are_searched_by_their_ndcg_the_higher_the_better(parts):
    search = Search(parts, {"objective": "ranking", "n_factors": 4})
    search.run(3)
    assert set(search.space) == {"unobserved", "n_epochs", "lr", "reg"}
    first = search.trials[0]
    defaults = Hyperparameters.choose(parts.train, objective="ranking", n_factors=4)
    assert first.score == scored(parts, defaults).scores()["ndcg@10"]
    scores = [trial.score for trial in search.ranked]
    assert scores == sorted(scores, reverse=True)
    assert search.gain().value == scores[0] - first.score >= 0


def test_the_gain_is_paired_as_in_any_comparison(parts, whole):
    compared = Comparison()
    settings = {
        name: Hyperparameters(**trial.hyperparameters)
        for name, trial in (("best", whole.ranked[0]), ("defaults", whole.trials[0]))
    }
    compared.add({name: scored(parts, chosen) for name, chosen in settings.items()})
    expected = compared.differences("best", "defaults")["rmse"]
    assert whole.gain().value == pytest.approx(expected.value, abs=1e-12)
    # What is kept of each resample has six decimals.
    assert whole.gain().interval == pytest.approx(expected.interval, abs=2e-6)


def test_a_training_that_diverges_is_a_trial_that_came_to_nothing(parts):
    search = Search(parts, {**SMALL, "lr": 1e9})
    search.run(2)
    assert [trial.outcome for trial in search.trials] == ["diverged", "diverged"]
    assert search.ranked == []


def test_a_search_is_not_begun_when_its_time_is_over(parts):
    search = Search(parts, SMALL)
    search.run(5, seconds=0)
    assert search.trials == []


def test_only_what_trials_are_cut_from_is_in_the_parts(ratings):
    parts = cut_validation(ratings, seed=0)
    assert (parts.train.n_ratings, parts.validation.n_ratings) == (1080, 120)  # of 1,200
    pairs = [set(zip(part.users.tolist(), part.items.tolist(), strict=True)) for part in parts]
    assert not pairs[0] & pairs[1]
    assert pairs[0] | pairs[1] == set(
        zip(ratings.users.tolist(), ratings.items.tolist(), strict=True)
    )
    assert not np.array_equal(parts.validation.users, cut_validation(ratings, 1).validation.users)


def test_a_named_study_of_other_data_or_settings_is_refused(ratings, parts, tmp_path):
    path = tmp_path / "tune.db"
    Search(parts, SMALL, path, "mine").run(1)
    assert len(Search(parts, SMALL, path, "mine").trials) == 1
    with pytest.raises(UsageError, match="study 'mine' is of other data"):
        Search(cut_validation(ratings, seed=1), SMALL, path, "mine")
    with pytest.raises(UsageError, match="study 'mine' is of other settings"):
        Search(parts, {**SMALL, "momentum": 0.8}, path, "mine")
    with pytest.raises(UsageError, match="study 'mine' is of other ranges"):
        Search(parts, {**SMALL, "reg": Hyperparameters.reg}, path, "mine")
    assert Search(parts, SMALL, path, "yours").trials == []


def test_a_file_that_holds_something_else_is_refused_and_left_as_it_is(parts, tmp_path):
    path = tmp_path / "tune.db"
    path.write_bytes(b"my notes, which are no database at all" * 100)
    with pytest.raises(StoreError, match=r"tune\.db cannot be used as a file of trials"):
        Search(parts, SMALL, path)
    assert path.read_bytes().startswith(b"my notes")


def test_a_file_that_can_no_longer_be_written_ends_the_search_with_its_reason(parts, tmp_path):
    path = tmp_path / "tune.db"
    search = Search(parts, SMALL, path)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON trials BEGIN "
                         "SELECT RAISE(ABORT, 'the disk is full'); END")  # fmt: skip
    database.close()
    with pytest.raises(StoreError, match="the trials cannot be kept"):
        search.run(1)


def test_what_cannot_be_searched_is_refused(ratings, parts):
    everything = {
        name: getattr(Hyperparameters, name) for name in ("reg", "reg_bias", "n_prior", "init_std")
    }
    with pytest.raises(UsageError, match="everything that could be searched is given"):
        Search(parts, {**SMALL, **everything, "lr": 1.0, "reg_implicit": 0.2})
    with pytest.raises(DataError, match="too few ratings to keep a validation part; found 9"):
        Search(cut_validation(ratings.select(np.arange(9)), 0), SMALL)
    implicit = replace(ratings, values=None)
    with pytest.raises(DataError, match="no stars to tune the objective rating for"):
        Search(cut_validation(implicit, 0), SMALL)
    disliked = replace(parts.validation, values=np.ones_like(parts.validation.values))
    with pytest.raises(DataError, match="nothing in the validation part is liked"):
        Search(SearchParts(parts.train, disliked), {"objective": "ranking"})

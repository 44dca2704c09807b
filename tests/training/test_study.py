from types import SimpleNamespace

import optuna
import pytest

from recsys.training.study import Pruning


class Reported:
    """What a trial is told; it falls behind once told of the step ``ends_at``."""

    def __init__(self, ends_at=None):
        self.steps, self.ends_at = {}, ends_at

    def report(self, value, step):
        assert step not in self.steps
        self.steps[step] = value

    def should_prune(self):
        return self.ends_at in self.steps


def train(trial, n_epochs, rmse=float):
    pruning = Pruning(trial, n_epochs)
    history = []
    for epoch in range(1, n_epochs + 1):
        history.append(SimpleNamespace(validation_rmse=rmse(epoch)))
        pruning.on_epoch(SimpleNamespace(history=history, n_epochs=len(history)))
    return len(history)


def test_each_tenth_is_told_once_at_the_epoch_that_completes_it():
    trial = Reported()
    train(trial, 25)  # a tenth is 2.5 epochs
    assert trial.steps == {1: 3, 2: 5, 3: 8, 4: 10, 5: 13, 6: 15, 7: 18, 8: 20, 9: 23, 10: 25}
    trial = Reported()
    train(trial, 4)
    assert trial.steps == {2: 1, 5: 2, 7: 3, 10: 4}


def test_what_falls_behind_is_given_up_at_once():
    trial = Reported(ends_at=5)
    with pytest.raises(optuna.TrialPruned):
        train(trial, 20)
    assert max(trial.steps) == 5


def test_without_a_validation_score_nothing_is_told():
    trial = Reported()
    train(trial, 10, rmse=lambda _: None)
    assert trial.steps == {}

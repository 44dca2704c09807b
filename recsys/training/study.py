"""Trials of a search as Optuna keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import URL, NullPool
from sqlalchemy.exc import SQLAlchemyError

from recsys.errors import StoreError
from recsys.training.trainer import Callback, Run

Direction = Literal["minimize", "maximize"]

_TENTHS = 10
# Before, the learning rate is still high, and who leads says little of who will.
_FIRST_PRUNED = 5

optuna.logging.set_verbosity(optuna.logging.ERROR)  # what is to be said, the command says


@dataclass(frozen=True, eq=False)
class Trial:
    """One training of a search.

    Attributes
    ----------
    number : int
        Place among the finished trials, from 0: that one is the defaults, with what is fixed.
    outcome : 'complete', 'pruned' or 'diverged'
        A pruned one was given up because it fell behind.
    score : float or None
        On the validation part; None unless it is complete.
    hyperparameters : mapping
        `Hyperparameters.as_dict`.
    seconds : float
    resamples : tuple of float
        The score among resampled users (`recsys.evaluation.bootstrap.resampled`).
    """

    number: int
    outcome: Literal["complete", "pruned", "diverged"]
    score: float | None
    hyperparameters: Mapping[str, Any]
    seconds: float
    resamples: tuple[float, ...]


def open_study(path: Path | None, name: str, direction: Direction) -> optuna.Study:
    """Return the study of that name in an SQLite file, begun if there is none.

    Raises
    ------
    StoreError
        If the file cannot be used.
    """
    pruner = optuna.pruners.MedianPruner(n_warmup_steps=_FIRST_PRUNED)
    storage: optuna.storages.BaseStorage = optuna.storages.InMemoryStorage()
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            url = URL.create("sqlite", database=str(path)).render_as_string()
            # No connection is kept open beyond its use.
            storage = optuna.storages.RDBStorage(url, engine_kwargs={"poolclass": NullPool})
        return optuna.create_study(
            storage=storage,
            study_name=name,
            direction=direction,
            pruner=pruner,
            load_if_exists=True,
        )
    except (SQLAlchemyError, RuntimeError, optuna.exceptions.OptunaError) as error:
        reason = str(error).split("\n", 1)[0]
        raise StoreError(
            f"{path} cannot be used as a file of trials ({reason}); move it away"
        ) from error


def read_trial(number: int, trial: FrozenTrial) -> Trial:
    """Return the finished trial of that number."""
    attributes = trial.user_attrs
    is_complete = trial.state is TrialState.COMPLETE
    given_up: Literal["pruned", "diverged"] = "diverged" if attributes.get("diverged") else "pruned"
    return Trial(
        number=number,
        outcome="complete" if is_complete else given_up,
        score=trial.value if is_complete else None,
        hyperparameters=attributes["hyperparameters"],
        seconds=attributes["seconds"],
        resamples=tuple(attributes.get("resamples", ())),
    )


class Pruning(Callback):
    """Tells a trial's validation RMSE at each tenth of its epochs, and gives up what falls behind.

    Tenths and not epochs, because trials differ in their number and so in where an epoch stands
    on the schedule.
    """

    def __init__(self, trial: optuna.Trial, n_epochs: int) -> None:
        self._trial, self._n_epochs, self._told = trial, n_epochs, 0

    def on_epoch(self, run: Run) -> None:
        """Report at the end of a tenth."""
        rmse, tenth = run.history[-1].validation_rmse, _TENTHS * run.n_epochs // self._n_epochs
        if rmse is None or tenth <= self._told:
            return
        self._told = tenth
        self._trial.report(rmse, tenth)
        if self._trial.should_prune():
            raise optuna.TrialPruned

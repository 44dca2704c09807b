"""How `train` and `evaluate` train one objective or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from recsys.cli.options import given_hyperparameters
from recsys.cli.output import note
from recsys.cli.tell import tell_choice
from recsys.data import Ratings
from recsys.data.relevance import is_relevant
from recsys.model.snapshot import Snapshot
from recsys.training import kernels
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.progress import ProgressBar
from recsys.training.trainer import Callback

# With both objectives, these settings are for both; the others for the rating embeddings.
_SHARED = ("n_factors", "dtype", "seed")


def check_ranges(options: Mapping[str, Any]) -> None:
    """Refuse a hyperparameter that no data could make right, before any data is read.

    What depends on the data, or on another setting, is left to `choose`.

    Raises
    ------
    UsageError
        If a value is out of range.
    """
    given = {k: v for k, v in given_hyperparameters(options).items() if v is not None}
    Hyperparameters(**{"batch_size": 1, "lr": 1.0, **given})


def choose(train: Ratings, options: Mapping[str, Any], objective: str) -> list[Hyperparameters]:
    """Return the hyperparameters of each objective to be trained, and say what they are.

    Parameters
    ----------
    train : Ratings
    options : mapping
        The command's options, None where not given.
    objective : 'rating', 'ranking' or 'both'
        Of both, what ``train`` has nothing to learn from for is left out, and that is said.
    """
    given = given_hyperparameters(options)
    objectives = [objective]
    if objective == "both":
        objectives = ["rating", "ranking"]
        if train.is_implicit:
            note("there are no ratings to predict: only the ranking embeddings are trained")
            objectives = ["ranking"]
        elif not is_relevant(train).any():
            note("nothing is liked, with 4 stars or more: only the rating embeddings are trained")
            objectives = ["rating"]
    chosen = []
    for name in objectives:
        settings = {**given, "objective": name}
        if name == "ranking" and not given["early_stopping"]:
            settings["early_stopping"] = None  # 0 is what it has anyway
        if objective == "both":
            settings = {key: value for key, value in settings.items() if _is_of(name, key)}
        hyperparameters = Hyperparameters.choose(train, **settings)
        tell_choice(train, hyperparameters)
        chosen.append(hyperparameters)
    return chosen


def fit(
    train: Ratings,
    chosen: Sequence[Hyperparameters],
    *,
    validation: Ratings | None,
    n_threads: int | None,
    data_fingerprint: str | None = None,
    callbacks: Callable[[Hyperparameters], list[Callback]] = lambda _: [],
) -> list[Snapshot]:
    """Return the snapshot of each of the chosen hyperparameters, under a progress bar."""
    snapshots = []
    if any(each.model == "dot" for each in chosen) and kernels.need_compiling():
        note(kernels.COMPILING)
    for hyperparameters in chosen:
        with closing(ProgressBar(hyperparameters)) as bar:
            snapshots.append(
                fit_snapshot(
                    train,
                    hyperparameters,
                    validation=validation,
                    data_fingerprint=data_fingerprint,
                    callbacks=[*callbacks(hyperparameters), bar],
                    n_threads=n_threads,
                )
            )
    return snapshots


def _is_of(objective: str, setting: str) -> bool:
    if setting in ("objective", *_SHARED):
        return True
    return (setting == "unobserved") == (objective == "ranking")

"""A search for better hyperparameters, on a validation part of the training ratings."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError
from tqdm import tqdm

from recsys.errors import DivergenceError, StoreError, UsageError
from recsys.evaluation.bootstrap import interval, resampled
from recsys.evaluation.comparison import Difference
from recsys.evaluation.evaluate import evaluate
from recsys.model.served import Served
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.progress import ProgressBar
from recsys.training.search_parts import SearchParts, check_parts
from recsys.training.search_space import at_multiples, search_space
from recsys.training.study import Pruning, Trial, open_study, read_trial

_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


class Search:
    """Trials of hyperparameters, kept in a file: a search goes on where it was stopped or killed.

    The first trial is the defaults. The others come from Optuna's TPE, seeded anew for each by
    the seed and the number of finished trials, so that a search that went on has the same trials
    as one that was never stopped. A rating training that falls behind the median of the others
    at the same tenth of its epochs, from the fifth on, is given up. All epochs are run, unless
    ``early_stopping`` is fixed.

    Parameters
    ----------
    parts : SearchParts
    fixed : mapping of str to object
        Attributes of `Hyperparameters` that are not searched, the objective among them; None
        means not given.
    path : Path, optional
        The SQLite file. Without it nothing is kept.
    study : str, optional
        Name in the file. Default: by the data, the defaults, what is fixed and the ranges.

    Attributes
    ----------
    parts : SearchParts
    fixed : dict
        What is given of it.
    study : str
    metric : 'rmse' or 'ndcg@10'
        Of the objective ``rating``, lower is better; of ``ranking``, higher is.
    defaults : Hyperparameters
    space : dict of str to Range
        Multiples of the defaults that are searched.

    Raises
    ------
    DataError
        If there is nothing to learn from or to score on.
    StoreError
        If the file is not one of a search.
    UsageError
        If a setting is out of range, nothing is left to search, or ``study`` is of other data
        or other settings.
    """

    def __init__(
        self,
        parts: SearchParts,
        fixed: Mapping[str, Any],
        path: Path | None = None,
        study: str | None = None,
    ) -> None:
        self.parts = parts
        self.fixed = {name: value for name, value in fixed.items() if value is not None}
        is_ranking = self.fixed.get("objective") == "ranking"
        self._settings = self.fixed if is_ranking else {"early_stopping": 0, **self.fixed}
        self.metric: Literal["rmse", "ndcg@10"] = "ndcg@10" if is_ranking else "rmse"
        check_parts(parts, "ranking" if is_ranking else "rating")
        self.defaults = Hyperparameters.choose(parts.train, **self._settings)
        self.space = search_space(self.defaults, self.fixed)
        if not self.space:
            raise UsageError("everything that could be searched is given; leave something out")
        identity = {
            "data": [parts.train.fingerprint, parts.validation.fingerprint],
            "settings": dict(self.defaults.as_dict()),
            "ranges": {name: list(range_) for name, range_ in self.space.items()},
        }
        digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]
        self.study = study or f"{parts.train.name}-{self.defaults.objective}-{digest}"
        self._study = open_study(path, self.study, "maximize" if is_ranking else "minimize")
        known = self._study.user_attrs
        for part, value in identity.items():
            if known.setdefault(part, value) != value:
                raise UsageError(
                    f"the study {self.study!r} is of other {part}; allowed: another name, or none"
                )
            self._study.set_user_attr(part, value)

    @property
    def trials(self) -> list[Trial]:
        """The finished trials, in their order."""
        return [read_trial(number, trial) for number, trial in enumerate(self._finished())]

    @property
    def ranked(self) -> list[Trial]:
        """The complete trials, the best first; of equals the earlier."""
        sign = 1 if self.metric == "rmse" else -1
        complete = [trial for trial in self.trials if trial.score is not None]
        return sorted(complete, key=lambda trial: sign * (trial.score or 0))

    def gain(self) -> Difference | None:
        """Return the best score less the defaults', with its 95 % interval over users, paired.

        The best was chosen on the same ratings, so that this flatters it. None where the
        defaults are not complete.
        """
        best, default = self.ranked[0], self.trials[0]
        if default.score is None:
            return None
        differences = np.array(best.resamples) - np.array(default.resamples)
        return Difference((best.score or 0) - default.score, interval(differences))

    def run(
        self, n_trials: int, *, seconds: float | None = None, n_threads: int | None = None
    ) -> None:
        """Train until the search has ``n_trials`` finished trials, those of earlier runs included.

        Parameters
        ----------
        n_trials : int
        seconds : float, optional
            No trial is begun after so long; the one under way is finished.
        n_threads : int, optional
            Default: one per core. Changes no result.

        Raises
        ------
        StoreError
            If the file can no longer be written.
        """
        try:
            self._run(n_trials, seconds, n_threads)
        except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
            reason = str(error).split("\n", 1)[0]
            raise StoreError(f"the trials cannot be kept: {reason}") from error

    def _run(self, n_trials: int, seconds: float | None, n_threads: int | None) -> None:
        n_done = len(self._finished())
        deadline = time.monotonic() + (np.inf if seconds is None else seconds)
        with tqdm(
            total=n_trials, initial=n_done, desc="tuning", unit=" trials", disable=None,
            dynamic_ncols=True, leave=False,
        ) as bar:  # fmt: skip
            while (n_done := len(self._finished())) < n_trials and time.monotonic() < deadline:
                self._try(n_done, n_threads)
                bar.update()
                if self.ranked:
                    bar.set_postfix({self.metric: f"{self.ranked[0].score:.4f}"})

    def _try(self, n_done: int, n_threads: int | None) -> None:
        """Train once, and keep what came of it."""
        seed = np.random.SeedSequence([self.defaults.seed, n_done]).generate_state(1)[0]
        # Trials of a killed process stay marked as running: they count for nothing.
        self._study.sampler = optuna.samplers.TPESampler(seed=int(seed), constant_liar=False)
        if n_done == 0 and not self._study.get_trials(states=(TrialState.WAITING,)):
            self._study.enqueue_trial(dict.fromkeys(self.space, 1.0))
        trial = self._study.ask()
        started = time.perf_counter()
        score: float | None = None
        try:
            score = self._score(trial, n_threads)
        except (optuna.TrialPruned, DivergenceError) as given_up:
            trial.set_user_attr("diverged", isinstance(given_up, DivergenceError))
        except BaseException:
            self._study.tell(trial, state=TrialState.FAIL)
            raise
        trial.set_user_attr("seconds", time.perf_counter() - started)
        self._study.tell(trial, score, None if score is not None else TrialState.PRUNED)

    def _score(self, trial: optuna.Trial, n_threads: int | None) -> float:
        multiples = {
            name: trial.suggest_float(name, low, high, log=True)
            for name, (low, high) in self.space.items()
        }
        train, validation = self.parts
        settings = at_multiples(train, self._settings, multiples)
        trial.set_user_attr("hyperparameters", dict(settings.as_dict()))
        with closing(ProgressBar(settings)) as bar:
            snapshot = fit_snapshot(
                train,
                settings,
                validation=validation,
                callbacks=[Pruning(trial, settings.n_epochs), bar],
                n_threads=n_threads,
            )
        metrics = evaluate(Served.of([snapshot]), train, validation).by_user
        samples = resampled({self.metric: metrics[self.metric]})[self.metric]
        trial.set_user_attr("resamples", [round(float(value), 6) for value in samples])
        return metrics[self.metric].value

    def _finished(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=_FINISHED)

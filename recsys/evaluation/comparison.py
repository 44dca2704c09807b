"""Several predictors on the same held-out ratings, and what of their differences is not chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from recsys.evaluation.bootstrap import N_RESAMPLES, Interval, interval, resampled
from recsys.evaluation.evaluate import Evaluation
from recsys.evaluation.user_metric import Column


class Difference(NamedTuple):
    """One predictor's score less another's, and the interval of it."""

    value: float
    interval: Interval


class Comparison:
    """Collects the evaluations of predictors, one fold after the other.

    A score is the mean over the folds that have it. The same users are drawn for every predictor
    and in every fold, so that intervals of differences are paired. Of an evaluation only the
    resampled values are kept, not what each user adds.

    Parameters
    ----------
    n_resamples, seed : int
        Of the bootstrap.
    level : float
        Share of the resamples that an interval holds.
    """

    def __init__(self, n_resamples: int = N_RESAMPLES, seed: int = 0, level: float = 0.95) -> None:
        self._n_resamples, self._seed, self._level = n_resamples, seed, level
        self._scores: dict[str, list[Mapping[str, float]]] = {}
        self._samples: dict[str, list[Mapping[str, Column]]] = {}

    def add(self, evaluations: Mapping[str, Evaluation]) -> None:
        """Take in one fold: each predictor's evaluation on the same held-out ratings."""
        for name, evaluation in evaluations.items():
            drawn = resampled(evaluation.by_user, self._n_resamples, self._seed)
            self._scores.setdefault(name, []).append(evaluation.scores())
            self._samples.setdefault(name, []).append(drawn)

    @property
    def names(self) -> tuple[str, ...]:
        """The predictors, in the order in which they came."""
        return tuple(self._scores)

    def scores(self, name: str) -> dict[str, float]:
        """Return a predictor's scores, NaN where no fold has one."""
        folds = self._scores[name]
        return {
            metric: float(_mean([np.array(fold[metric]) for fold in folds])) for metric in folds[0]
        }

    def intervals(self, name: str) -> dict[str, Interval]:
        """Return the interval of each of a predictor's scores but coverage, which is of no user."""
        return {
            metric: interval(self._mean_samples(name, metric), self._level)
            for metric in self._metrics(name)
        }

    def differences(self, name: str, other: str) -> dict[str, Difference]:
        """Return ``name``'s scores less ``other``'s, where both have them.

        Raises
        ------
        KeyError
            If there is no such predictor.
        """
        own, others = self.scores(name), self.scores(other)
        shared = [metric for metric in self._metrics(name) if metric in self._metrics(other)]
        return {
            metric: Difference(
                own[metric] - others[metric],
                interval(
                    self._mean_samples(name, metric) - self._mean_samples(other, metric),
                    self._level,
                ),
            )
            for metric in shared
        }

    def _metrics(self, name: str) -> list[str]:
        return list(dict.fromkeys(metric for fold in self._samples[name] for metric in fold))

    def _mean_samples(self, name: str, metric: str) -> Column:
        return _mean([fold[metric] for fold in self._samples[name] if metric in fold])


def _mean(folds: Sequence[Column]) -> Column:
    """Return the mean of equally shaped arrays over those that are not NaN, NaN where all are."""
    values = np.stack(folds)
    n = (~np.isnan(values)).sum(axis=0)
    return np.asarray(np.where(n > 0, np.nansum(values, axis=0) / np.maximum(n, 1), np.nan))

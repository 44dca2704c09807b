"""What is compared: the shipped defaults, and what each ingredient of them gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from recsys.data import Ratings
from recsys.evaluation.predictor import Predictor
from recsys.model.baselines import BASELINES, LIST_BASELINES
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters

Fits = dict[str, Callable[[Ratings], Predictor]]

OURS = "recsys"
# What differs from the defaults.
_STARS: Mapping[str, Mapping[str, Any]] = {
    "without both": {"implicit": False, "n_prior": 0.0, "reg": 0.11},
    "without who rated what": {"implicit": False},
    "without n_prior, reg .15": {"n_prior": 0.0, "reg": 0.15},
    "16 factors": {"n_factors": 16},
    "32 factors": {"n_factors": 32},
    "128 factors": {"n_factors": 128},
}


def stars(seed: int, *, ablation: bool) -> Fits:
    """Return what predicts stars: the defaults, the ablation if it is asked for, the baselines."""
    fits: Fits = {OURS: partial(_fit, objective="rating", seed=seed)}
    if ablation:
        fits |= {name: partial(_fit, seed=seed, **changes) for name, changes in _STARS.items()}
    return fits | {name: BASELINES[name] for name in ("bias", "item-mean", "global")}


def lists(seed: int, *, ablation: bool) -> Fits:
    """Return what orders lists: the defaults, the ablation if it is asked for, the baselines."""
    ranking = partial(_fit, objective="ranking", seed=seed)
    fits: Fits = {OURS: ranking}
    if ablation:
        for times in (0.25, 0.5, 2):
            fits[f"{times} times the penalty"] = partial(_with_penalty, times=times, seed=seed)
        for weight in (2.0, 50.0):
            fits[f"all pairs weigh {weight:g}"] = partial(ranking, unobserved=weight)
        for n_factors in (16, 32, 128):
            fits[f"{n_factors} factors"] = partial(ranking, n_factors=n_factors)
    return fits | LIST_BASELINES


def _fit(train: Ratings, **settings: Any) -> Predictor:
    return fit_snapshot(train, Hyperparameters.choose(train, **settings))


def _with_penalty(train: Ratings, *, times: float, seed: int) -> Predictor:
    chosen = Hyperparameters.choose(train, objective="ranking", seed=seed)
    return fit_snapshot(train, replace(chosen, reg=times * chosen.reg))

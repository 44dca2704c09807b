"""What `recsys tune` searches: each hyperparameter as a multiple of what `train` would take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from recsys.data import Ratings
from recsys.training.hyperparameters import Hyperparameters


class Range(NamedTuple):
    """Multiples of a default that are searched, evenly on the logarithmic scale."""

    low: float
    high: float


# Multiples and not values, because defaults follow from the data, the model and, of lists, from
# `unobserved`: what others follow from stands first. docs/tuning.md says why these ranges.
_SPACES: Mapping[str, Mapping[str, Range]] = {
    "dot": {
        "n_factors": Range(1 / 4, 2),
        "n_epochs": Range(1 / 4, 2),
        "lr": Range(1 / 4, 4),
        "reg": Range(1 / 8, 4),
        "reg_bias": Range(1 / 8, 4),
        "reg_implicit": Range(1 / 8, 4),
        "n_prior": Range(1 / 8, 4),
        "init_std": Range(1 / 4, 4),
    },
    "mlp": {
        "n_epochs": Range(1 / 4, 2),
        "lr": Range(1 / 4, 4),
        "reg": Range(1 / 10, 10),
        "init_std": Range(1 / 4, 4),
        "dropout": Range(1 / 4, 2),
    },
    "ranking": {
        "unobserved": Range(1 / 4, 4),
        "n_factors": Range(1 / 4, 2),
        "n_epochs": Range(1 / 4, 2),
        "lr": Range(1 / 4, 2),
        "reg": Range(1 / 3, 3),
    },
}


def search_space(defaults: Hyperparameters, fixed: Mapping[str, Any]) -> dict[str, Range]:
    """Return the multiples to search for the hyperparameters that are not ``fixed``."""
    space = _SPACES["ranking" if defaults.objective == "ranking" else defaults.model]
    left_out = {*fixed, *(() if defaults.implicit else ("reg_implicit",))}
    return {name: range_ for name, range_ in space.items() if name not in left_out}


def at_multiples(
    train: Ratings, fixed: Mapping[str, Any], multiples: Mapping[str, float]
) -> Hyperparameters:
    """Return the hyperparameters at multiples of their defaults, by name.

    A multiple of 1 leaves a default as it is; other values have three significant digits, so
    that what is printed is what was trained, and whole numbers stay whole.
    """
    given = dict(fixed)
    for name, multiple in multiples.items():
        if multiple != 1:
            default = getattr(Hyperparameters.choose(train, **given), name)
            value = float(f"{default * multiple:.3g}")
            given[name] = max(round(value), 1) if isinstance(default, int) else value
    return Hyperparameters.choose(train, **given)

"""How long each system takes to reach the same RMSE on a validation part."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.turns import Entrant, Timed, libmf, ours, race

# Our rate is given as what one rating moves a bias, per unit of its error, once momentum has
# built up: 2 lr / (1 - momentum) / batch_size.
OUR_GRID = {
    "step": (0.08, 0.1),
    "reg": (0.022, 0.025, 0.028),
    "n_epochs": (3, 4, 5, 6),
}
LIBMF_GRID = {"lambda": (0.02, 0.025, 0.03), "eta": (0.07, 0.08, 0.1)}
_LIBMF_EPOCHS = 12
# What else ours is trained with, found beforehand on the same validation part.
_OURS: Mapping[str, Any] = {
    "implicit": False, "early_stopping": 0, "schedule": "linear", "momentum": 0.8,
    "batch_size": 131_072, "row_limit": 50.0, "reg_bias": 0.01, "n_prior": 100.0, "init_std": 0.1,
}  # fmt: skip
TOLERANCES = (0.01, 0.005, 0.002, 0.001)
"""The targets: the lowest RMSE of the weaker system, and such a share more."""
_N_RACES = 5


@dataclass(frozen=True)
class Reached:
    """How soon both systems are at one target.

    Attributes
    ----------
    tolerance : float
        How far above the lowest RMSE of the weaker system the target is, as a share of it.
    target : float
        RMSE on the validation part.
    settings : list of mapping
        With which ours and LIBMF are soonest at the target.
    n_epochs : list of float
        After so many they are, a whole number.
    seconds : list of float
        Medians of `_N_RACES` trainings with these settings, layout counted in.
    """

    tolerance: float
    target: float
    settings: list[Mapping[str, Any]]
    n_epochs: list[float]
    seconds: list[float]

    @property
    def ratio(self) -> float:
        """Our time as a share of LIBMF's."""
        return self.seconds[0] / self.seconds[1]


def times_to_targets(folder: Path, program: Path, n_factors: int, n_threads: int) -> list[Reached]:
    """Return how long ours and LIBMF take to the same RMSEs, each with its best settings."""

    def our(settings: Mapping[str, Any]) -> Entrant:
        return ours("recsys", folder, settings, n_threads, scores=True)

    def their(settings: Mapping[str, Any]) -> Entrant:
        return libmf(program, folder, settings, n_threads, scores=True)

    makers = (our, their)
    searches = [
        _search(make, grid)
        for make, grid in zip(makers, (_ours(n_factors), _libmfs(n_factors)), strict=True)
    ]
    weaker = max(min(min(timed.rmse) for _, timed in search) for search in searches)
    return [_reached(makers, searches, weaker, tolerance) for tolerance in TOLERANCES]


def _reached(
    makers: Sequence[Callable[[Mapping[str, Any]], Entrant]],
    searches: Sequence[Sequence[tuple[Mapping[str, Any], Timed]]],
    weaker: float,
    tolerance: float,
) -> Reached:
    target = weaker * (1 + tolerance)
    soonest = [_soonest(search, target) for search in searches]
    settings = [settings for settings, _ in soonest]
    runs = [
        race([make(chosen) for make, chosen in zip(makers, settings, strict=True)])
        for _ in range(_N_RACES)
    ]
    seconds = [
        median(_until(timed, target) for timed in system) for system in zip(*runs, strict=True)
    ]
    n_epochs = [_epochs_until(timed, target) for _, timed in soonest]
    return Reached(tolerance, target, settings, n_epochs, seconds)


def _ours(n_factors: int) -> Iterable[dict[str, Any]]:
    for step, reg, n_epochs in product(*OUR_GRID.values()):
        lr = step * _OURS["batch_size"] * (1 - _OURS["momentum"]) / 2
        grid = {"lr": lr, "reg": reg, "n_epochs": n_epochs}
        yield {"n_factors": n_factors, **_OURS, **grid}


def _libmfs(n_factors: int) -> Iterable[dict[str, Any]]:
    for strength, eta in product(*LIBMF_GRID.values()):
        yield {"lambda": strength, "eta": eta, "n_factors": n_factors, "n_epochs": _LIBMF_EPOCHS}


def _search(
    make: Callable[[Mapping[str, Any]], Entrant], grid: Iterable[Mapping[str, Any]]
) -> list[tuple[Mapping[str, Any], Timed]]:
    """Return what each setting came to; those that diverge are left out."""
    found = []
    for settings in grid:
        try:
            found.append((settings, race([make(settings)])[0]))
        except RuntimeError:
            continue
    return found


def _soonest(
    search: Sequence[tuple[Mapping[str, Any], Timed]], target: float
) -> tuple[Mapping[str, Any], Timed]:
    """Return the setting that is at the target soonest, and how it went.

    Soonest is after the fewest epochs, then seconds: these are noisy, and alike for all epochs.
    """
    return min(
        search,
        key=lambda tried: (_epochs_until(tried[1], target), _until(tried[1], target)),
    )


def _until(timed: Timed, target: float) -> float:
    """Return the seconds until the target, at the median epoch: turns are noisy."""
    return timed.layout_seconds + _epochs_until(timed, target) * timed.epoch


def _epochs_until(timed: Timed, target: float) -> float:
    """Return the epochs until the target, infinitely many if it was not reached."""
    return next((n for n, rmse in enumerate(timed.rmse, start=1) if rmse <= target), math.inf)

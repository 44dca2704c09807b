"""How long each system takes to reach the same RMSE on a validation part."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from sklearn.model_selection import ParameterGrid

from benchmarks.speed.turns import Entrant, Timed, libmf, ours, race

# Our rate is given as what one rating moves a bias, per unit of its error, once momentum has
# built up: 2 lr / (1 - momentum) / batch_size.
OUR_GRID: Mapping[str, Sequence[float]] = {
    "n_factors": (16, 32),
    "step": (0.1, 0.12),
    "reg": (0.015, 0.02, 0.025),
    "n_epochs": (3, 4, 5, 6),
}
LIBMF_GRID: Mapping[str, Sequence[float]] = {
    "n_factors": (32, 48, 64),
    "lambda": (0.02, 0.03, 0.04),
    "eta": (0.08, 0.1, 0.12, 0.15),
}
_LIBMF_EPOCHS = 10
# What else ours is trained with, found beforehand on the same validation part.
_OURS: Mapping[str, Any] = {
    "implicit": False, "early_stopping": 0, "schedule": "linear", "momentum": 0.5,
    "batch_size": 131_072, "row_limit": 20.0, "reg_bias": 0.01, "n_prior": 100.0, "init_std": 0.1,
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


def times_to_targets(
    folder: Path, program: Path, n_factors: int | None, n_threads: int
) -> list[Reached]:
    """Return how long ours and LIBMF take to the same RMSEs, each with its best settings.

    The number of factors is one of them, unless both are told to have ``n_factors``.
    """

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
    n_epochs = [_epochs_until(timed, target) for _, timed in soonest]
    # The epochs are those of the search: LIBMF on several threads does not repeat itself, and may
    # come to rest a hair above.
    seconds = [
        median(timed.layout_seconds + n * timed.epoch for timed in system)
        for n, system in zip(n_epochs, zip(*runs, strict=True), strict=True)
    ]
    return Reached(tolerance, target, settings, n_epochs, seconds)


def _ours(n_factors: int | None) -> Iterable[dict[str, Any]]:
    for tried in _grid(OUR_GRID, n_factors):
        lr = tried.pop("step") * _OURS["batch_size"] * (1 - _OURS["momentum"]) / 2
        yield {**_OURS, **tried, "lr": lr}


def _libmfs(n_factors: int | None) -> Iterable[dict[str, Any]]:
    for tried in _grid(LIBMF_GRID, n_factors):
        yield {**tried, "n_epochs": _LIBMF_EPOCHS}


def _grid(grid: Mapping[str, Sequence[float]], n_factors: int | None) -> ParameterGrid:
    return ParameterGrid(grid if n_factors is None else {**grid, "n_factors": [n_factors]})


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

    Seconds are noisy, and alike for all settings of as many factors: their medians count. Of
    settings that are equally soon the one counts that is then farthest below the target.
    """

    def how_soon(tried: tuple[Mapping[str, Any], Timed]) -> tuple[float, float]:
        settings, timed = tried
        alike = [other for other in search if other[0]["n_factors"] == settings["n_factors"]]
        layout = median(timed.layout_seconds for _, timed in alike)
        epoch = median(timed.epoch for _, timed in alike)
        n_epochs = _epochs_until(timed, target)
        rmse = timed.rmse[int(n_epochs) - 1] if math.isfinite(n_epochs) else math.inf
        return layout + n_epochs * epoch, rmse

    return min(search, key=how_soon)


def _epochs_until(timed: Timed, target: float) -> float:
    """Return the epochs until the target, infinitely many if it was not reached."""
    return next((n for n, rmse in enumerate(timed.rmse, start=1) if rmse <= target), math.inf)

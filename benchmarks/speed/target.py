"""How long each system takes to reach the same RMSE on a validation part."""

from __future__ import annotations

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
    "step": (0.04, 0.06),
    "reg": (0.05, 0.06),
    "n_epochs": (6, 8, 10),
    "batch_size": (65_536,),
}
LIBMF_GRID = {"lambda": (0.02, 0.03, 0.05), "eta": (0.1, 0.15)}
_LIBMF_EPOCHS = 15
_MOMENTUM, _INIT_STD = 0.9, 0.1
_TOLERANCE = 1.005
"""The target is the RMSE that the weaker system reaches at best, times this."""
_N_RACES = 3


@dataclass(frozen=True)
class Reached:
    """What was found.

    Attributes
    ----------
    target : float
        RMSE on the validation part.
    best : list of float
        Lowest RMSE of ours and of LIBMF, any setting.
    settings : list of mapping
        With which each is soonest at the target.
    seconds : list of float
        Medians of `_N_RACES` trainings with these, layout counted in.
    """

    target: float
    best: list[float]
    settings: list[Mapping[str, Any]]
    seconds: list[float]

    @property
    def ratio(self) -> float:
        """Our time as a share of LIBMF's."""
        return self.seconds[0] / self.seconds[1]


def time_to_target(folder: Path, program: Path, n_factors: int, n_threads: int) -> Reached:
    """Return how long ours and LIBMF take to the same RMSE, each with its best settings."""

    def our(settings: Mapping[str, Any]) -> Entrant:
        return ours("recsys", folder, settings, n_threads, scores=True)

    def their(settings: Mapping[str, Any]) -> Entrant:
        return libmf(program, folder, settings, n_threads, scores=True)

    makers = (our, their)
    searches = [
        _search(make, grid)
        for make, grid in zip(makers, (_ours(n_factors), _libmfs(n_factors)), strict=True)
    ]
    best = [min(min(timed.rmse) for _, timed in search) for search in searches]
    target = max(best) * _TOLERANCE
    settings = [_soonest(search, target) for search in searches]
    runs = [
        race([make(chosen) for make, chosen in zip(makers, settings, strict=True)])
        for _ in range(_N_RACES)
    ]
    seconds = [
        median(_until(timed, target) for timed in system) for system in zip(*runs, strict=True)
    ]
    return Reached(target, best, settings, seconds)


def _ours(n_factors: int) -> Iterable[dict[str, Any]]:
    for step, reg, n_epochs, batch_size in product(*OUR_GRID.values()):
        yield {
            "implicit": False, "early_stopping": 0, "n_factors": n_factors, "n_epochs": n_epochs,
            "batch_size": batch_size, "lr": step * batch_size * (1 - _MOMENTUM) / 2, "reg": reg,
            "reg_bias": 0.02, "momentum": _MOMENTUM, "init_std": _INIT_STD,
        }  # fmt: skip


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


def _soonest(search: Sequence[tuple[Mapping[str, Any], Timed]], target: float) -> Mapping[str, Any]:
    """Return the setting that is at the target soonest."""
    return min(search, key=lambda tried: _until(tried[1], target))[0]


def _until(timed: Timed, target: float) -> float:
    """Return the seconds until the target, at the median epoch: turns are noisy."""
    for n_epochs, rmse in enumerate(timed.rmse, start=1):
        if rmse <= target:
            return timed.layout_seconds + n_epochs * timed.epoch
    return float("inf")

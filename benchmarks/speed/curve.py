"""Time and memory by the number of ratings: both should grow in proportion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.apart import apart
from benchmarks.speed.shapes import SHAPES, prepare
from benchmarks.speed.turns import Timed, ours, race

_N_EPOCHS = 5


def curve(n_factors: int, n_threads: int, seed: int, build: Path) -> list[dict[str, Any]]:
    """Return a row per shape, from the smallest to the largest; all take turns, an epoch each."""
    settings = {
        "n_factors": n_factors, "n_epochs": _N_EPOCHS, "seed": seed,
        "implicit": False, "early_stopping": 0,
    }  # fmt: skip
    folders = [apart(prepare, name, shape, seed, build) for name, shape in SHAPES.items()]
    timed = race([ours(folder.name, folder, settings, n_threads) for folder in folders])
    return as_rows(list(SHAPES), timed)


def as_rows(names: Sequence[str], timed: Sequence[Timed]) -> list[dict[str, Any]]:
    """Return what there is to say of each shape, the first being the smallest.

    ``bytes_per_further_rating`` is what the peak has grown by since the smallest, whose own is
    that of the program and its libraries.
    """
    smallest = timed[0]
    return [
        {
            "shape": name,
            "n_ratings": each.n_ratings,
            "layout_seconds": each.layout_seconds,
            "epoch_seconds": each.epoch,
            "nanoseconds_per_rating": 1e9 / each.rate,
            "peak_mib": round(each.peak_mib),
            "bytes_per_further_rating": None
            if each is smallest
            else (each.peak_mib - smallest.peak_mib)
            * 2**20
            / (each.n_ratings - smallest.n_ratings),
        }
        for name, each in zip(names, timed, strict=True)
    ]

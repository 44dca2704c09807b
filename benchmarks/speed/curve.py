"""Time and memory against the number of ratings: both should grow in proportion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.speed.shapes import SHAPES, prepare
from benchmarks.speed.turns import ours, race

_N_EPOCHS = 5


def curve(n_factors: int, n_threads: int, seed: int, build: Path) -> list[dict[str, Any]]:
    """Return a row per shape, from the smallest to the largest."""
    rows = []
    for name, shape in SHAPES.items():
        settings = {
            "n_factors": n_factors, "n_epochs": _N_EPOCHS, "implicit": False, "early_stopping": 0
        }  # fmt: skip
        folder = prepare(name, shape, seed, build)
        (timed,) = race([ours("recsys", folder, settings, n_threads)])
        rows.append(
            {
                "shape": name,
                "n_ratings": timed.n_ratings,
                "epoch_seconds": timed.epoch,
                "nanoseconds per rating": 1e9 / timed.rate,
                "layout_seconds": timed.layout_seconds,
                "peak_mib": timed.peak_mib,
            }
        )
    return rows

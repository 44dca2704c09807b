"""Compiles the kernels ahead of the first training: ``python -m recsys.training.warm``."""

from __future__ import annotations

import sys

import numpy as np

from recsys.data.synthetic import synthetic_ratings
from recsys.training import kernels
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters


def warm() -> None:
    """Train on next to nothing, so that everything is compiled and kept on disk."""
    ratings, _ = synthetic_ratings(20, 20, 100, 2, 0.5, np.random.default_rng(0))
    for clip in (None, 1.0):
        chosen = Hyperparameters.choose(
            ratings, implicit=False, n_factors=2, n_epochs=1, early_stopping=0, clip=clip
        )
        fit_snapshot(ratings, chosen, n_threads=1)


if __name__ == "__main__":
    if kernels.need_compiling():
        print(kernels.COMPILING, file=sys.stderr)  # noqa: T201 - it is a command
        warm()

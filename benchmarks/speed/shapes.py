"""Synthetic ratings in the shapes of the MovieLens sets, kept on disk for every system alike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.data import IdMap, Ratings
from recsys.data.synthetic import synthetic_ratings

# Users, items and ratings.
SHAPES = {
    "ml-100k": (943, 1_682, 100_000),
    "ml-1m": (6_040, 3_706, 1_000_209),
    "ml-10m": (69_878, 10_677, 10_000_054),
    "ml-20m": (138_493, 26_744, 20_000_263),
    "ml-25m": (162_541, 59_047, 25_000_095),
}
N_PLANTED_FACTORS = 16
NOISE = 0.8
"""Standard deviation of the noise, stars: near the RMSE that real ratings allow."""
VALIDATION_SHARE = 0.05

_ARRAYS = {"users": np.int32, "items": np.int32, "values": np.float32}


@dataclass(frozen=True)
class Part:
    """Ratings on disk: the arrays `users`, `items` and `values` as bare little-endian files."""

    folder: Path
    n_users: int
    n_items: int

    def array(self, name: str) -> NDArray[np.generic]:
        """Return one of the arrays."""
        return np.fromfile(self.folder / name, _ARRAYS[name])

    def ratings(self) -> Ratings:
        """Return the ratings, their ids counting from 1."""
        return Ratings(
            "synthetic",
            IdMap(str(row + 1) for row in range(self.n_users)),
            IdMap(str(row + 1) for row in range(self.n_items)),
            *(self.array(name) for name in _ARRAYS),
        )


@dataclass(frozen=True)
class DataSet:
    """A training and a validation part."""

    train: Part
    validation: Part
    n_ratings: int
    """Of the training part."""

    @classmethod
    def of(cls, folder: Path) -> DataSet:
        """Return the data set that `prepare` wrote into ``folder``."""
        told = json.loads((folder / "shape.json").read_text())
        parts = (
            Part(folder / name, told["n_users"], told["n_items"])
            for name in ("train", "validation")
        )
        return cls(*parts, told["n_ratings"])


def prepare(name: str, shape: tuple[int, int, int], seed: int, build: Path) -> Path:
    """Return the folder of the ratings of a shape; made at the first asking."""
    folder = build / f"{name}-{seed}"
    if (folder / "shape.json").exists():
        return folder
    rng = np.random.default_rng(seed)
    ratings, _ = synthetic_ratings(*shape, N_PLANTED_FACTORS, NOISE, rng)
    is_validation = rng.random(ratings.n_ratings) < VALIDATION_SHARE
    for part, chosen in (("train", ~is_validation), ("validation", is_validation)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for array in _ARRAYS:
            getattr(ratings, array)[chosen].tofile(folder / part / array)
    told = {
        "n_users": ratings.n_users,
        "n_items": ratings.n_items,
        "n_ratings": int(np.count_nonzero(~is_validation)),
    }
    (folder / "shape.json").write_text(json.dumps(told))  # last: says that the rest is whole
    return folder

"""Surprise's SVD, biases included, as a process of its own; see `benchmarks.speed.ours`.

Surprise has no hook between epochs: each turn is a training of one.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import pandas as pd
from surprise import SVD, Dataset, Reader

from benchmarks.speed.shapes import DataSet


def main(folder: Path, n_factors: int, n_epochs: int) -> None:
    """Train ``n_epochs`` times, an epoch each."""
    part = DataSet.of(folder).train
    frame = pd.DataFrame({name: part.array(name) for name in ("users", "items", "values")})
    started = time.perf_counter()
    scale = frame["values"].min(), frame["values"].max()
    train = Dataset.load_from_df(frame, Reader(rating_scale=scale)).build_full_trainset()
    _tell(layout_seconds=time.perf_counter() - started, n_ratings=len(frame))
    for _ in range(n_epochs):
        sys.stdin.readline()
        started = time.perf_counter()
        SVD(n_factors=n_factors, n_epochs=1).fit(train)
        _tell(seconds=time.perf_counter() - started)
    _tell(peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _tell(**said: float) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

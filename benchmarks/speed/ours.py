"""Our trainer as a process of its own, for `benchmarks.speed.turns`.

Before each epoch it waits for a line on standard input, so that several systems can take turns;
it tells of each on standard output, one JSON object a line.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.speed.shapes import DataSet
from recsys.data import Ratings
from recsys.data.synthetic import synthetic_ratings
from recsys.errors import DivergenceError
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.trainer import Callback, Run, validation_rmse


class TakesTurns(Callback):
    """Waits for its turn before every epoch, and tells how long it took."""

    def __init__(self, n_epochs: int, validation: Ratings | None) -> None:
        self._n_epochs, self._validation = n_epochs, validation
        self.since = time.perf_counter()

    def on_start(self, run: Run, train: Ratings) -> None:
        """See `Callback`."""
        self._train = train
        _tell(layout_seconds=time.perf_counter() - self.since, n_ratings=train.n_ratings)
        sys.stdin.readline()

    def on_epoch(self, run: Run) -> None:
        """See `Callback`."""
        rmse = validation_rmse(run.model, self._train, self._validation)
        _tell(seconds=run.history[-1].seconds, **({} if rmse is None else {"rmse": rmse}))
        if run.n_epochs < self._n_epochs:
            sys.stdin.readline()
        self.since = time.perf_counter()


def main(folder: Path, settings: dict[str, object], n_threads: int, *, scores: bool) -> None:
    """Train on the data set in ``folder``; ``scores`` also tells the validation RMSE."""
    # Whatever is not compiled yet is compiled here, outside all times.
    small, _ = synthetic_ratings(50, 50, 1000, 2, 0.5, np.random.default_rng(0))
    once = settings | {"n_epochs": 1, "n_factors": 2}
    fit_snapshot(small, Hyperparameters.choose(small, **once), n_threads=n_threads)

    data = DataSet.of(folder)
    train = data.train.ratings()
    validation = data.validation.ratings() if scores else None
    chosen = Hyperparameters.choose(train, **settings)
    turns = TakesTurns(chosen.n_epochs, validation)
    fit_snapshot(
        train, chosen, data_fingerprint="synthetic", callbacks=[turns], n_threads=n_threads
    )
    _tell(
        closing_seconds=time.perf_counter() - turns.since,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _tell(**said: float) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    try:
        main(Path(asked["folder"]), asked["settings"], asked["n_threads"], scores=asked["scores"])
    except DivergenceError as error:
        sys.exit(str(error))

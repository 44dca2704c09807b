"""Predicted stars of the shipped defaults: ``python -m benchmarks.accuracy``.

RMSE on the five official splits of ML-100k, where they are at hand, and on five seeded folds of
the embedded set, beside the baselines and published figures of the same splits.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tabulate import tabulate

from recsys.data import Ratings
from recsys.data.readers import read_ratings
from recsys.data.split import k_folds
from recsys.errors import RecsysError
from recsys.evaluation.evaluate import Predictor, evaluate
from recsys.model.baselines import BASELINES
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters

DEFAULT_DATA = Path(__file__).parents[2] / "shared" / "data" / "ml-100k"
N_SPLITS = 5

Parts = Iterator[tuple[Ratings, Ratings]]


def official_splits(folder: Path) -> Parts:
    """Yield training and test ratings of u1 to u5."""
    for number in range(1, N_SPLITS + 1):
        yield read_ratings(folder / f"u{number}.base"), read_ratings(folder / f"u{number}.test")


def seeded_folds(seed: int) -> Parts:
    """Yield training and test ratings of the embedded set."""
    ratings = read_ratings()
    fold_of = k_folds(ratings, N_SPLITS, np.random.default_rng(seed))
    for number in range(N_SPLITS):
        yield ratings.select(fold_of != number), ratings.select(fold_of == number)


def measure(parts: Parts, seed: int) -> dict[str, list[float]]:
    """Return the RMSE on each split, by predictor."""
    predictors: dict[str, Callable[[Ratings], Predictor]] = {
        "recsys": lambda train: fit_snapshot(train, Hyperparameters.choose(train, seed=seed)),
        "without implicit terms": lambda train: fit_snapshot(
            train, Hyperparameters.choose(train, seed=seed, implicit=False)
        ),
        **{name: BASELINES[name] for name in ("global", "item-mean", "bias")},
    }
    found: dict[str, list[float]] = {name: [] for name in predictors}
    for train, test in parts:
        for name, fit in predictors.items():
            scored = evaluate(fit(train), train, test)
            assert scored.rmse is not None
            found[name].append(scored.rmse)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="a folder with ML-100k")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    sets = {"the embedded set, five folds": seeded_folds(options.seed)}
    if (options.data / "u1.base").exists():
        sets = {"ML-100k, u1 to u5": official_splits(options.data)} | sets
    else:
        print(f"{options.data} has no u1.base; ML-100k is left out", file=sys.stderr)
    try:
        measured = {name: measure(parts, options.seed) for name, parts in sets.items()}
    except RecsysError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if options.json:
        print(json.dumps({"seed": options.seed, "rmse": measured}, indent=2))
        return 0
    for name, found in measured.items():
        rows = [[predictor, *scores, np.mean(scores)] for predictor, scores in found.items()]
        headers = [f"RMSE, seed {options.seed}", *range(1, N_SPLITS + 1), "mean"]
        print(f"\n{name}\n")
        print(tabulate(rows, headers, floatfmt=".4f"))
    return 0


if __name__ == "__main__":
    sys.exit(main())

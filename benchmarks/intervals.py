"""What intervals of predicted stars hold: ``python -m benchmarks.intervals``.

On the official splits of ML-100k, where they are at hand, and on five seeded folds of the
embedded set. Of each training part the keyed hash holds a tenth out, as `recsys train` does: it
stops the training early and calibrates the intervals. Coverage is then counted on the test part,
which neither has seen. The goal, at 80 %: 78 to 82 % of all ratings, and 75 to 85 % in each third
of item popularity.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate

from benchmarks.accuracy.parts import official_splits, seeded_folds
from recsys.data import Ratings
from recsys.data.readers import read_ratings
from recsys.data.split import held_out
from recsys.errors import RecsysError
from recsys.evaluation.calibration import counts_at, with_intervals
from recsys.evaluation.protocols import Parts
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters

DEFAULT_DATA = Path(__file__).parents[2] / "shared" / "data" / "ml-100k"
LEVELS = (0.5, 0.8, 0.9, 0.95)
GOAL_LEVEL, GOAL, GOAL_OF_A_THIRD = 0.8, (0.78, 0.82), (0.75, 0.85)
BY = ("popularity", "activity", "prediction")

Coverage = dict[str, float | list[float]]
"""``coverage`` and ``width`` in stars; by each of `BY` the coverage of the thirds, lowest first."""


def cover(train: Ratings, test: Ratings, seed: int) -> dict[float, Coverage]:
    """Return what intervals calibrated within ``train`` hold of ``test``, by level."""
    is_held_out = held_out(train)
    fit, calibration = train.select(~is_held_out), train.select(is_held_out)
    settings = Hyperparameters.choose(fit, seed=seed)
    model = with_intervals(fit_snapshot(fit, settings, validation=calibration), fit, calibration)
    intervals = model.items.intervals
    if intervals is None:
        raise ValueError(f"{train.name} has too few ratings to calibrate intervals")
    users, items = test.rows_in(fit)
    predicted, actual = model.predict(users, items), np.asarray(test.values)
    item_counts = counts_at(model.item_counts, items)
    user_counts = counts_at(fit.counts_by_user, users)
    thirds = dict(zip(BY, map(_thirds, (item_counts, user_counts, predicted)), strict=True))
    found: dict[float, Coverage] = {}
    for level in LEVELS:
        low, high = intervals.bounds(predicted, item_counts, user_counts, level)
        is_held = (low <= actual) & (actual <= high)
        found[level] = {
            "coverage": float(is_held.mean()),
            "width": float((high - low).mean()),
            **{name: [float(is_held[rows].mean()) for rows in of] for name, of in thirds.items()},
        }
    return found


def measure(parts: Iterable[Parts], seed: int) -> dict[str, Coverage]:
    """Return the mean of `cover` over the parts, by level in percent."""
    found = [cover(train, test, seed) for train, test in parts]
    return {f"{level:.0%}": _mean([each[level] for each in found]) for level in LEVELS}


def is_reached(measured: Mapping[str, Coverage]) -> bool:
    """Return whether the goal is reached."""
    of = measured[f"{GOAL_LEVEL:.0%}"]
    values = [of["coverage"], *np.atleast_1d(of["popularity"])]
    ranges = [GOAL, *[GOAL_OF_A_THIRD] * 3]
    return all(low <= value <= high for value, (low, high) in zip(values, ranges, strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return 0 if the goal is reached on each set."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intervals", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="a folder with ML-100k")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        sets = {"the embedded set, five folds": seeded_folds(read_ratings(), options.seed)}
        if (options.data / "u1.base").exists():
            sets = {"ML-100k, u1 to u5": official_splits(options.data)} | sets
        else:
            print(f"{options.data} has no u1.base; ML-100k is left out", file=sys.stderr)
        measured = {name: measure(parts, options.seed) for name, parts in sets.items()}
    except RecsysError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    reached = {name: is_reached(of) for name, of in measured.items()}
    if options.json:
        print(json.dumps({"seed": options.seed, "intervals": measured, "reached": reached}))
    else:
        for name, of in measured.items():
            _print(f"{name}, seed {options.seed}", of)
        told = ", ".join(f"{name}: {'yes' if yes else 'no'}" for name, yes in reached.items())
        print(f"\nGoal at 80 % reached: {told}")
    return 0 if all(reached.values()) else 1


def _thirds(values: NDArray[np.generic]) -> list[NDArray[np.intp]]:
    """Return the rows of the lowest, the middle and the highest third."""
    return np.array_split(np.argsort(values, kind="stable"), 3)


def _mean(found: Sequence[Coverage]) -> Coverage:
    return {name: np.mean([each[name] for each in found], axis=0).tolist() for name in found[0]}


def _print(title: str, measured: Mapping[str, Coverage]) -> None:
    rows = [
        [level, f"{of['width']:.2f}", f"{of['coverage']:.3f}"]
        + [" ".join(f"{share:.2f}" for share in np.atleast_1d(of[name])) for name in BY]
        for level, of in measured.items()
    ]
    print(f"\n{title}: share of test ratings held, overall and by thirds, lowest first\n")
    print(tabulate(rows, ["level", "width", "all", *BY], disable_numparse=True))


if __name__ == "__main__":
    sys.exit(main())

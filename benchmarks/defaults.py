"""How far the shipped defaults are from the best found: ``python -m benchmarks.defaults``.

The search of ``recsys tune`` on data of several sizes, for both objectives: the embedded set less
its held-out tenth, the training part u1.base of ML-100k where it is at hand, and the ratings of a
seeded quarter of the users of each; a million synthetic ratings only if asked for. The best of a
search was chosen on its validation part, so it and the defaults are trained once more on another
cut of the training ratings, with another seed, and compared there. No test part is read. Needs
Optuna.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from recsys.data import Ratings
from recsys.data.readers import read_ratings
from recsys.data.split import held_out
from recsys.data.synthetic import synthetic_ratings
from recsys.errors import RecsysError
from recsys.evaluation.comparison import Comparison, Difference
from recsys.evaluation.evaluate import evaluate
from recsys.model.served import Served
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.search_parts import cut_validation
from recsys.training.tune import Search

ML_100K = Path(__file__).parents[2] / "shared" / "data" / "ml-100k"
SIZES = ("quarter", "whole", "synthetic")
OBJECTIVES = ("rating", "ranking")


def data_sets(sizes: list[str], ml_100k: Path, seed: int) -> Iterator[tuple[str, Ratings]]:
    """Yield the training ratings of each data set of these sizes, with its name."""
    embedded = read_ratings()
    sets = {"embedded": embedded.select(~held_out(embedded))}
    if (ml_100k / "u1.base").exists():
        sets["ML-100k"] = read_ratings(ml_100k / "u1.base")
    else:
        print(f"{ml_100k} has no u1.base; ML-100k is left out", file=sys.stderr)
    for name, ratings in sets.items():
        if "quarter" in sizes:
            yield f"{name} / 4", a_quarter(ratings, seed)
        if "whole" in sizes:
            yield name, ratings
    if "synthetic" in sizes:
        rng = np.random.default_rng(seed)
        yield "synthetic", synthetic_ratings(6000, 4000, 1_000_000, 10, 0.8, rng)[0]


def a_quarter(ratings: Ratings, seed: int) -> Ratings:
    """Return the ratings of a random quarter of the users."""
    chosen = np.random.default_rng(seed).permutation(ratings.n_users)[: ratings.n_users // 4]
    return ratings.select(np.isin(ratings.users, chosen)).compact()


def measure(
    ratings: Ratings, objective: str, n_trials: int, seed: int, path: Path | None
) -> dict[str, Any]:
    """Return what a search found, beside the defaults, and the same two on another cut."""
    search = Search(cut_validation(ratings, seed), {"objective": objective, "seed": seed}, path)
    search.run(n_trials)
    best, defaults = search.ranked[0], search.trials[0]
    return {
        "n_ratings": ratings.n_ratings,
        "metric": search.metric,
        "n_trials": len(search.trials),
        "scores": {"defaults": defaults.score, "best": best.score},
        "gain": _as_json(search.gain()),
        "elsewhere": _as_json(_again(search, ratings, seed + 1)),
        "hyperparameters": {
            name: [trial.hyperparameters[name] for trial in (defaults, best)]
            for name in search.space
        },
    }


def _again(search: Search, ratings: Ratings, seed: int) -> Difference:
    """Return the best settings' score less the defaults', on another cut, with another seed."""
    train, validation = cut_validation(ratings, seed)
    evaluations = {}
    for name, trial in (("best", search.ranked[0]), ("defaults", search.trials[0])):
        settings = Hyperparameters(**{**_as_given(trial.hyperparameters), "seed": seed})
        snapshot = fit_snapshot(train, settings)
        evaluations[name] = evaluate(Served.of([snapshot]), train, validation)
    comparison = Comparison()
    comparison.add(evaluations)
    return comparison.differences("best", "defaults")[search.metric]


def _as_given(stored: Any) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }


def _as_json(found: Difference | None) -> dict[str, float] | None:
    return found and {"value": found.value, **found.interval._asdict()}


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.defaults", description=__doc__)
    parser.add_argument("--trials", type=int, default=20, help="of each search; default 20")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=SIZES[:2])
    parser.add_argument("--objectives", nargs="+", choices=OBJECTIVES, default=OBJECTIVES)
    parser.add_argument("--data", type=Path, default=ML_100K, help="a folder with ML-100k")
    parser.add_argument("--keep", type=Path, help="an SQLite file of trials, to go on later")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    found: dict[str, dict[str, Any]] = {name: {} for name in options.objectives}
    try:
        for name, ratings in data_sets(options.sizes, options.data, options.seed):
            for objective, by_data in found.items():
                print(f"{objective}, {name}: {ratings.n_ratings:,} ratings", file=sys.stderr)
                by_data[name] = measure(
                    ratings, objective, options.trials, options.seed, options.keep
                )
    except RecsysError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if options.json:
        print(json.dumps({"seed": options.seed, "found": found}, indent=2))
        return 0
    print(f"Seed {options.seed}, {options.trials} trials each, the defaults among them.")
    for objective, by_data in found.items():
        _print(objective, by_data)
    return 0


def _print(objective: str, by_data: dict[str, Any]) -> None:
    metric = next(iter(by_data.values()))["metric"]
    print(f"\n{objective}: {metric} on the validation part, and best less defaults elsewhere\n")
    scores = [
        [name, f"{of['n_ratings']:,}", *of["scores"].values(), _shown(of["elsewhere"])]
        for name, of in by_data.items()
    ]
    print(tabulate(scores, ["", "ratings", "defaults", "best", "best less defaults"],
                   floatfmt=".4f", colalign=["left"] + ["right"] * 4))  # fmt: skip
    print("\nDefault, and the best found:\n")
    names = next(iter(by_data.values()))["hyperparameters"]
    values = [
        [
            name,
            *(
                " > ".join(f"{v:.3g}" for v in of["hyperparameters"][name])
                for of in by_data.values()
            ),
        ]
        for name in names
    ]
    print(tabulate(values, ["", *by_data], disable_numparse=True,
                   colalign=["left"] + ["right"] * len(by_data)))  # fmt: skip


def _shown(found: dict[str, float]) -> str:
    return f"{found['value']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}]"


if __name__ == "__main__":
    sys.exit(main())

"""Predicted stars and ranked lists of the shipped defaults: ``python -m benchmarks.accuracy``.

Stars: RMSE on the five official splits of ML-100k, where they are at hand, and on five seeded
folds of the embedded set. Lists: pairs with 4 stars and more, a fifth of each user's held out at
three seeds, the whole catalogue as candidates. Beside them the baselines, other systems where
they are installed (``--peers``), and figures of others on the same protocols.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from tabulate import tabulate

from benchmarks.accuracy import peers, published, settings
from benchmarks.accuracy.parts import liked_pairs, official_splits, seeded_folds
from recsys.data.readers import read_ratings
from recsys.errors import RecsysError
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.protocols import Parts

DEFAULT_DATA = Path(__file__).parents[3] / "shared" / "data" / "ml-100k"
STARS = ("rmse",)
LISTS = ("ndcg@10", "coverage@10", "popularity_lift@10")

Measured = dict[str, dict[str, list[float]]]
"""The score on each part, by predictor and metric."""


def measure(parts: Iterable[Parts], fits: settings.Fits, metrics: Sequence[str]) -> Measured:
    """Return the scores of each predictor on each of the parts."""
    found: Measured = {name: {metric: [] for metric in metrics} for name in fits}
    for train, test in parts:
        for name, fit in fits.items():
            scores = evaluate(fit(train), train, test).scores()
            for metric in metrics:
                found[name][metric].append(scores[metric])
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="a folder with ML-100k")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ablation", action="store_true", help="also what each ingredient gives")
    parser.add_argument("--peers", action="store_true", help="also other systems, if installed")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        stars, lists = _measure_all(options)
    except RecsysError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if options.json:
        result = {
            "seed": options.seed,
            "stars": stars,
            "lists": lists,
            "published": {
                "stars": [row._asdict() for row in published.STARS],
                "lists": [row._asdict() for row in published.LISTS],
            },
        }
        print(json.dumps(result, indent=2))
        return 0
    print(f"seed {options.seed}; means, and each part where there are five")
    for name, measured in stars.items():
        _print_stars(name, measured)
    for name, measured in lists.items():
        _print_lists(name, measured)
    if len(stars) > 1:
        _print_published()
    return 0


def _measure_all(options: argparse.Namespace) -> tuple[dict[str, Measured], dict[str, Measured]]:
    seed = options.seed
    of_stars = settings.stars(seed, ablation=options.ablation)
    of_lists = settings.lists(seed, ablation=options.ablation)
    if options.peers:
        of_stars |= peers.star_peers(seed)
        of_lists |= peers.list_peers(seed)
    embedded = read_ratings()
    stars = {"the embedded set, five folds": seeded_folds(embedded, seed)}
    lists = {"the embedded set": liked_pairs(embedded, seed)}
    if (options.data / "u1.base").exists():
        stars = {"ML-100k, u1 to u5": official_splits(options.data)} | stars
        lists = {"ML-100k": liked_pairs(read_ratings(options.data / "u.data"), seed)} | lists
    else:
        print(f"{options.data} has no u1.base; ML-100k is left out", file=sys.stderr)
    return (
        {name: measure(parts, of_stars, STARS) for name, parts in stars.items()},
        {name: measure(parts, of_lists, LISTS) for name, parts in lists.items()},
    )


def _print_stars(title: str, measured: Measured) -> None:
    by_name: Mapping[str, list[float]] = {name: of["rmse"] for name, of in measured.items()}
    rows = [[name, np.mean(scores), *scores] for name, scores in by_name.items()]
    n_parts = len(next(iter(by_name.values())))
    print(f"\nPredicted stars, RMSE: {title}\n")
    print(tabulate(rows, ["", "mean", *range(1, n_parts + 1)], floatfmt=".4f"))


def _print_lists(title: str, measured: Measured) -> None:
    rows = [[name, *(np.mean(of[metric]) for metric in LISTS)] for name, of in measured.items()]
    print(f"\nRanked lists, mean of three draws: {title}\n")
    print(tabulate(rows, ["", *LISTS], floatfmt=("", ".4f", ".3f", ".2f")))


def _print_published() -> None:
    print("\nOthers on the same protocols of ML-100k, not measured here\n")
    print(tabulate(published.STARS, ["RMSE", "mean", "u1"], floatfmt=".3f"))
    print()
    print(tabulate(published.LISTS, ["", "ndcg@10"], floatfmt=".3f"))


if __name__ == "__main__":
    sys.exit(main())

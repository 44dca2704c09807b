"""Newcomers folded in against the same people trained: ``python -m benchmarks.fold_in``.

One in ten of the users with 40 ratings and more is left out of a training, then folded in from
their first 5, 10 and 20 ratings (by time, where there are timestamps). Against them stand the same
users trained in full, together with everybody, on exactly those ratings. All are asked for what
the users rated after their twentieth: the stars (RMSE), and in lists of ten what they liked (nDCG).
The goal, from 20 ratings: RMSE within .01 and nDCG@10 within 5 % of the training in full.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate

from recsys.data import Ratings
from recsys.data.readers import read_ratings
from recsys.errors import RecsysError
from recsys.evaluation.evaluate import evaluate
from recsys.model.fold_in import FoldIn
from recsys.model.served import Served
from recsys.model.snapshot import Snapshot
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters

ML_100K = Path("../shared/data/ml-100k/u.data")
SHARE, LEAST_RATINGS = 0.1, 40
FROM = (5, 10, 20)
MOST_RMSE, LEAST_NDCG = 0.01, 0.95


@dataclass(frozen=True)
class Row:
    """How well the same newcomers were answered in three ways, from their first ratings.

    Attributes
    ----------
    n_ratings : int
        How many were known of each.
    nothing, folded, full : dict of str to float
        ``rmse`` and ``ndcg@10`` with nothing known of them, folded in, and trained in full.
    """

    n_ratings: int
    nothing: dict[str, float]
    folded: dict[str, float]
    full: dict[str, float]

    @property
    def is_reached(self) -> bool:
        """Whether folding in came as near to training in full as is the goal."""
        return (
            self.folded["rmse"] <= self.full["rmse"] + MOST_RMSE
            and self.folded["ndcg@10"] >= self.full["ndcg@10"] * LEAST_NDCG
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one table per data set; return 0 if the goal is reached on each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fold_in", description=__doc__)
    parser.add_argument(
        "--data", nargs="+", help="ratings; default: the embedded set, and ML-100k where at hand"
    )
    parser.add_argument("--seed", type=int, default=0, help="of who is left out and of trainings")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    data = options.data or [None, *([str(ML_100K)] if ML_100K.exists() else [])]
    told: dict[str, Any] = {"seed": options.seed, "data": {}}
    is_reached = True
    for name in data:
        try:
            ratings = read_ratings(name)
            newcomers = draw_newcomers(ratings, options.seed)
            rows = list(measure(ratings, newcomers, seed=options.seed))
        except RecsysError as error:
            print(error, file=sys.stderr)
            return error.exit_code
        is_reached &= rows[-1].is_reached
        told["data"][ratings.name] = {
            "n_newcomers": len(newcomers),
            "rows": [asdict(row) for row in rows],
            "reached": rows[-1].is_reached,
        }
        if not options.json:
            print(f"\n{ratings.name}, {len(newcomers)} newcomers, seed {options.seed}\n")
            print(table(rows))
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        print(f"\nThe goal, from {FROM[-1]} ratings, is {'reached' if is_reached else 'missed'}.")
    return 0 if is_reached else 1


def draw_newcomers(ratings: Ratings, seed: int) -> NDArray[np.int64]:
    """Return a tenth of the users who have ratings enough, drawn at random, ascending."""
    n_ratings = ratings.counts_by_user
    able = np.flatnonzero(n_ratings >= LEAST_RATINGS)
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(able, size=int(len(able) * SHARE), replace=False))


def measure(ratings: Ratings, newcomers: NDArray[np.int64], **settings: Any) -> Iterator[Row]:
    """Yield what came of each number of first ratings.

    Parameters
    ----------
    ratings : Ratings
    newcomers : (n_newcomers,) int
        Users to be left out.
    **settings
        Of `Hyperparameters`, for both objectives; the rest are the defaults.
    """
    is_newcomers = np.isin(ratings.users, newcomers)
    turn = turns(ratings)
    test = ratings.select(is_newcomers & (turn >= FROM[-1]))
    without = fit_both(ratings.select(~is_newcomers), **settings)
    for n in FROM:
        train = ratings.select(~is_newcomers | (turn < n))
        first = ratings.select(is_newcomers & (turn < n))
        folded = [fold_in(snapshot, first) for snapshot in without]
        scores = (
            evaluate(Served.of(snapshots), train, test).scores()
            for snapshots in (without, folded, fit_both(train, **settings))
        )
        yield Row(n, *({name: of[name] for name in ("rmse", "ndcg@10")} for of in scores))


def turns(ratings: Ratings) -> NDArray[np.int64]:
    """Return which of its user's ratings each one is, from 0, by time or as they stand."""
    when = np.arange(ratings.n_ratings) if ratings.timestamps is None else ratings.timestamps
    order = np.lexsort((ratings.items, when, ratings.users))
    users = ratings.users[order]
    starts = np.searchsorted(users, users)
    turn = np.empty(ratings.n_ratings, np.int64)
    turn[order] = np.arange(ratings.n_ratings) - starts
    return turn


def fit_both(train: Ratings, **settings: Any) -> list[Snapshot]:
    """Return the snapshots of both objectives, trained as `recsys train` does."""
    return [
        fit_snapshot(train, Hyperparameters.choose(train, objective=objective, **settings))
        for objective in ("rating", "ranking")
    ]


def fold_in(snapshot: Snapshot, first: Ratings) -> Snapshot:
    """Return the snapshot with the users of ``first`` folded in from these ratings."""
    factors, bias = snapshot.user_factors.copy(), snapshot.user_bias.copy()
    closed_form = FoldIn(snapshot.items)
    for user in np.unique(first.users):
        own = first.select(first.users == user)
        folded = closed_form.fold_in(own.items, own.values)
        factors[user], bias[user] = folded.user_factors, folded.user_bias
    return replace(snapshot, user_factors=factors, user_bias=bias)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text, one line per way and metric."""
    lines = []
    for metric, digits in (("rmse", ".4f"), ("ndcg@10", ".3f")):
        for row in rows:
            found = [getattr(row, way)[metric] for way in ("nothing", "folded", "full")]
            lines.append([metric, row.n_ratings, *(format(value, digits) for value in found)])
    headers = ["", "first ratings", "nothing known", "folded in", "trained in full"]
    return tabulate(lines, headers, disable_numparse=True, stralign="right")


if __name__ == "__main__":
    sys.exit(main())

"""Ten people's lists beside what they like: ``python -m benchmarks.lists``.

Trained as `recsys train` does, on all but the held-out ratings. A list is worth a look before any
figure: each is shown beside the person's own favourites, with a star at what the person turned out
to like among the held-out ratings. Below stand the figures of everybody's lists.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate

from recsys.analysis.people import draw_users, favourites
from recsys.data import Ratings
from recsys.data.readers import read_ratings
from recsys.data.relevance import is_relevant
from recsys.data.split import held_out
from recsys.errors import RecsysError
from recsys.evaluation.evaluate import LIST_LENGTH, evaluate
from recsys.evaluation.lists import recommend_lists
from recsys.evaluation.predictor import Predictor
from recsys.model.baselines import LIST_BASELINES
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters

METRICS = ("ndcg@10", "coverage@10", "novelty@10", "popularity_lift@10", "diversity@10")
TITLE_WIDTH = 36  # two of them, and the star, in 80 columns


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the lists, then the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lists", description=__doc__)
    parser.add_argument("--data", help="ratings with titles; default: the embedded set")
    parser.add_argument("--users", type=int, default=10, help="how many people to show")
    parser.add_argument("--seed", type=int, default=0, help="of the training and of who is shown")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        ratings = read_ratings(options.data)
        is_test = held_out(ratings)
        train, test = ratings.select(~is_test), ratings.select(is_test)
        settings = Hyperparameters.choose(train, objective="ranking", seed=options.seed)
        model = fit_snapshot(train, settings)
    except RecsysError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    predictors: dict[str, Predictor] = {"recsys": model}
    predictors |= {name: baseline(train) for name, baseline in LIST_BASELINES.items()}
    scores = {name: evaluate(p, train, test).scores() for name, p in predictors.items()}
    users = draw_users(train, options.users, np.random.default_rng(options.seed))
    lists = recommend_lists(model, train, users, LIST_LENGTH)
    people = [
        describe(train, test, int(user), listed) for user, listed in zip(users, lists, strict=True)
    ]
    if options.json:
        figures = {name: {m: of[m] for m in METRICS} for name, of in scores.items()}
        print(json.dumps({"seed": options.seed, "people": people, "figures": figures}, indent=2))
        return 0
    for person in people:
        show(person)
    print(f"\nEverybody's lists, {train.name}, seed {options.seed}\n")
    rows = [[name, *(of[metric] for metric in METRICS)] for name, of in scores.items()]
    print(tabulate(rows, ["", *METRICS], floatfmt=".3f"))
    return 0


def describe(train: Ratings, test: Ratings, user: int, listed: NDArray[np.int32]) -> dict[str, Any]:
    """Return a user's id, favourites, list, and which of it the user turned out to like.

    Favourites are the best-rated training items, of equally rated ones the most popular.
    """
    best = favourites(train, user, LIST_LENGTH)
    liked = test.items[(test.users == user) & is_relevant(test)]
    return {
        "user_id": train.user_ids[user],
        "n_ratings": int((train.users == user).sum()),
        "favourites": [_title(train, row) for row in train.items[best]],
        "list": [_title(train, row) for row in listed if row >= 0],
        "liked": [bool(row in liked) for row in listed if row >= 0],
    }


def show(person: dict[str, Any]) -> None:
    """Print one person's favourites and list, side by side."""
    print(f"\nUser {person['user_id']}, {person['n_ratings']} ratings\n")
    marked = [
        f"{title[:TITLE_WIDTH]}{' *' if liked else ''}"
        for title, liked in zip(person["list"], person["liked"], strict=True)
    ]
    favourites = [title[:TITLE_WIDTH] for title in person["favourites"]]
    n = max(len(marked), len(favourites))
    columns = (column + [""] * (n - len(column)) for column in (favourites, marked))
    rows = list(zip(*columns, strict=True))
    print(tabulate(rows, ["favourites", "recommended"]))


def _title(ratings: Ratings, item: int) -> str:
    return ratings.metadata.titles[item] or ratings.item_ids[item]


if __name__ == "__main__":
    sys.exit(main())

"""Learned item biases of ML-100k beside the published ones: ``python -m benchmarks.bias_titles``.

The published setting: the item biases of an embedding dot product with biases, of the 1,000
most-rated films only (fast.ai, Practical Deep Learning for Coders 2019, lesson 4). The films at
both ends differ from run to run and among the published runs themselves; two of them share at
least 8 of 15.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

from recsys.analysis import BiasRow, bias_table, catalogue_of
from recsys.data.readers import read_ratings
from recsys.data.split import held_out
from recsys.errors import DataError, RecsysError
from recsys.model.snapshot import Catalogue
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters

DEFAULT_DATA = Path(__file__).parents[2] / "shared" / "data" / "ml-100k"
MOST_RATED = 1000
GOAL = 8

LOWEST = (
    "Children of the Corn: The Gathering",
    "Lawnmower Man 2",
    "Mortal Kombat: Annihilation",
    "Cable Guy",
    "Striptease",
    "Free Willy 3",
    "Beautician and the Beast",
    "Bio-Dome",
    "Joe's Apartment",
    "Island of Dr. Moreau",
    "Barb Wire",
    "Crow: City of Angels",
    "Grease 2",
    "Home Alone 3",
    "McHale's Navy",
)
HIGHEST = (
    "Schindler's List",
    "Titanic",
    "Shawshank Redemption",
    "L.A. Confidential",
    "Rear Window",
    "Star Wars",
    "As Good As It Gets",
    "Silence of the Lambs",
    "Good Will Hunting",
    "Vertigo",
    "Godfather",
    "Das Boot",
    "Usual Suspects",
    "Casablanca",
    "A Close Shave",
)


@dataclass(frozen=True)
class End:
    """One end of our bias table beside the published one.

    Attributes
    ----------
    ours : tuple of BiasRow
        From the end inwards, as many as are published.
    published : tuple of str
        As published.
    published_ids : tuple of str
        The item of each.
    """

    ours: tuple[BiasRow, ...]
    published: tuple[str, ...]
    published_ids: tuple[str, ...]

    @property
    def overlap(self) -> int:
        """How many items stand in both."""
        return len({row.item_id for row in self.ours} & set(self.published_ids))


def title_key(title: str) -> str:
    """Return a title as words alone: ``"Boot, Das"`` and ``"Das Boot"`` are both ``"boot"``."""
    title = re.sub(r"\s*\(\d{4}\)\s*$", "", title.casefold())
    title = re.sub(r"^(.*), (the|a|an|das)$", r"\2 \1", title)
    title = re.sub(r"^(the|a|an|das) ", "", title)
    return " ".join(re.findall(r"[^\W_]+", title.replace("'", "").replace(".", "")))


def find_items(titles: Sequence[str], catalogue: Catalogue) -> tuple[str, ...]:
    """Return the item id of each title.

    A title without its subtitle is found too, unless another film has that very title: "Free
    Willy 3" is "Free Willy 3: The Rescue", "Godfather" is not "Godfather: Part II". Among films
    of the same title the most rated one is meant.

    Raises
    ------
    DataError
        If no item has the title.
    """
    by_key: dict[str, list[int]] = {}
    by_short_key: dict[str, list[int]] = {}
    for row, title in enumerate(catalogue.metadata.titles):
        if title is not None:
            by_key.setdefault(title_key(title), []).append(row)
            by_short_key.setdefault(title_key(title.split(":")[0]), []).append(row)

    def find(title: str) -> str:
        key = title_key(title)
        rows = by_key.get(key) or by_short_key.get(key)
        if not rows:
            raise DataError("no film of the data has this published title", value=title)
        return catalogue.item_ids[max(rows, key=lambda row: int(catalogue.n_ratings[row]))]

    return tuple(map(find, titles))


@dataclass(frozen=True)
class Measured:
    """Both ends, and what they were measured on."""

    data: str
    n_ratings: int
    n_train: int
    seed: int
    ends: dict[str, End]


def measure(data: Path, seed: int) -> Measured:
    """Return both ends of the bias table of a model trained with the defaults."""
    ratings = read_ratings(data)
    kept_back = held_out(ratings)
    train = ratings.select(~kept_back)
    snapshot = fit_snapshot(
        train, Hyperparameters.choose(train, seed=seed), validation=ratings.select(kept_back)
    )
    catalogue = catalogue_of(ratings)
    table = bias_table(snapshot.items, catalogue, min_ratings=0, most_rated=MOST_RATED)
    ends = {
        name: End(rows(len(titles)), titles, find_items(titles, catalogue))
        for name, rows, titles in (
            ("lowest", table.worst, LOWEST),
            ("highest", table.best, HIGHEST),
        )
    }
    return Measured(ratings.name, ratings.n_ratings, train.n_ratings, seed, ends)


def as_json(measured: Measured) -> str:
    """Return what was measured as one JSON object."""
    ends = {
        name: {
            "overlap": end.overlap,
            "of": len(end.published),
            "ours": [{"title": row.label, "bias": round(row.bias, 4)} for row in end.ours],
            "published": list(end.published),
        }
        for name, end in measured.ends.items()
    }
    facts = {name: value for name, value in vars(measured).items() if name != "ends"}
    return json.dumps(facts | ends, ensure_ascii=False, indent=2)


def as_tables(measured: Measured) -> str:
    """Return what was measured as tables; a star marks what stands in both columns."""
    head = (
        f"{measured.data}: {measured.n_ratings:,} ratings, {measured.n_train:,} trained on; "
        f"defaults, seed {measured.seed}; the {MOST_RATED:,} most-rated films"
    )
    tables = (_as_table(name, end) for name, end in measured.ends.items())
    return "\n\n".join([head, *tables])


def _as_table(name: str, end: End) -> str:
    our_ids = {row.item_id for row in end.ours}
    rows: Iterable[tuple[str, ...]] = (
        (
            f"{row.bias:+.3f}",
            f"{row.n_ratings}",
            _marked(row.label, row.item_id in end.published_ids),
            _marked(title, item_id in our_ids),
        )
        for row, title, item_id in zip(end.ours, end.published, end.published_ids, strict=True)
    )
    table = tabulate(
        rows,
        headers=("bias", "ratings", f"{name} here", f"{name} as published"),
        colalign=("right", "right", "left", "left"),
        disable_numparse=True,
    )
    return f"{table}\n\n{end.overlap} of the {len(end.published)} published; the goal is {GOAL}."


def _marked(title: str, in_both: bool) -> str:
    return f"{title} *" if in_both else title


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison; return 0 if both ends reach the goal, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bias_titles", description=__doc__)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="a folder with ML-100k")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        measured = measure(options.data, options.seed)
    except RecsysError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print((as_json if options.json else as_tables)(measured))
    return 0 if all(end.overlap >= GOAL for end in measured.ends.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

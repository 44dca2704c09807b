"""Items 1 and 2 on ML-100k itself; 26 to 28 and 30 on what the defaults learn of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.bias_titles import GOAL, find_items, measure
from benchmarks.reference.rows import Row, at_least, equal
from recsys.analysis.items import catalogue_of
from recsys.analysis.neighbours import nearest_items
from recsys.analysis.pca import principal_axes
from recsys.data.ratings import Ratings
from recsys.data.readers import read_ratings
from recsys.data.split import held_out, split_by_rating
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Catalogue
from recsys.training.fit import fit_snapshot
from recsys.training.hyperparameters import Hyperparameters

# The films published for the two ends of an axis; on which side an end lies means nothing.
AXES = (
    (
        "28 first axis, classics against family comedies",
        ("Casablanca", "A Close Shave", "Lawrence of Arabia", "Chinatown"),
        ("Home Alone 3", "Jungle2Jungle", "Bio-Dome", "D3"),
    ),
    (
        "28 second axis, big hits against gritty art films",
        ("Braveheart", "Titanic", "Raiders of the Lost Ark", "Star Wars"),
        ("Trainspotting", "Clockwork Orange", "Dead Man"),
    ),
)


def data_set(data: Path) -> Iterator[Row]:
    """Yield the size of ML-100k, its first row, and the ids of a split: items 1 and 2."""
    ratings = read_ratings(data)
    films = ratings.metadata
    n_titles = len(set(zip(films.titles, films.years, strict=True)))  # the release writes both
    for name, expected, ours in (
        ("users", 943, ratings.n_users),
        ("items", 1682, ratings.n_items),
        ("ratings", 100_000, ratings.n_ratings),
        ("titles", 1664, n_titles),
    ):
        yield equal(f"1 ML-100k: {name}", expected, ours, 0)
    yield from first_row(ratings)
    yield from split(ratings)


def first_row(ratings: Ratings) -> Iterator[Row]:
    """Yield the four columns of the first rating: item 1."""
    if ratings.values is None or ratings.timestamps is None:
        return
    for name, expected, ours in (
        ("user", 196, int(ratings.user_ids[int(ratings.users[0])])),
        ("item", 242, int(ratings.item_ids[int(ratings.items[0])])),
        ("stars", 3, ratings.values[0]),
        ("timestamp", 881250949, int(ratings.timestamps[0])),
    ):
        yield equal(f"1 ML-100k, first row: {name}", expected, ours, 0)


def split(ratings: Ratings) -> Iterator[Row]:
    """Yield how many held-out ratings are of an item that training lacks: item 2."""
    chosen = split_by_rating(ratings, 0.2, np.random.default_rng(0))
    test, train = ratings.select(chosen).compact(), ratings.select(~chosen).compact()
    only_held = set(ratings.items[chosen].tolist()) - set(ratings.items[~chosen].tolist())
    by_hand = np.isin(ratings.items[chosen], list(only_held)).sum()
    ours = (test.rows_in(train)[1] == -1).sum()
    reason = "no number is published; expected is counted from the two sets of ids"
    yield equal("2 split: held-out ratings of items unknown to training", by_hand, ours, 0, reason)


def embeddings(data: Path) -> Iterator[Row]:
    """Yield what is published on reading the embeddings: items 26 to 28, and 30."""
    yield from bias_titles(data)
    ratings = read_ratings(data)
    kept_back = held_out(ratings)
    train = ratings.select(~kept_back)
    snapshot = fit_snapshot(
        train, Hyperparameters.choose(train, seed=0), validation=ratings.select(kept_back)
    )
    catalogue = catalogue_of(ratings)
    yield from axes(snapshot.items, catalogue)
    yield from neighbours(snapshot.items, catalogue)


def bias_titles(data: Path) -> Iterator[Row]:
    """Yield how many of the published titles stand at our bias table's ends: items 26 and 27."""
    ends = measure(data, seed=0).ends
    runs = "published runs differ from each other; two of them share at least 8 of 15"
    for number, name in ((26, "lowest"), (27, "highest")):
        item = f"{number} titles of {name} bias: published ones among our 15"
        yield at_least(item, GOAL, ends[name].overlap, runs)
    lowest = ends["lowest"]
    both = {row.item_id for row in lowest.ours[:2]} & set(lowest.published_ids[:2])
    runs = "the first two agree in three published runs"
    yield at_least("26 first two titles of lowest bias: those published", 2, len(both), runs)


def axes(items: ItemSide, catalogue: Catalogue) -> Iterator[Row]:
    """Yield how many of the films published for an axis' ends lie on their side: item 28."""
    coordinates = principal_axes(items, catalogue, 3).coordinates
    for axis, (item, *sides) in enumerate(AXES):
        above, below = (
            coordinates[[catalogue.item_ids.row(i) for i in find_items(side, catalogue)], axis]
            for side in sides
        )
        n = max(((above * sign > 0).sum() + (below * sign < 0).sum()) for sign in (1, -1))
        reason = "how many of the films named lie on their side of zero"
        yield at_least(item, len(above) + len(below), n, reason)


def neighbours(items: ItemSide, catalogue: Catalogue) -> Iterator[Row]:
    """Yield how many of the nearest items are those of the formula written out: item 30."""
    (star_wars,) = find_items(["Star Wars"], catalogue)
    row = catalogue.item_ids.row(star_wars)
    factors = items.item_factors.astype(np.float64)
    norms = np.linalg.norm(factors, axis=1)
    norms[norms == 0] = np.inf  # items without training ratings, near nothing
    cosines = factors @ factors[row] / (norms * norms[row])
    by_hand = [catalogue.item_ids[int(i)] for i in np.argsort(-cosines) if i != row][:10]
    ours = nearest_items(items, catalogue, star_wars, 10, min_ratings=0)
    n = sum(neighbour.item_id == i for neighbour, i in zip(ours, by_hand, strict=True))
    reason = "no number is published; expected is the formula, written out"
    yield equal("30 Star Wars' ten nearest by cosine, itself left out", 10, n, 0, reason)

"""What the report says about the data."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from recsys.analysis.report import plots
from recsys.analysis.report.page import Block, Figure, Section, pairs
from recsys.data import Ratings
from recsys.model.snapshot import Catalogue


def data_section(catalogue: Catalogue, ratings: Ratings) -> Section:
    """Return how much there is, how it was rated, and how unevenly."""
    counts = catalogue.n_ratings
    n_rated, n_ratings = int((counts > 0).sum()), ratings.n_ratings
    rows = [
        ("Users", f"{ratings.n_users:,}"),
        ("Items", f"{len(counts):,}"),
        *([("Items with ratings", f"{n_rated:,}")] if n_rated < len(counts) else []),
        ("Ratings", f"{n_ratings:,}"),
        ("Density: share of all pairs that is rated", density(ratings)),
    ]
    blocks: list[Block] = []
    values = ratings.values
    if n_ratings:
        by_user = np.bincount(ratings.users)
        rows += [
            ("Ratings of the median item", f"{np.median(counts[counts > 0]):,.0f}"),
            ("Ratings of the median user", f"{np.median(by_user[by_user > 0]):,.0f}"),
        ]
    if ratings.timestamps is not None and n_ratings:
        first, last = (_day(t) for t in (ratings.timestamps.min(), ratings.timestamps.max()))
        rows.append(("Rated between", f"{first} and {last}"))
    if values is not None and n_ratings:
        low, high = ratings.rating_scale
        mean = values.mean(dtype=np.float64)
        rows += [
            ("Rating scale", f"{low:g} to {high:g} stars"),
            ("Mean rating", f"{mean:.2f} stars"),
        ]
        levels, frequency = np.unique(values, return_counts=True)
        commonest = levels[np.argmax(frequency)]
        share = frequency.max() / n_ratings
        blocks.append(
            Figure(
                "rating-histogram",
                plots.rating_histogram(values),
                f"Bar chart of the ratings given; {commonest:g} is the commonest.",
                f"How often each rating was given. The commonest is {commonest:g}, "
                f"{share:.0%} of all.",
            )
        )
    if n_rated:
        tenth = np.sort(counts)[::-1][: -(-n_rated // 10)].sum() / n_ratings
        blocks.append(
            Figure(
                "popularity",
                plots.popularity_curve(counts),
                "Line chart of the ratings of each item, from the most rated to the least.",
                f"The tenth of the items with the most ratings has {tenth:.0%} of all ratings. "
                "Both scales are logarithmic.",
            )
        )
    return Section("Data", (pairs("What there was to learn from", rows), *blocks))


def density(ratings: Ratings) -> str:
    """Return which share of all pairs of a user and a rated item is rated, in words."""
    n_pairs = ratings.n_users * len(np.unique(ratings.items))
    share = ratings.n_ratings / n_pairs if n_pairs else 0.0
    return f"{share:.2%}" if share >= 0.0001 else f"{share * 1e6:.3g} in a million"


def _day(timestamp: np.int64) -> str:
    return datetime.fromtimestamp(int(timestamp), UTC).date().isoformat()

"""What the report shows of lists: a few people's, beside what they like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recsys.analysis.items import item_label
from recsys.analysis.people import draw_users, favourites
from recsys.analysis.report.page import Block, Section, Table, Text, columns
from recsys.analysis.report.scores import Scores
from recsys.data import Ratings
from recsys.data.relevance import is_relevant
from recsys.evaluation.evaluate import LIST_LENGTH
from recsys.evaluation.lists import recommend_lists
from recsys.model.intervals import LEVEL
from recsys.model.snapshot import Catalogue, Snapshot, UserRow
from recsys.serving import Person
from recsys.serving.explanations import nearest_liked

_N_PEOPLE, _N_FAVOURITES, _N_REASONS = 3, 5, 2


def people_section(scores: Scores, catalogue: Catalogue, seed: int = 0) -> Section | None:
    """Return the lists of a few users drawn at random, with what they are alike to.

    None where nobody liked enough to see a taste.
    """
    train = scores.train
    users = draw_users(train, _N_PEOPLE, np.random.default_rng(seed))
    if not len(users):
        return None
    lists = recommend_lists(scores.served, train, users, LIST_LENGTH)
    stars = scores.served.rating is not None
    about = (
        f"The lists of {len(users)} users, drawn at random (seed {seed}) from those who liked "
        f"{LIST_LENGTH} training items or more. Held-out ratings are neither known to a list nor "
        "kept out of it: ✓ marks what the user turned out to like. Beside each item stand those "
        "the user liked whose embeddings point most nearly the same way, with the cosine: 1 is "
        "the same direction, 0 none in common."
    )
    if stars:
        about += (
            f" Stars are predicted; {LEVEL:.0%} of ratings predicted alike lie in the range "
            "behind them."
        )
    blocks: list[Block] = [Text(about)]
    for user, listed in zip(users.tolist(), lists, strict=True):
        blocks += [
            Text(_taste(train, catalogue, user)),
            _list(scores, catalogue, user, listed[listed >= 0]),
        ]
    return Section("Sample lists", tuple(blocks))


def _taste(train: Ratings, catalogue: Catalogue, user: int) -> str:
    best, values = favourites(train, user, _N_FAVOURITES), train.values
    named = [
        item_label(catalogue, int(train.items[at])) + ("" if values is None else f" {values[at]:g}")
        for at in best
    ]
    own = train.users == user
    rated = f"rated {own.sum():,} training items"
    if values is not None:
        rated += f", {values[own].mean(dtype=np.float64):.2f} stars on average"
    of = "of these the most popular" if values is None else "best of all, in stars"
    return f"User {train.user_ids[user]} {rated}; {of}: {'; '.join(named)}."


def _list(scores: Scores, catalogue: Catalogue, user: int, listed: NDArray[np.int32]) -> Table:
    train, test, served = scores.train, scores.test, scores.served
    person = _person(train, served.listing, user)
    liked = set(test.items[is_relevant(test) & (test.users == user)].tolist())
    stars = _stars(scores, user, listed)
    rows = []
    for place, item in enumerate(listed.tolist()):
        reasons = nearest_liked(served.listing.items, person, item, _N_REASONS)
        named = [
            f"{item_label(catalogue, reason.row)} {reason.similarity:.2f}" for reason in reasons
        ]
        rows.append(
            (
                f"{place + 1}",
                item_label(catalogue, item) + (" ✓" if item in liked else ""),
                *([stars[place]] if stars else []),
                "; ".join(named),
            )
        )
    return Table(
        f"Recommended to user {train.user_ids[user]}",
        columns(">", "Item", *([">Stars"] if stars else []), "Near what they liked"),
        tuple(rows),
    )


def _stars(scores: Scores, user: int, listed: NDArray[np.int32]) -> Sequence[str]:
    rating = scores.served.rating
    if rating is None:
        return []
    predicted = rating.predict(np.full(len(listed), user), listed)
    if rating.items.intervals is None:
        return [f"{value:.1f}" for value in predicted]
    n_own = int((scores.train.users == user).sum())
    low, high = rating.items.intervals.bounds(predicted, rating.item_counts[listed], n_own)
    return [
        f"{value:.1f} ({least:.1f}\u00a0to\u00a0{most:.1f})"
        for value, least, most in zip(predicted, low, high, strict=True)
    ]


def _person(train: Ratings, listing: Snapshot, user: int) -> Person:
    """Return a user as training knew them, without the held-out ratings."""
    own = np.flatnonzero(train.users == user)
    own = own[np.argsort(train.items[own])]
    values = None if train.values is None else train.values[own]
    factors, bias = listing.user_factors[user], float(listing.user_bias[user])
    return Person({listing.objective: UserRow(factors, bias, train.items[own], values)})

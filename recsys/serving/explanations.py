"""Why an item stands where it stands in a list, in numbers that add up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recsys.data.relevance import RELEVANT_FROM
from recsys.errors import NotFoundError
from recsys.model.fold_in import FoldedIn
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import UserRow
from recsys.serving.person import Person
from recsys.serving.recommender import Recommender

# Terms are multiples of it, so that float64 adds them without rounding, in any order, while the
# sum is below 2^13. It is far less than float32, in which lists are scored, can tell.
GRID = 2.0**-40


@dataclass(frozen=True)
class Terms:
    """What one score of a user and an item is the sum of.

    Attributes
    ----------
    global_mean, user_bias, item_bias : float
    factors : tuple of float
        The products of the entries of both embeddings, one per factor.
    trust : float
        What ``item_bias`` and ``factors`` were multiplied with: below 1 where a list trusts an
        item of few ratings less (`ItemSide.shrunk`).
    """

    global_mean: float
    user_bias: float
    item_bias: float
    factors: tuple[float, ...]
    trust: float

    @property
    def score(self) -> float:
        """The sum of all terms, exact."""
        return math.fsum((self.global_mean, self.user_bias, self.item_bias, *self.factors))


class Reason(NamedTuple):
    """What a rated item has to do with one that is recommended.

    Attributes
    ----------
    row : int
        Of the rated item.
    value : float or None
        Its rating; None where it is only known to have been chosen.
    influence : float or None
        What the rating adds to the score that orders the list; None for a user who was trained.
    stars_influence : float or None
        What it adds to the predicted stars, on the logit where there is a ``y_range``; None also
        where there are no rating embeddings.
    similarity : float or None
        The cosine of both embeddings; None for a user who was folded in.
    share : float or None
        The similarity, over the sum of those of all that the user liked.
    """

    row: int
    value: float | None
    influence: float | None = None
    stars_influence: float | None = None
    similarity: float | None = None
    share: float | None = None


def score_terms(side: ItemSide, user: UserRow, row: int, trust: float = 1.0) -> Terms:
    """Return the terms of a score, on the logit where there is a ``y_range``.

    Parameters
    ----------
    side : ItemSide
    user : UserRow
        Of the same objective.
    row : int
        Of the item.
    trust : float
        `ListOrder.trust`, for the score that orders a list.

    Raises
    ------
    NotFoundError
        If the score is no sum, but what a neural network answers.
    """
    if side.head is not None:
        raise NotFoundError(
            "the scores of a neural network are no sum of terms; those of the dot product are: "
            "recsys train --model dot"
        )
    products = user.factors.astype(np.float64) * side.item_factors[row] * trust
    return Terms(
        global_mean=_on_grid(side.global_mean),
        user_bias=_on_grid(user.bias),
        item_bias=_on_grid(float(side.item_bias[row]) * trust),
        factors=tuple(_on_grid(product) for product in products.tolist()),
        trust=trust,
    )


def reasons(asked: Recommender, person: Person, row: int, n: int) -> list[Reason]:
    """Return what speaks most for or against an item among all that a person rated.

    For somebody folded in that is what each rating adds to the score that orders lists, and,
    behind those that add nothing, to the stars; strongest first, and with a large enough ``n``
    all that add anything. For a trained user it is what they liked that is nearest to the item
    (`nearest_liked`).

    Parameters
    ----------
    asked : Recommender
    person : Person
    row : int
        Of the item.
    n : int
        How many, at most.
    """
    order = asked.order
    if not person.folded:
        return nearest_liked(order.side, person, row, n)
    scores = influences(order.side, person.folded[order.objective], row, order.trust(row))
    stars = None
    if "rating" in person.folded:
        stars = influences(asked.side("rating"), person.folded["rating"], row)
    told = [
        Reason(item, value, scores.get(item, 0.0), None if stars is None else stars.get(item, 0.0))
        for item, value in zip(person.rated_items.tolist(), _values(person), strict=True)
    ]
    told = [reason for reason in told if reason.influence or reason.stars_influence]
    return sorted(told, key=_strength, reverse=True)[:n]


def influences(side: ItemSide, folded: FoldedIn, row: int, trust: float = 1.0) -> dict[int, float]:
    """Return what each rating of somebody folded in adds to an item's score, by item row.

    The rest of the score depends on which items were rated, not on how; given those, that of
    stars is linear in the ratings.

    Parameters
    ----------
    side : ItemSide
    folded : FoldedIn
        Into the same embeddings.
    row : int
    trust : float
        As in `score_terms`.
    """
    _, per_rating = folded.contributions(side, row)
    added = trust * per_rating + (1 - trust) * folded.bias
    return dict(zip(folded.items.tolist(), map(_on_grid, added.tolist()), strict=True))


def baseline(
    side: ItemSide, folded: FoldedIn | None, row: int, score: float, trust: float = 1.0
) -> float | None:
    """Return a score less all `influences` on it; None for a user who was trained."""
    if folded is None:
        return None
    return score - math.fsum(influences(side, folded, row, trust).values())


def nearest_liked(side: ItemSide, person: Person, row: int, n: int) -> list[Reason]:
    """Return the ``n`` items that a person liked nearest to one, nearest first.

    Near are items whose embeddings point the same way; those that do not are left out, and so is
    the item itself. Liked is what has `RELEVANT_FROM` stars and more, or was chosen at all where
    there are no stars.
    """
    values, is_liked = person.rated_values, person.rated_items != row
    if values is not None:
        is_liked &= np.isnan(values) | (values >= RELEVANT_FROM)
    liked = np.flatnonzero(is_liked)
    items = person.rated_items[liked]
    factors, target = side.item_factors[items], side.item_factors[row]
    norms = np.linalg.norm(factors, axis=1) * np.linalg.norm(target)
    similarity = np.clip(factors @ target / np.where(norms > 0, norms, 1), 0, 1)
    nearest = [k for k in np.argsort(-similarity, kind="stable")[:n] if similarity[k] > 0]
    total, stars = similarity.sum(), _values(person)
    return [
        Reason(
            int(items[k]),
            stars[liked[k]],
            similarity=float(similarity[k]),
            share=float(similarity[k] / total),
        )
        for k in nearest
    ]


def _values(person: Person) -> list[float | None]:
    if person.rated_values is None:
        return [None] * len(person.rated_items)
    return [None if math.isnan(value) else value for value in person.rated_values.tolist()]


def _on_grid(value: float) -> float:
    return round(value / GRID) * GRID


def _strength(reason: Reason) -> tuple[float, float]:
    return abs(reason.influence or 0.0), abs(reason.stars_influence or 0.0)

"""Why an item stands where it stands in a list, in numbers that add up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.data.relevance import RELEVANT_FROM
from recsys.errors import NotFoundError
from recsys.model.fold_in import FoldedIn
from recsys.model.item_side import ItemSide
from recsys.model.snapshot import Objective, UserRow
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
    order, items = asked.order, person.rated_items
    if not person.folded:
        return nearest_liked(order.side, person, row, n)

    def added(objective: Objective, trust: float) -> NDArray[np.float64]:
        # Not every rating counts in each objective.
        folded, to_all = person.folded[objective], np.zeros(len(items))
        to_all[np.searchsorted(items, folded.items)] = influences(
            asked.side(objective), folded, row, trust
        )
        return to_all

    scores = added(order.objective, order.trust(row))
    stars = added("rating", 1.0) if "rating" in person.folded else None
    strengths = [np.abs(scores)] if stars is None else [np.abs(stars), np.abs(scores)]
    strongest = np.lexsort(strengths)[::-1][:n]
    return [
        Reason(
            int(items[k]),
            _value(person, k),
            influence=float(scores[k]),
            stars_influence=None if stars is None else float(stars[k]),
        )
        for k in strongest
        if any(strength[k] for strength in strengths)
    ]


def influences(
    side: ItemSide, folded: FoldedIn, row: int, trust: float = 1.0
) -> NDArray[np.float64]:
    """Return what each rating of somebody folded in adds to an item's score, (n,) float64.

    The rest of the score depends on which items were rated, not on how; given those, that of
    stars is linear in the ratings.

    Parameters
    ----------
    side : ItemSide
    folded : FoldedIn
        Into the same embeddings; the result has an entry for each of its ``items``.
    row : int
    trust : float
        As in `score_terms`.
    """
    _, per_rating = folded.contributions(side, row)
    added = trust * per_rating + (1 - trust) * folded.bias
    return np.asarray(np.rint(added / GRID) * GRID + 0.0)  # no negative zero


def baseline(
    side: ItemSide, folded: FoldedIn | None, row: int, score: float, trust: float = 1.0
) -> float | None:
    """Return a score less all `influences` on it; None for a user who was trained."""
    if folded is None:
        return None
    return score - float(influences(side, folded, row, trust).sum())


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
    total = similarity.sum()
    return [
        Reason(
            int(items[k]),
            _value(person, liked[k]),
            similarity=float(similarity[k]),
            share=float(similarity[k] / total),
        )
        for k in nearest
    ]


def _value(person: Person, place: int) -> float | None:
    """Return the rating at one place of a person's; None where there is none."""
    values = person.rated_values
    return None if values is None or np.isnan(values[place]) else float(values[place])


def _on_grid(value: float) -> float:
    return round(value / GRID) * GRID

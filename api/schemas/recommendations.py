"""What the answers with lists are made of."""

from __future__ import annotations

from itertools import repeat
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from api.schemas.common import ListOf, Number, shortest
from api.schemas.explanations import Reason, shown_reasons
from api.schemas.items import HeadFields, ItemHead, head_fields
from api.schemas.list_requests import ListOptions
from api.schemas.ratings import RatingError
from recsys.serving import Person, RankedItems, Recommender
from recsys.serving.explanations import baseline, score_terms

NextOffset = Annotated[
    int | None, Field(description="The `offset` of the next page; null on the last page.")
]


class Recommendation(ItemHead):
    """One place of a list."""

    rank: int = Field(description="1 is the best of the whole list, whatever the offset.")
    score: Number = Field(description="What orders the list; comparable within it only.")
    predicted_rating: Number | None = Field(
        description="In stars; null where the version has no rating embeddings."
    )
    low: Number | None = Field(
        description="8 of 10 such ratings lie between `low` and `high`; null where the version "
        "has no intervals."
    )
    high: Number | None
    baseline: float | None = Field(
        description="With `explain`, for somebody folded in: the score less what each of their "
        "ratings adds, its `influence`."
    )
    stars_baseline: float | None = Field(
        description="The same of the predicted rating and `stars_influence`, before it is cut to "
        "the scale, and on the logit where there is a `y_range`."
    )
    reasons: list[Reason] = Field(description="Strongest first; empty without `explain`.")


class RecommendationFields(HeadFields):
    """The fields of `Recommendation`, its numbers as numpy has them."""

    rank: int
    score: np.float32
    predicted_rating: np.float32 | None
    low: np.float32 | None
    high: np.float32 | None
    baseline: float | None
    stars_baseline: float | None
    reasons: list[Reason]


class RecommendationList(ListOf[Recommendation]):
    """A page of a user's list, best first."""

    fallback: Literal["popular"] | None = Field(
        description="What the list is instead of the user's own; null if it is the user's own."
    )


class SkippedRating(BaseModel):
    """A rating that does not count, and why."""

    index: int = Field(description="Its place in the request, from 0.")
    item_id: str
    error: RatingError


class NewcomerList(RecommendationList):
    """A page of somebody's list, best first."""

    next_offset: NextOffset
    skipped: list[SkippedRating] = Field(description="Ratings that do not count.")


class UserError(BaseModel):
    """Why there is no list."""

    type: Literal["urn:recsys:problem:unknown-user"]
    detail: str


class BatchResult(BaseModel):
    """The list of one user."""

    user_id: str
    items: list[Recommendation] = Field(description="Best first; empty where there is an error.")
    next_offset: NextOffset
    fallback: Literal["popular"] | None
    error: UserError | None = Field(description="Null where there is a list.")


class BatchList(ListOf[BatchResult]):
    """One list for each user, in the order of the request."""


def recommendations(
    asked: Recommender, ranked: RankedItems, options: ListOptions, person: Person | None
) -> list[RecommendationFields]:
    """Return a page of a list as the answer shows it.

    Parameters
    ----------
    asked : Recommender
    ranked : RankedItems
    options : ListOptions
        What was asked for.
    person : Person or None
        Whose list it is; None for a list of popular items, which has no reasons.
    """
    nothing = repeat(None)
    low, high = ranked.between or (nothing, nothing)
    stars = nothing if ranked.stars is None else ranked.stars
    items = ranked.items.tolist()
    places = zip(items, ranked.scores, stars, low, high, strict=False)
    listed: list[RecommendationFields] = [
        {
            **head_fields(asked.catalogue, row),
            "rank": rank,
            "score": score,
            "predicted_rating": predicted_rating,
            "low": lowest,
            "high": highest,
            "baseline": None,
            "stars_baseline": None,
            "reasons": [],
        }
        for rank, (row, score, predicted_rating, lowest, highest) in enumerate(
            places, start=options.offset + 1
        )
    ]
    if options.explain and person is not None:
        for row, fields in zip(items, listed, strict=True):
            _explain(fields, asked, person, row, options.n_reasons)
    return listed


def _explain(
    fields: RecommendationFields, asked: Recommender, person: Person, row: int, n_reasons: int
) -> None:
    order, score = asked.order, float(fields["score"])
    if "rating" in person.folded:
        side = asked.side("rating")
        stars = score_terms(side, person.rows["rating"], row).score
        fields["stars_baseline"] = baseline(side, person.folded["rating"], row, stars)
    fields["baseline"] = baseline(
        order.side, person.folded.get(order.objective), row, shortest(score), order.trust(row)
    )
    fields["reasons"] = shown_reasons(asked, person, row, n_reasons)

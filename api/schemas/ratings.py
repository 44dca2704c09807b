from __future__ import annotations

import sys
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from api.schemas.common import (
    Body,
    Id,
    IdInBody,
    Limit,
    ListOf,
    Number,
    Offset,
    Parameters,
    whole,
)
from api.schemas.items import HeadFields, ItemHead, head_fields
from recsys.data.feedback import LATEST
from recsys.model.snapshot import Catalogue
from recsys.serving.known_ratings import KnownRating

MAX_RATINGS = 1_000

# JSON has no largest number, and NaN is within no bounds.
GivenStars = Annotated[float, Field(strict=True, ge=-sys.float_info.max, le=sys.float_info.max)]
Time = Annotated[int, Field(strict=True, ge=0, le=LATEST), BeforeValidator(whole)]


class UserItemPath(BaseModel):
    """The path of one item of one user."""

    user_id: Id
    item_id: Id


class RatingsQuery(Parameters):
    """Which part of a user's ratings."""

    limit: Limit = 20
    offset: Offset = 0


class GivenRating(Body):
    """Who rated what, how and when."""

    user_id: IdInBody
    item_id: IdInBody
    rating: GivenStars | None = Field(
        default=None,
        description="Within the scale of the data set; left out where that has no ratings, only "
        "who took what.",
    )
    timestamp: Time | None = Field(default=None, description="Seconds since 1970; else now.")


class GivenRatings(Body):
    """Ratings to be kept."""

    ratings: Annotated[list[GivenRating], Field(min_length=1, max_length=MAX_RATINGS)]
    new_items: bool = Field(
        default=False,
        strict=True,
        description="Also take ratings of items that the version does not know; they count from "
        "the next training on. Without it, they are taken for mistyped.",
    )


class RatingError(BaseModel):
    """Why a rating was not taken."""

    type: Literal["urn:recsys:problem:unknown-item", "urn:recsys:problem:rating"]
    detail: str = Field(description="What is wrong, and what is allowed.")


class RatingResult(BaseModel):
    """What became of one of the ratings."""

    index: int = Field(description="Its place in the request, from 0.")
    user_id: str
    item_id: str
    accepted: bool = Field(description="Whether it is kept; then it is durable.")
    error: RatingError | None = Field(description="Null if it was accepted.")


class RatingResultList(ListOf[RatingResult]):
    """What became of each rating, in the order of the request."""

    n_accepted: int
    n_refused: int


class UserRating(ItemHead):
    """What a user rated, and how."""

    rating: Number | None = Field(description="Null where the data has no ratings.")
    timestamp: int | None = Field(
        description="Seconds since 1970; null where the data set has no times."
    )


class UserRatingList(ListOf[UserRating]):
    """A page of a user's ratings, newest first."""


def user_ratings(catalogue: Catalogue, known: list[KnownRating]) -> list[UserRating]:
    """Return ratings as the answer shows them."""
    rows = catalogue.item_ids.rows(rating.item_id for rating in known).tolist()
    return [
        UserRating(
            **(head_fields(catalogue, row) if row >= 0 else _unknown_head(rating.item_id)),
            rating=rating.value,
            timestamp=rating.rated_at,
        )
        for row, rating in zip(rows, known, strict=True)
    ]


def _unknown_head(item_id: str) -> HeadFields:
    return HeadFields(item_id=item_id, title=item_id, year=None, genres=[])

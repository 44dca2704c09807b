from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from api.schemas.common import (
    ID_CHARACTERS,
    LARGEST,
    Flag,
    Id,
    Limit,
    ListOf,
    Number,
    Offset,
    Parameters,
)
from api.schemas.items import Genre, ItemHead, MinRatings, head_fields
from recsys.model.item_side import Floats
from recsys.model.snapshot import Catalogue
from recsys.serving import Filters, RankedItems

MAX_PREDICTIONS = 100

Year = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]


class UserPath(BaseModel):
    """The path of one user."""

    user_id: Id


class RecommendationsQuery(Parameters):
    """Which items, how many, and what for somebody unknown."""

    limit: Limit = 10
    offset: Offset = 0
    genre: Genre | None = None
    year_min: Year | None = Field(default=None, description="First year of release.")
    year_max: Year | None = Field(default=None, description="Last year of release.")
    min_ratings: MinRatings = 0
    exclude_seen: Flag = Field(
        default=True, description="Leave out what the user is known to have rated."
    )
    fallback: Literal["popular"] | None = Field(
        default=None, description="For an unknown user: the items with the most ratings, not 404."
    )

    @property
    def filters(self) -> Filters:
        """What the items must fulfil."""
        return Filters(self.genre, self.year_min, self.year_max, self.min_ratings)


class Recommendation(ItemHead):
    """One place of a list."""

    rank: int = Field(description="1 is the best of the whole list, whatever the offset.")
    score: Number = Field(description="What orders the list; comparable within it only.")
    predicted_rating: Number | None = Field(
        description="In stars; null where the version has no rating embeddings."
    )


class RecommendationList(ListOf[Recommendation]):
    """A page of a user's list, best first."""

    fallback: Literal["popular"] | None = Field(
        description="What the list is instead of the user's own; null if it is the user's own."
    )


class PredictionsQuery(Parameters):
    """Whose stars to predict."""

    item_ids: str = Field(
        pattern=rf"^{ID_CHARACTERS}+(,{ID_CHARACTERS}+){{0,{MAX_PREDICTIONS - 1}}}$",
        description=f"Item ids, separated by commas; at most {MAX_PREDICTIONS}.",
        json_schema_extra={"example": "1,296,318"},
    )


class Prediction(BaseModel):
    """What a user would rate an item."""

    item_id: str
    title: str = Field(description="Without the year; the id where the title is unknown.")
    predicted_rating: Number | None = Field(description="In stars; null for an unknown item.")


class PredictionList(ListOf[Prediction]):
    """Predictions in the order they were asked for."""


def recommendations(catalogue: Catalogue, ranked: RankedItems, offset: int) -> list[Recommendation]:
    """Return a page of a list as the answer shows it."""
    return [
        Recommendation(
            **head_fields(catalogue, int(row)),
            rank=offset + place + 1,
            score=float(ranked.scores[place]),
            predicted_rating=None if ranked.stars is None else float(ranked.stars[place]),
        )
        for place, row in enumerate(ranked.items)
    ]


def predictions(catalogue: Catalogue, item_ids: list[str], stars: Floats) -> list[Prediction]:
    """Return predicted stars as the answer shows them."""
    return [
        Prediction(
            item_id=item_id,
            title=item_id if row < 0 else catalogue.metadata.titles[row] or item_id,
            predicted_rating=None if np.isnan(star) else float(star),
        )
        for item_id, row, star in zip(
            item_ids, catalogue.item_ids.rows(item_ids), stars, strict=True
        )
    ]

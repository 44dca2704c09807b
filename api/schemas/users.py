from __future__ import annotations

import numpy as np
from pydantic import BaseModel, Field

from api.schemas.common import ID_CHARACTERS, Id, ListOf, Number, Parameters
from recsys.model.intervals import LEVEL
from recsys.model.item_side import Floats
from recsys.model.snapshot import Catalogue

MAX_PREDICTIONS = 100


class UserPath(BaseModel):
    """The path of one user."""

    user_id: Id


class PredictionsQuery(Parameters):
    """Whose stars to predict."""

    item_ids: str = Field(
        pattern=rf"^{ID_CHARACTERS}+(,{ID_CHARACTERS}+){{0,{MAX_PREDICTIONS - 1}}}$",
        description=f"Item ids, separated by commas; at most {MAX_PREDICTIONS}.",
        json_schema_extra={"example": "1,296,318"},
    )
    level: float = Field(
        default=LEVEL,
        gt=0,
        lt=1,
        description="Share of such ratings that lie between `low` and `high`.",
    )


class Prediction(BaseModel):
    """What a user would rate an item."""

    item_id: str
    title: str = Field(description="Without the year; the id where the title is unknown.")
    predicted_rating: Number | None = Field(description="In stars; null for an unknown item.")
    low: Number | None = Field(
        description="Lower end of the interval; null for an unknown item, and where the version "
        "has no intervals."
    )
    high: Number | None


class PredictionList(ListOf[Prediction]):
    """Predictions in the order they were asked for."""


def predictions(
    catalogue: Catalogue,
    item_ids: list[str],
    stars: Floats,
    between: tuple[Floats, Floats] | None,
) -> list[Prediction]:
    """Return predicted stars, and the intervals around them, as the answer shows them."""
    nothing = np.full(len(item_ids), np.nan, np.float32)
    low, high = between or (nothing, nothing)
    return [
        Prediction(
            item_id=item_id,
            title=item_id if row < 0 else catalogue.metadata.titles[row] or item_id,
            predicted_rating=_known(stars[place]),
            low=_known(low[place]),
            high=_known(high[place]),
        )
        for place, (item_id, row) in enumerate(
            zip(item_ids, catalogue.item_ids.rows(item_ids), strict=True)
        )
    ]


def _known(stars: np.float32) -> float | None:
    return None if np.isnan(stars) else float(stars)

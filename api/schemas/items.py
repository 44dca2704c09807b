from __future__ import annotations

from typing import Annotated, TypedDict

import numpy as np
from pydantic import BaseModel, Field

from api.schemas.common import LARGEST, Id, Limit, ListOf, Number, Parameters
from recsys.model.snapshot import Catalogue
from recsys.serving import Filters, RankedItems, Sort

Genre = Annotated[
    str, Field(min_length=1, max_length=255, description="Only items of this genre, in any case.")
]
Year = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
MinRatings = Annotated[
    int, Field(ge=0, le=LARGEST, description="Only items with so many known ratings.")
]


class ItemFilters(BaseModel):
    """What items must fulfil to be listed."""

    genre: Genre | None = None
    year_min: Year | None = Field(default=None, description="First year of release.")
    year_max: Year | None = Field(default=None, description="Last year of release.")
    min_ratings: MinRatings = 0

    @property
    def filters(self) -> Filters:
        """The same for the recommender."""
        return Filters(self.genre, self.year_min, self.year_max, self.min_ratings)


class ItemPath(BaseModel):
    """The path of one item."""

    item_id: Id


class ItemsQuery(ItemFilters, Parameters):
    """Which items, in which order."""

    query: str = Field(
        default="",
        max_length=255,
        description="Words that the title and year must contain; case and accents do not count.",
    )
    sort: Sort = Field(
        default="-n_ratings", description="A minus puts the largest, or last, first."
    )
    limit: Limit = 20
    cursor: Id | None = Field(
        default=None, description="From `next` of the page before; not to be made by hand."
    )


class SimilarQuery(Parameters):
    """How many neighbours, and among which items."""

    limit: Limit = 10
    min_ratings: MinRatings = 20


class ItemHead(BaseModel):
    """What names an item."""

    item_id: str
    title: str = Field(description="Without the year; the id where the title is unknown.")
    year: int | None
    genres: list[str]


class Item(ItemHead):
    """One item of the catalogue."""

    n_ratings: int = Field(description="All known ratings.")
    mean_rating: Number | None = Field(description="Their mean; null where there are none.")


class ItemDetail(Item):
    """One item, and the version whose data set it belongs to."""

    model_id: int = Field(description="The version that made this answer.")


class ItemList(ListOf[Item]):
    """A page of the catalogue."""


class SimilarItem(ItemHead):
    """A neighbour of an item."""

    rank: int = Field(description="1 is the nearest.")
    score: Number = Field(description="Cosine of the two embeddings, -1 to 1.")


class SimilarList(ListOf[SimilarItem]):
    """An item's neighbours, nearest first."""


class HeadFields(TypedDict):
    """The fields of `ItemHead`."""

    item_id: str
    title: str
    year: int | None
    genres: list[str]


class ItemFields(HeadFields):
    """The fields of `Item`."""

    n_ratings: int
    mean_rating: float | None


def head_fields(catalogue: Catalogue, row: int) -> HeadFields:
    """Return what names the item at ``row``."""
    metadata, item_id = catalogue.metadata, catalogue.item_ids[row]
    return {
        "item_id": item_id,
        "title": metadata.titles[row] or item_id,
        "year": metadata.years[row],
        "genres": list(metadata.genres[row]),
    }


def item_fields(catalogue: Catalogue, row: int) -> ItemFields:
    """Return what the catalogue says about the item at ``row``."""
    means = catalogue.mean_ratings
    return ItemFields(
        **head_fields(catalogue, row),
        n_ratings=int(catalogue.n_ratings[row]),
        mean_rating=None if means is None or np.isnan(means[row]) else float(means[row]),
    )


def similar_items(catalogue: Catalogue, ranked: RankedItems) -> list[SimilarItem]:
    """Return the neighbours as the answer shows them."""
    return [
        SimilarItem(**head_fields(catalogue, int(row)), rank=rank, score=float(score))
        for rank, (row, score) in enumerate(zip(ranked.items, ranked.scores, strict=True), start=1)
    ]

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field

from api.schemas.common import Limit, ListOf, Number, Offset, Parameters
from api.schemas.items import MinRatings
from recsys.analysis.bias import BiasRow
from recsys.analysis.items import ItemRow, item_fields
from recsys.analysis.pca import Axis, PrincipalAxes
from recsys.model.snapshot import Catalogue

MAX_COMPONENTS = 100

Top = Annotated[int, Field(ge=1, le=100, description="Number of items at each end of an axis.")]


class BiasQuery(Parameters):
    """Which end of the bias table, and of which items."""

    order: Literal["worst", "best"] = Field(
        default="worst", description="The lowest biases first, or the highest."
    )
    limit: Limit = 15
    offset: Offset = 0
    min_ratings: MinRatings = 20


class NamedItem(BaseModel):
    """What names an item of a table."""

    item_id: str
    title: str = Field(description="Without the year; the id where the title is unknown.")
    year: int | None
    n_ratings: int = Field(description="All known ratings.")


class BiasItem(NamedItem):
    """One row of the bias table."""

    n_training_ratings: int = Field(description="The ratings that the bias was learned from.")
    bias: Number = Field(description="As learned: in stars, or in logits where there is a y_range.")
    shrunk_bias: Number | None = Field(
        description="The bias drawn towards the average of all, the more the fewer the ratings."
    )
    standard_error: Number | None
    mean_rating: Number | None = Field(description="Of all known ratings, in stars.")
    rank_by_bias: int = Field(description="1 is the highest bias of the table.")
    rank_by_mean: int | None = Field(description="1 is the highest mean rating of the table.")


class BiasList(ListOf[BiasItem]):
    """The worst- or best-rated items by learned bias."""


class PcaQuery(Parameters):
    """How many axes, and how much of each."""

    components: int = Field(default=3, ge=1, le=MAX_COMPONENTS, description="Number of axes.")
    top: Top = 10


class AxisQuery(Parameters):
    """How much of an axis."""

    top: Top = 10


class AxisPath(BaseModel):
    """The path of one axis."""

    component: int = Field(ge=0, lt=MAX_COMPONENTS, description="Counted from 0.")


class AxisEnd(NamedItem):
    """An item at one end of an axis."""

    coordinate: Number = Field(description="Along the axis; 0 is the mean of the fitted items.")


class AxisCorrelate(BaseModel):
    """Something known of the items that goes along with an axis."""

    feature: str = Field(examples=["popularity", "genre Drama"])
    correlation: Number = Field(description="Pearson's, -1 to 1.")
    p_value: Number = Field(
        description="How often a permutation of the items gives any feature as strong a one."
    )


class AxisHead(BaseModel):
    """What names a principal axis."""

    component: int = Field(description="Counted from 0; the largest explained variance first.")
    explained_variance_ratio: Number = Field(description="0 to 1.")
    label: str | None = Field(
        description="What goes along with it by more than chance, a minus before what falls; null "
        "where nothing does.",
        examples=["+bias, +mean rating, −year"],
    )


class PcaAxis(AxisHead):
    """One principal axis of the item embeddings."""

    highest: list[AxisEnd] = Field(description="The positive end, outermost first.")
    lowest: list[AxisEnd] = Field(description="The negative end, outermost first.")
    correlates: list[AxisCorrelate] = Field(description="Strongest first.")


class PcaAxisDetail(PcaAxis):
    """One principal axis, and the version whose embeddings it is of."""

    model_id: int = Field(description="The version that made this answer.")


class PcaList(ListOf[PcaAxis]):
    """The principal axes, largest explained variance first."""


class MapQuery(Parameters):
    """How many points, and of which items."""

    limit: Annotated[int, Field(ge=1, le=1000, description="Number of rows, at most.")] = 500
    offset: Offset = 0
    min_ratings: MinRatings = 20


class MapItem(NamedItem):
    """A point of the map."""

    genres: list[str]
    x: Number = Field(description="Along component 0.")
    y: Number = Field(description="Along component 1; 0 where there is only one.")


class MapList(ListOf[MapItem]):
    """The items along the first two principal axes, those with the most ratings first."""

    axes: list[AxisHead] = Field(description="Those of x and y.")


def bias_items(rows: Iterable[BiasRow]) -> list[BiasItem]:
    """Return rows of the bias table as the answer shows them."""
    return [BiasItem.model_validate(_fields(row)) for row in rows]


def axis_fields(axis: Axis) -> dict[str, Any]:
    """Return the fields of `PcaAxis`."""
    ends = {"highest": axis.highest, "lowest": axis.lowest}
    return asdict(axis) | {end: [_fields(item) for item in ends[end]] for end in ends}


def axis_heads(axes: Iterable[Axis]) -> list[AxisHead]:
    """Return what names axes as the answer shows it."""
    return [AxisHead.model_validate(axis, from_attributes=True) for axis in axes]


def map_items(principal: PrincipalAxes, catalogue: Catalogue, query: MapQuery) -> list[MapItem]:
    """Return the points of one page of the map."""
    order = np.argsort(-catalogue.n_ratings[principal.rows], kind="stable")
    rows = principal.rows[order][query.offset : query.offset + query.limit].tolist()
    points = np.zeros((len(rows), 2))
    points[:, : len(principal.axes)] = principal.coordinates[rows]
    return [
        MapItem(
            **_fields(ItemRow(**item_fields(catalogue, row))),
            genres=list(catalogue.metadata.genres[row]),
            x=x,
            y=y,
        )
        for row, (x, y) in zip(rows, points.tolist(), strict=True)
    ]


def _fields(row: ItemRow) -> dict[str, Any]:
    return asdict(row) | {"title": row.title or row.item_id}

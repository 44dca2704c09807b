"""What the service answers about the embeddings."""

from __future__ import annotations

from typing import TypedDict

from recsys.client.answers import PageOf


class NamedItem(TypedDict):
    """What names an item of a table."""

    item_id: str
    title: str
    year: int | None
    n_ratings: int


class BiasItem(NamedItem):
    """One row of the bias table."""

    n_training_ratings: int
    bias: float
    shrunk_bias: float | None
    standard_error: float | None
    mean_rating: float | None
    rank_by_bias: int
    rank_by_mean: int | None


class AxisHead(TypedDict):
    """What names a principal axis."""

    component: int
    explained_variance_ratio: float
    label: str | None


class AxisEnd(NamedItem):
    """An item at one end of an axis."""

    coordinate: float


class AxisCorrelate(TypedDict):
    """Something known of the items that goes along with an axis."""

    feature: str
    correlation: float
    p_value: float


class PcaAxis(AxisHead):
    """One principal axis of the item embeddings."""

    highest: list[AxisEnd]
    lowest: list[AxisEnd]
    correlates: list[AxisCorrelate]


class PcaAxisDetail(PcaAxis):
    """One principal axis, and the version whose embeddings it is of."""

    model_id: int


class MapItem(NamedItem):
    """A point of the map."""

    genres: list[str]
    x: float
    y: float


class MapList(PageOf[MapItem]):
    """The items along the first two principal axes."""

    axes: list[AxisHead]


class DriftItem(NamedItem):
    """How far an item moved."""

    distance: float
    cosine: float
    rank_before: int | None
    rank_after: int | None


class DriftList(PageOf[DriftItem]):
    """What moved between two versions."""

    before: int
    n_items: int
    alignment: float
    neighbour_overlap: float
    n_neighbours: int
    bias_correlation: float | None
    list_overlap: float | None
    n_users: int
    list_length: int


BiasList = PageOf[BiasItem]
PcaList = PageOf[PcaAxis]

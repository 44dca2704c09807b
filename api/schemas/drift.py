from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from pydantic import Field

from api.schemas.common import Limit, ListOf, Number, Offset
from api.schemas.insights import NamedItem
from api.schemas.items import MinRatings
from api.schemas.models import TwoVersions
from recsys.analysis.drift import Drift, ItemDrift


class DriftQuery(TwoVersions):
    """Between which versions, and which of the items."""

    sort: Literal["distance", "rank"] = Field(
        default="distance",
        description="The items that moved farthest first, or those whose rank changed most.",
    )
    limit: Limit = 15
    offset: Offset = 0
    min_ratings: MinRatings = 20


class DriftItem(NamedItem):
    """How far an item moved."""

    distance: Number = Field(
        description="Between its two places, in units of the items' typical distance from the "
        "centre: 0 is the same place, 1.4 as far apart as if they had nothing to do with each "
        "other."
    )
    cosine: Number = Field(description="Of its two places as seen from the centre.")
    rank_before: int | None = Field(
        description="By bias among the items compared, 1 the highest; null without biases."
    )
    rank_after: int | None


class DriftList(ListOf[DriftItem]):
    """What moved between two versions."""

    before: int = Field(description="The version `from`; `model_id` is the version `to`.")
    n_items: int = Field(description="Compared: with enough ratings in both versions.")
    alignment: Number = Field(
        description="0 to 1; 1 where one picture is the other turned, mirrored, shifted and scaled."
    )
    neighbour_overlap: Number = Field(
        description="The share of an item's nearest that are the same, mean over items."
    )
    n_neighbours: int = Field(description="How many nearest items were compared.")
    bias_correlation: Number | None = Field(description="Spearman's, of the biases.")
    list_overlap: Number | None = Field(
        description="The share of a user's list that is the same, mean over sampled users; null "
        "where there was none."
    )
    n_users: int = Field(description="Sampled, of the version `to`.")
    list_length: int


def drift_items(found: Drift, query: DriftQuery) -> list[DriftItem]:
    """Return one page of what moved as the answer shows it."""
    rows = found.items if query.sort == "distance" else found.by_rank_change()
    return [_item(row) for row in rows[query.offset : query.offset + query.limit]]


def _item(row: ItemDrift) -> DriftItem:
    return DriftItem.model_validate(asdict(row) | {"title": row.title or row.item_id})

"""What can be asked for beside the ids; what is left out has the service's default."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class ItemFilters(TypedDict, total=False):
    """What items must fulfil to be listed."""

    genre: str
    year_min: int
    year_max: int
    min_ratings: int


class ItemOptions(ItemFilters, total=False):
    """Which items of the catalogue, in which order."""

    query: str
    sort: Literal[
        "n_ratings", "-n_ratings", "mean_rating", "-mean_rating", "year", "-year", "title", "-title"
    ]
    limit: int
    cursor: str


class ListOptions(ItemFilters, total=False):
    """Which items, how many, in which order, and whether with reasons."""

    limit: int
    offset: int
    exclude_seen: bool
    popularity: float
    explain: bool
    n_reasons: int


class RecommendationOptions(ListOptions, total=False):
    """The same, and what to list for somebody unknown."""

    fallback: Literal["popular"]


class GivenRating(TypedDict):
    """Who rated what, how and when."""

    user_id: str | int
    item_id: str | int
    rating: NotRequired[float | None]
    timestamp: NotRequired[int | None]

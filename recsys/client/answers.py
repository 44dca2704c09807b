"""What the service answers, as JSON has it; ``docs/api.md`` says what the fields mean.

An answer may have further fields in a later version of the service.
"""

from __future__ import annotations

from typing import Generic, Literal, NotRequired, TypedDict, TypeVar

Row = TypeVar("Row")


class Page(TypedDict, Generic[Row]):
    """A part of a list; ``next`` is where it goes on."""

    items: list[Row]
    next: str | None


class PageOf(Page[Row]):
    """A part of a list that one version made."""

    model_id: int


class FieldError(TypedDict):
    """What is wrong with one parameter, or with one place in the body."""

    name: str
    location: Literal["path", "query", "body"]
    message: str
    value: str


class Problem(TypedDict):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: NotRequired[list[FieldError] | None]


class ItemHead(TypedDict):
    """What names an item."""

    item_id: str
    title: str
    year: int | None
    genres: list[str]


class Item(ItemHead):
    """One item of the catalogue."""

    n_ratings: int
    mean_rating: float | None


class ItemDetail(Item):
    """One item, and the version whose data set it belongs to."""

    model_id: int


class SimilarItem(ItemHead):
    """A neighbour of an item."""

    rank: int
    score: float


class Reason(TypedDict):
    """What an item that the user rated has to do with this one."""

    item_id: str
    title: str
    rating: float | None
    influence: float | None
    stars_influence: float | None
    similarity: float | None
    share: float | None


class Recommendation(ItemHead):
    """One place of a list."""

    rank: int
    score: float
    predicted_rating: float | None
    low: float | None
    high: float | None
    baseline: float | None
    stars_baseline: float | None
    reasons: list[Reason]


class RatingError(TypedDict):
    """Why a rating was not taken."""

    type: Literal["urn:recsys:problem:unknown-item", "urn:recsys:problem:rating"]
    detail: str


class SkippedRating(TypedDict):
    """A rating that does not count, and why."""

    index: int
    item_id: str
    error: RatingError


class RecommendationList(PageOf[Recommendation]):
    """A page of a user's list, best first."""

    fallback: Literal["popular"] | None


class NewcomerList(PageOf[Recommendation]):
    """A page of somebody's list, best first."""

    fallback: Literal["popular"] | None
    next_offset: int | None
    skipped: list[SkippedRating]


class UserError(TypedDict):
    """Why there is no list."""

    type: Literal["urn:recsys:problem:unknown-user"]
    detail: str


class BatchResult(TypedDict):
    """The list of one user."""

    user_id: str
    items: list[Recommendation]
    next_offset: int | None
    fallback: Literal["popular"] | None
    error: UserError | None


class Prediction(TypedDict):
    """What a user would rate an item."""

    item_id: str
    title: str
    predicted_rating: float | None
    low: float | None
    high: float | None


class ScoreTerms(TypedDict):
    """Numbers that add up to a score, without rounding, in any order of adding."""

    objective: Literal["rating", "ranking"]
    global_mean: float
    user_bias: float
    item_bias: float
    factors: list[float]
    score: float
    trust: float
    baseline: float | None


class StarTerms(ScoreTerms):
    """The same for the predicted rating."""

    y_range: list[float] | None
    predicted_rating: float
    low: float | None
    high: float | None


class Explanation(ItemHead):
    """What a user's score of an item is the sum of."""

    user_id: str
    order: ScoreTerms
    stars: StarTerms | None
    reasons: list[Reason]
    model_id: int


class RatingResult(TypedDict):
    """What became of one of the ratings."""

    index: int
    user_id: str
    item_id: str
    accepted: bool
    error: RatingError | None


class RatingResultList(PageOf[RatingResult]):
    """What became of each rating, in the order of the request."""

    n_accepted: int
    n_refused: int


class UserRating(ItemHead):
    """What a user rated, and how."""

    rating: float | None
    timestamp: int | None


BatchList = PageOf[BatchResult]
ItemList = PageOf[Item]
PredictionList = PageOf[Prediction]
SimilarList = PageOf[SimilarItem]
UserRatingList = PageOf[UserRating]

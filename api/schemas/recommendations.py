"""What lists can be asked for, and what their answers are made of."""

from __future__ import annotations

from itertools import repeat
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from api.schemas.common import (
    Body,
    Flag,
    IdInBody,
    Limit,
    ListOf,
    Number,
    Offset,
    Parameters,
    shortest,
)
from api.schemas.explanations import Reason, shown_reasons
from api.schemas.items import HeadFields, ItemFilters, ItemHead, head_fields
from api.schemas.ratings import MAX_RATINGS, GivenStars, RatingError
from recsys.serving import Person, RankedItems, Recommender
from recsys.serving.explanations import baseline, score_terms

MAX_USERS = 100
MAX_REASONS = 50
"""Of each item of a list; the explanation of a single item can have more."""
MAX_EXPLAINED = 10
"""Items of a list with more reasons, and of each list of a batch with reasons: these take far
longer than the lists."""

Fallback = Annotated[
    Literal["popular"] | None,
    Field(description="For an unknown user: the items with the most ratings, not an error."),
]
NextOffset = Annotated[
    int | None, Field(description="The `offset` of the next page; null on the last page.")
]


class ListOptions(ItemFilters):
    """Which items, how many, in which order, and whether with reasons."""

    limit: Limit = 10
    offset: Offset = 0
    exclude_seen: Flag = Field(
        default=True, description="Leave out what the user is known to have rated."
    )
    popularity: float = Field(
        default=0.0,
        ge=-1,
        le=1,
        description="Towards 1, items that many rated come first; towards -1, those that few did.",
    )
    explain: Flag = Field(default=False, description="Give reasons for each item.")
    n_reasons: int = Field(
        default=3, ge=1, le=MAX_REASONS, description="Number of reasons for each item, at most."
    )


class RecommendationsQuery(ListOptions, Parameters):
    """What to list for a user, and what for somebody unknown."""

    fallback: Fallback = None


class BodyOptions(ListOptions, Body):
    """Base of the bodies that ask for lists: JSON has numbers and booleans, a URL only text."""

    @field_validator(
        "limit",
        "offset",
        "year_min",
        "year_max",
        "min_ratings",
        "popularity",
        "n_reasons",
        mode="before",
    )
    @classmethod
    def _number(cls, value: Any) -> Any:
        if isinstance(value, str | bool):
            raise PydanticCustomError("number_type", "Input should be a number")
        return value

    @field_validator("exclude_seen", "explain", mode="before")
    @classmethod
    def _boolean(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise PydanticCustomError("bool_type", "Input should be true or false")
        return value


def _never(**together: dict[str, Any]) -> ConfigDict:
    """Return the configuration whose schema refuses fields that are all of these schemas."""
    refused: dict[str, Any] = {"properties": together, "required": list(together)}
    return ConfigDict(json_schema_extra={"not": refused})


def _check_limit(body: BodyOptions, reason: str) -> None:
    if body.limit > MAX_EXPLAINED:
        wrong = PydanticCustomError(
            "explained_limit",
            "Input should be less than or equal to {most} with {reason}",
            {"most": MAX_EXPLAINED, "reason": reason},
        )
        where = InitErrorDetails(type=wrong, loc=("limit",), input=body.limit)
        raise ValidationError.from_exception_data(type(body).__name__, [where])


class NewRating(Body):
    """What somebody rated, and how."""

    item_id: IdInBody
    rating: GivenStars | None = Field(
        default=None,
        description="Within the scale of the data set; left out where it is only known that the "
        "item was chosen.",
    )


class NewcomerBody(BodyOptions):
    """What somebody rated, and what to list for them; 10 items at most with over 50 reasons."""

    model_config = _never(
        explain={"const": True},
        n_reasons={"exclusiveMinimum": MAX_REASONS},
        limit={"exclusiveMinimum": MAX_EXPLAINED},
    )

    n_reasons: int = Field(
        default=3,
        ge=1,
        le=MAX_RATINGS,
        description="Number of reasons for each item, at most: one for each rating is all.",
    )
    ratings: Annotated[list[NewRating], Field(max_length=MAX_RATINGS)] = Field(
        description="In any order; of an item given twice the last counts."
    )

    @model_validator(mode="after")
    def _few_with_many_reasons(self) -> Self:
        if self.explain and self.n_reasons > MAX_REASONS:
            _check_limit(self, f"more than {MAX_REASONS} reasons")
        return self


class BatchBody(BodyOptions):
    """For whom to make lists, and which; with `explain`, of 10 items at most."""

    model_config = _never(explain={"const": True}, limit={"exclusiveMinimum": MAX_EXPLAINED})

    user_ids: Annotated[list[IdInBody], Field(min_length=1, max_length=MAX_USERS)]
    fallback: Fallback = None

    @model_validator(mode="after")
    def _few_explained(self) -> Self:
        if self.explain:
            _check_limit(self, "explain")
        return self


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

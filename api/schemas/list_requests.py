"""What lists can be asked for: by the query of a URL, or by a body."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from api.schemas.common import Body, Flag, IdInBody, Limit, Offset, Parameters
from api.schemas.items import ItemFilters
from api.schemas.ratings import MAX_RATINGS, GivenStars

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

"""What several resources share: ids, numbers, the bases of queries and lists, and errors."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

LARGEST = 2**31 - 1

Row = TypeVar("Row")

# As `recsys.data.ids` has it, "." and ".." kept out without a look-ahead, which pydantic lacks.
ID_CHARACTERS = r"[^/,\x00-\x1f\x7f-\x9f]"
_NO_DOT = r"[^./,\x00-\x1f\x7f-\x9f]"
ID_PATTERN = rf"^({ID_CHARACTERS}{{3,}}|{_NO_DOT}{ID_CHARACTERS}?|\.{_NO_DOT})$"
Id = Annotated[str, Field(min_length=1, max_length=255, pattern=ID_PATTERN)]

# Past it, a program that reads numbers as floats would take one id for another.
LARGEST_NUMBER = 2**53


def _as_bool(value: Any) -> Any:
    """Return the boolean that a query spells; pydantic alone would also take "y" and "off"."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def whole(value: Any) -> Any:
    """Return the whole number that JSON wrote as one with a fraction of zero, else the value."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _as_id(value: Any) -> Any:
    """Return the id that a number of JSON spells."""
    value = whole(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number and abs(value) <= LARGEST_NUMBER else value


def shortest(value: float) -> float:
    """Return the float with the fewest digits that is the same float32."""
    return float(str(np.float32(value)))


# A float32 as it stands would be written like 3.4000000953674316 instead of 3.4.
Number = Annotated[float, AfterValidator(shortest)]
IdInBody = Annotated[
    Id,
    BeforeValidator(_as_id),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": 255, "pattern": ID_PATTERN},
                {"type": "integer", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER},
            ],
            "description": "A number is the same as its digits.",
        }
    ),
]
Flag = Annotated[bool, Field(strict=True), BeforeValidator(_as_bool)]
Limit = Annotated[int, Field(ge=1, le=100, description="Number of rows, at most.")]
Offset = Annotated[int, Field(ge=0, le=LARGEST, description="Number of rows to leave out first.")]


class Body(BaseModel):
    """Base of all bodies and their parts: a key that is not declared is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameters(BaseModel):
    """Base of all queries: a parameter that is not declared is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        # A URL leaves a parameter out; it cannot say null.
        schema = handler.resolve_ref_schema(handler(core_schema))
        for declared in schema.get("properties", {}).values():
            kinds = [kind for kind in declared.pop("anyOf", []) if kind != {"type": "null"}]
            if len(kinds) == 1:
                declared.update(kinds[0])
            if "default" in declared and declared["default"] is None:
                del declared["default"]
        return schema


class NoParameters(Parameters):
    """No parameters."""


class ListOf(BaseModel, Generic[Row]):
    """Base of every list."""

    items: list[Row]
    model_id: int = Field(description="The version that made this answer.")
    next: str | None = Field(
        description="Where the list goes on, relative to this server; null on the last page.",
        examples=["/v1/items?cursor=296&limit=20"],
    )


class FieldError(BaseModel):
    """What is wrong with one parameter, or with one place in the body."""

    name: str = Field(
        description="The parameter, or the place in the body.", examples=["ratings.3.item_id"]
    )
    location: Literal["path", "query", "body"]
    message: str = Field(description="What is wrong with it.")
    value: str = Field(description="What was found there.")


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(
        description="What kind of problem; `about:blank` where the status says it all.",
        examples=["urn:recsys:problem:unknown-user"],
    )
    title: str = Field(description="The kind in words.", examples=["Unknown user"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What happened, and what to do about it.")
    instance: str = Field(description="The path that was asked for.")
    errors: list[FieldError] | None = Field(
        default=None, description="Only for invalid requests: one entry for each mistake."
    )

"""Ratings in an address, as ``318:5,1:4.5,2571:``: a page keeps nothing, its address says it."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BeforeValidator, Field

from api.schemas.common import Id
from api.schemas.ratings import MAX_RATINGS

Ratings = dict[str, float | None]


def parse_given(text: object) -> object:
    """Return the stars by item id, None where the item is named without any.

    Raises
    ------
    ValueError
        If the text is something else.
    """
    if not isinstance(text, str):
        return text
    given: Ratings = {}
    for part in filter(None, text.split(",")):
        item_id, _, stars = part.rpartition(":")
        try:
            value = float(stars) if stars else None
        except ValueError:
            value = math.nan
        if not item_id or (value is not None and not math.isfinite(value)):
            raise ValueError(f"{part!r} is no rating; allowed: such as 318:4.5")
        given[item_id] = value
    return given


def write_given(given: Ratings) -> str:
    """Return the text that `parse_given` reads."""
    return ",".join(
        f"{item_id}:{'' if value is None else f'{value:g}'}" for item_id, value in given.items()
    )


Given = Annotated[
    dict[Id, float | None], BeforeValidator(parse_given), Field(max_length=MAX_RATINGS)
]

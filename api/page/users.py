from __future__ import annotations

from typing import Annotated, NamedTuple

from flask import Response
from pydantic import BeforeValidator, Field

from api.backend import find_person, recommender
from api.page.listed import carried, choices, listed_films
from api.page.site import pages, query_as, render
from api.schemas.common import Id, Parameters
from api.schemas.list_requests import ListOptions
from api.schemas.ratings import UserRating, user_ratings
from recsys.errors import NotFoundError
from recsys.serving import Person
from recsys.serving.known_ratings import KnownRating, known_ratings

N_COMPARED = 1000
"""How far down the ranks are known that films had before."""


def _split(text: object) -> object:
    return tuple(filter(None, text.split(","))) if isinstance(text, str) else text


class UserQuery(ListOptions, Parameters):
    """Which list, and without which of the user's ratings."""

    without: Annotated[tuple[Id, ...], BeforeValidator(_split)] = ()
    history: int = Field(default=25, ge=1, le=100_000)


class Known(NamedTuple):
    """One line of a user's history."""

    rating: UserRating
    is_left_out: bool
    without: str
    """What the address has to say for the other state."""


class _WhatIf(NamedTuple):
    person: Person | None
    before: dict[str, int] | None
    refused: str | None


@pages.get("/users/<user_id>")
def show_user(user_id: str) -> Response:
    """Show what is known of a user, their list, and what it were without some ratings."""
    query, asked = query_as(UserQuery), recommender()
    known = known_ratings(asked.source, asked.model_id, asked.catalogue, user_id)
    left_out = [name for name in query.without if any(name == one.item_id for one in known)]
    what_if = _without(known, left_out, query) if left_out else _WhatIf(None, None, None)
    is_folded = left_out and what_if.refused is None
    person = what_if.person if is_folded else find_person(user_id)
    films, has_more = listed_films(person, query, what_if.before)
    rows = user_ratings(asked.catalogue, known[: query.history])
    return render(
        "user.html",
        user_id=user_id,
        history=[
            Known(row, row.item_id in left_out, ",".join(_toggled(left_out, row.item_id)))
            for row in rows
        ],
        n_known=len(known),
        n_shown=query.history,
        left_out=left_out,
        what_if=what_if,
        films=films,
        has_more=has_more,
        kept=carried(query),
        **choices(query),
    )


def _without(known: list[KnownRating], left_out: list[str], options: ListOptions) -> _WhatIf:
    """Return the same user without some ratings, and the ranks that films have with them."""
    asked = recommender()
    try:
        everything = _fold_in(known)
        person = _fold_in([one for one in known if one.item_id not in left_out])
    except NotFoundError as error:
        return _WhatIf(None, None, str(error))
    if everything is None:
        return _WhatIf(person, None, None)
    ranked = asked.recommend(
        everything, N_COMPARED, filters=options.filters, popularity=options.popularity
    )
    ids = asked.catalogue.item_ids
    ranks = {ids[row]: rank for rank, row in enumerate(ranked.items.tolist(), start=1)}
    return _WhatIf(person, ranks, None)


def _fold_in(known: list[KnownRating]) -> Person | None:
    if not known:
        return None
    person, _ = recommender().fold_in([one.item_id for one in known], [one.value for one in known])
    return person


def _toggled(left_out: list[str], item_id: str) -> list[str]:
    if item_id in left_out:
        return [name for name in left_out if name != item_id]
    return [*left_out, item_id]

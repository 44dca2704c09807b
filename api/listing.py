"""Lists as several routes answer them: for a user, for somebody new, or the popular items."""

from __future__ import annotations

from typing import Literal, NamedTuple

from api.backend import find_person, recommender
from api.schemas.list_requests import ListOptions
from api.schemas.recommendations import RecommendationFields, recommendations
from recsys.errors import UnknownUserError
from recsys.serving import Person

Fallback = Literal["popular"] | None


class Listed(NamedTuple):
    """One page of a list."""

    rows: list[RecommendationFields]
    next_offset: int | None
    """Where the list goes on; None on the last page."""
    fallback: Fallback
    """What the list is instead of somebody's own."""


def list_for_user(user_id: str, options: ListOptions, fallback: Fallback) -> Listed:
    """Return a user's list, or, where a fallback is asked for, that for an unknown user.

    Raises
    ------
    UnknownUserError
        If the user is unknown and there is no fallback.
    """
    try:
        person = find_person(user_id)
    except UnknownUserError:
        if fallback is None:
            raise
        return list_for(None, options)
    return list_for(person, options)


def list_for(person: Person | None, options: ListOptions) -> Listed:
    """Return somebody's list; the popular items for somebody of whom nothing is known."""
    asked, end = recommender(), options.offset + options.limit
    if person is None:
        ranked = asked.popular(options.limit, offset=options.offset, filters=options.filters)
    else:
        ranked = asked.recommend(
            person,
            options.limit,
            offset=options.offset,
            filters=options.filters,
            exclude_seen=options.exclude_seen,
            popularity=options.popularity,
        )
    return Listed(
        recommendations(asked, ranked, options, person),
        end if ranked.has_more else None,
        "popular" if person is None else None,
    )

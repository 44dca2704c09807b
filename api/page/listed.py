"""A list as a page shows it: the options in its address, and each film with its reasons drawn."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

from api.backend import recommender
from api.listing import list_for
from api.page.drawing import Part, Scale, Sum, add_up
from api.schemas.explanations import Reason
from api.schemas.list_requests import ListOptions
from api.schemas.recommendations import Recommendation
from recsys.serving import Person

STEP = 20
LONGEST = 100
# However many they are: bars of all but some would not add up.
_WITH_ALL_REASONS = {"explain": True, "n_reasons": sys.maxsize}
_OFFERED = {"genre", "year_min", "year_max", "min_ratings", "popularity", "limit"}


class Listed(NamedTuple):
    """One film of a list, and what its place and its stars are the sum of."""

    film: Recommendation
    stars: Sum | None
    """Of somebody folded in: what each rating adds to the predicted rating."""
    order: Sum | None
    """What it adds to the score that orders the list, where that is another."""
    shares: Sum | None
    """Of a user who was trained: how near the film is to what they liked."""
    before: int | None
    """The rank that it had with all ratings; None where nothing is compared, or beyond that."""


def listed_films(
    person: Person | None, options: ListOptions, before: dict[str, int] | None = None
) -> tuple[list[Listed], bool]:
    """Return somebody's list, and whether it goes on; the popular films for nobody.

    Parameters
    ----------
    person : Person or None
    options : ListOptions
    before : mapping of item id to int, optional
        Ranks to compare with.
    """
    page = list_for(person, options.model_copy(update=_WITH_ALL_REASONS))
    ranks = before or {}
    films = [_listed(Recommendation(**row), ranks.get(row["item_id"])) for row in page.rows]
    return films, page.next_offset is not None and options.limit < LONGEST


def choices(options: ListOptions) -> dict[str, Any]:
    """Return what the form of filters offers and holds."""
    asked = recommender()
    genres = {name for names in asked.catalogue.metadata.genres for name in names}
    return {
        "genres": sorted(genres),
        "options": options,
        "scale": Scale(*asked.order.side.rating_scale),
        "longer": min(LONGEST, options.limit + STEP),
    }


def carried(options: ListOptions) -> dict[str, str]:
    """Return the options that an address has to say, as they are not what holds unless said."""
    chosen = options.model_dump(include=_OFFERED, exclude_defaults=True, exclude_none=True)
    return {name: str(value) for name, value in chosen.items()}


def _listed(film: Recommendation, before: int | None) -> Listed:
    reasons = film.reasons
    stars = order = shares = None
    if film.stars_baseline is not None:
        parts = ((reason, reason.stars_influence) for reason in reasons)
        stars = add_up(film.stars_baseline, _parts(parts))
    if film.baseline is not None and recommender().order.objective == "ranking":
        order = add_up(film.baseline, _parts((reason, reason.influence) for reason in reasons))
    if film.baseline is None and reasons:
        shares = add_up(0.0, _parts((reason, reason.share) for reason in reasons))
    return Listed(film, stars, order, shares, before)


def _parts(reasons: Iterable[tuple[Reason, float | None]]) -> list[Part]:
    parts = [Part(_label(reason), value) for reason, value in reasons if value]
    return sorted(parts, key=lambda part: -abs(part.value))


def _label(reason: Reason) -> str:
    return reason.title if reason.rating is None else f"{reason.title}, {reason.rating:g}\u00a0★"

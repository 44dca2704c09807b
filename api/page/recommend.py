from __future__ import annotations

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import Field

from api.backend import recommender
from api.page.given import Given, Ratings, write_given
from api.page.listed import carried, choices, listed_films
from api.page.site import pages, query_as, render
from api.schemas.common import Id, Parameters
from api.schemas.items import ItemFields, item_fields
from api.schemas.list_requests import ListOptions
from recsys.data.feedback import rating_flaw
from recsys.errors import NotFoundError
from recsys.serving import Filters, Person

N_STARTERS = 6
N_FOUND = 8
ENOUGH = 5
"""Ratings after which no more films are offered to be rated."""


class RecommendQuery(ListOptions, Parameters):
    """What somebody rated, which list they want, and what they do now."""

    rated: Given = Field(default_factory=dict)
    query: str = Field(default="", max_length=255)
    item: Id | None = None
    stars: float | None = Field(default=None, allow_inf_nan=False)
    remove: Id | None = None


@pages.get("/")
def show_recommend() -> ResponseReturnValue:
    """Show what is recommended to somebody for the ratings in the address."""
    query = query_as(RecommendQuery)
    if query.item is not None or query.remove is not None:
        return redirect(_address(query, _changed(query)), 303)
    asked = recommender()
    counted = {name: stars for name, stars in query.rated.items() if _counts(name, stars)}
    person, refused = _fold_in(counted)
    films, has_more = listed_films(person, query)
    rated = [(_film(item_id), stars) for item_id, stars in query.rated.items() if _known(item_id)]
    return render(
        "recommend.html",
        query=query,
        rated=rated,
        n_counted=len(counted),
        n_unknown=len(query.rated) - len(rated),
        refused=refused,
        films=films,
        has_more=has_more,
        found=_search(query) if query.query else [],
        starters=_starters(query) if len(counted) < ENOUGH else [],
        levels=star_levels(asked.order.side.rating_scale),
        is_implicit=_is_implicit(),
        kept=_kept(query, query.rated),
        **choices(query),
    )


@pages.get("/users")
def open_user() -> ResponseReturnValue:
    """Go to the page of the user whose id was typed in."""
    user_id = request.args.get("user_id", "").strip()
    target = (
        url_for("page.show_user", user_id=user_id) if user_id else url_for("page.show_recommend")
    )
    return redirect(target, 303)


def star_levels(scale: tuple[float, float]) -> list[float]:
    """Return the ratings that are offered: the whole stars, or five steps where they are many."""
    low, high = scale
    whole = [float(star) for star in range(int(-(-low // 1)), int(high) + 1)]
    return whole if 2 <= len(whole) <= 10 else [low + (high - low) * n / 4 for n in range(5)]


def _changed(query: RecommendQuery) -> Ratings:
    rated = dict(query.rated)
    if query.remove is not None:
        rated.pop(query.remove, None)
    if query.item is not None:
        rated[query.item] = query.stars
    return rated


def _kept(query: RecommendQuery, rated: Ratings) -> dict[str, str]:
    return carried(query) | ({"rated": write_given(rated)} if rated else {})


def _address(query: RecommendQuery, rated: Ratings) -> str:
    return url_for("page.show_recommend", _external=False, **_kept(query, rated))


def _is_implicit() -> bool:
    return recommender().catalogue.mean_ratings is None


def _known(item_id: str) -> bool:
    return item_id in recommender().catalogue.item_ids


def _counts(item_id: str, stars: float | None) -> bool:
    scale = recommender().order.side.rating_scale
    flaw = rating_flaw(stars, scale, is_implicit=_is_implicit())
    return flaw is None and _known(item_id)


def _fold_in(ratings: Ratings) -> tuple[Person | None, str | None]:
    """Return who has these ratings, and why nobody can be made of them."""
    if not ratings:
        return None, None
    values = None if _is_implicit() else list(ratings.values())
    try:
        person, _ = recommender().fold_in(list(ratings), values)
    except NotFoundError as error:
        return None, str(error)
    return person, None


def _film(item_id: str) -> ItemFields:
    asked = recommender()
    return item_fields(asked.catalogue, asked.item_row(item_id))


def _search(query: RecommendQuery) -> list[ItemFields]:
    return _page(query.query, N_FOUND)


def _starters(query: RecommendQuery) -> list[ItemFields]:
    films = _page("", N_STARTERS + len(query.rated))
    return [film for film in films if film["item_id"] not in query.rated][:N_STARTERS]


def _page(text: str, limit: int) -> list[ItemFields]:
    asked = recommender()
    rows, _ = asked.search.page(query=text, filters=Filters(), sort="-n_ratings", limit=limit)
    return [item_fields(asked.catalogue, int(row)) for row in rows]

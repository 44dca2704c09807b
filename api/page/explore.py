from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from flask import Response, jsonify
from pydantic import Field

from api.backend import recommender
from api.page.site import data, pages, query_as, render
from api.readings import axes
from api.schemas.common import Id, Parameters
from api.schemas.items import MinRatings
from recsys.analysis.pca import Axis, Extreme
from recsys.errors import NotFoundError

N_AXES = 8
N_ENDS = 3
# Enough to tell two films apart on any screen.
DIGITS = 4

Component = Annotated[int, Field(ge=0, lt=N_AXES)]


class PointsQuery(Parameters):
    """Which films."""

    min_ratings: MinRatings = 20


class CoordinatesQuery(PointsQuery):
    """Along which axis, and of which films."""

    component: Component


class ExploreQuery(PointsQuery):
    """What the map shows."""

    x: Component = 0
    y: Component = 1
    colour: str = Field(default="year", max_length=255)
    item: Id | None = None


@pages.get("/explore")
def show_explore() -> Response:
    """Show the map of the films."""
    asked, query = recommender(), query_as(ExploreQuery)
    genres = {name for names in asked.catalogue.metadata.genres for name in names}
    found = axes(N_AXES, N_ENDS).axes if "rating" in asked.sides else ()
    return render(
        "explore.html",
        query=query,
        axes=found,
        genres=sorted(genres),
        has_bias=_biases() is not None,
    )


@data.get("/explore/points.json")
def list_points() -> Response:
    """List the films of the map by column, those with the most ratings first."""
    rows, catalogue = _films(query_as(PointsQuery)), recommender().catalogue
    metadata, chosen, biases = catalogue.metadata, rows.tolist(), _biases()
    genres = sorted({name for row in chosen for name in metadata.genres[row]})
    number = {name: n for n, name in enumerate(genres)}
    return jsonify(
        model_id=recommender().model_id,
        axes=[_axis(axis) for axis in axes(N_AXES, N_ENDS).axes],
        item_id=[catalogue.item_ids[row] for row in chosen],
        title=[metadata.titles[row] or catalogue.item_ids[row] for row in chosen],
        year=[metadata.years[row] for row in chosen],
        genre_names=genres,
        genres=[[number[name] for name in metadata.genres[row]] for row in chosen],
        n_ratings=catalogue.n_ratings[rows].tolist(),
        bias=None if biases is None else _rounded(biases[rows]),
    )


@data.get("/explore/coordinates.json")
def list_coordinates() -> Response:
    """List where the same films lie along one axis, in the same order."""
    query = query_as(CoordinatesQuery)
    principal = axes(N_AXES, N_ENDS)
    if query.component >= len(principal.axes):
        raise NotFoundError(
            f"there is no axis {query.component}; {len(principal.axes)} are all, counted from 0"
        )
    return jsonify(
        model_id=recommender().model_id,
        coordinates=_rounded(principal.coordinates[_films(query), query.component]),
    )


def _films(query: PointsQuery) -> np.ndarray[Any, np.dtype[np.intp]]:
    n_ratings = recommender().catalogue.n_ratings
    rows = np.flatnonzero(n_ratings >= query.min_ratings)
    return rows[np.argsort(-n_ratings[rows], kind="stable")]


def _biases() -> Any:
    side = recommender().sides.get("rating")
    return None if side is None or side.head is not None else side.item_bias


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "component": axis.component,
        "explained_variance_ratio": axis.explained_variance_ratio,
        "label": axis.label,
        "highest": _titles(axis.highest),
        "lowest": _titles(axis.lowest),
    }


def _titles(films: tuple[Extreme, ...]) -> list[str]:
    return [film.title or film.item_id for film in films]


def _rounded(values: np.ndarray[Any, Any]) -> list[float]:
    rounded: list[float] = np.round(values.astype(np.float64), DIGITS).tolist()
    return rounded

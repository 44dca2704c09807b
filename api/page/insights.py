from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask import Response
from pydantic import Field

from api.backend import backend, recommender
from api.page.drawing import Scale
from api.page.explore import N_AXES as N_MAP_AXES
from api.page.site import pages, query_as, render
from api.readings import axes, biases
from api.schemas.common import Limit, Parameters
from api.schemas.insights import MAX_COMPONENTS
from api.schemas.items import MinRatings
from recsys.analysis.bias import BiasRow
from recsys.errors import NotFoundError
from recsys.store import StoreSource

N_AXES = 6
# Of a normal error, 95 of 100 lie within so many standard errors.
WITHIN = 1.96


class InsightsQuery(Parameters):
    """Which films, and how many of each end."""

    min_ratings: MinRatings = 20
    limit: Limit = 15


class AxisQuery(Parameters):
    """How many films at each end."""

    top: int = Field(default=20, ge=1, le=100)


class Ends(NamedTuple):
    """One table of biases, on a scale that holds all of its error bars."""

    title: str
    about: str
    rows: Sequence[BiasRow]


@pages.get("/insights")
def show_insights() -> Response:
    """Show the worst- and best-rated films by learned bias, and the principal axes."""
    query, refused, tables, scale, n_listed = query_as(InsightsQuery), None, [], None, 0
    try:
        table = biases(query.min_ratings)
    except NotFoundError as error:
        refused = str(error)
    else:
        n_listed = len(table)
        tables = [
            Ends("Worst rated", "The lowest bias first.", table.worst(query.limit)),
            Ends("Best rated", "The highest bias first.", table.best(query.limit)),
            Ends(
                "Where bias and mean disagree",
                "The rank by bias and the rank by mean rating lie furthest apart: who rated a "
                "film moved its mean.",
                table.disagreements(query.limit),
            ),
        ]
        scale = _scale([row for ends in tables for row in ends.rows])
    found = () if "rating" not in recommender().sides else axes(N_AXES, 3).axes
    return render(
        "insights.html",
        query=query,
        refused=refused,
        tables=tables,
        n_listed=n_listed,
        scale=scale,
        within=WITHIN,
        axes=found,
        served=recommender().model_id,
        earlier=next(iter(StoreSource(backend().engine).earlier_champions()), None),
    )


@pages.get("/insights/axes/<int:component>")
def show_axis(component: int) -> Response:
    """Show one principal axis: what goes along with it, and the films at both ends."""
    query = query_as(AxisQuery)
    found = axes(min(component, MAX_COMPONENTS - 1) + 1, query.top).axes
    if component >= len(found):
        raise NotFoundError(f"there is no axis {component}; {len(found)} are all, counted from 0")
    return render("axis.html", axis=found[component], is_on_map=component < N_MAP_AXES)


def _scale(rows: Sequence[BiasRow]) -> Scale:
    ends = [
        row.bias + side * WITHIN * (row.standard_error or 0) for row in rows for side in (-1, 1)
    ]
    return Scale(min([0.0, *ends]), max([0.0, *ends]))

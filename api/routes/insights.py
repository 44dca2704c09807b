from __future__ import annotations

from flask import Response

from api.backend import recommender
from api.conditional import tag_by_state
from api.readings import axes, biases
from api.resource import resource
from api.responses import answer, next_page
from api.schemas.insights import (
    AxisPath,
    AxisQuery,
    BiasList,
    BiasQuery,
    MapList,
    MapQuery,
    PcaAxis,
    PcaAxisDetail,
    PcaList,
    PcaQuery,
    axis_fields,
    axis_heads,
    bias_items,
    map_items,
)
from recsys.errors import NotFoundError

api = resource("insights", 304, 404, 422, 500, 503, url_prefix="/v1/insights")
tag_by_state(api)


@api.get("/bias", responses={200: BiasList})
def list_biases(query: BiasQuery) -> Response:
    """List the worst- and best-rated items by learned bias, with the mean rating beside."""
    table, end = biases(query.min_ratings), query.offset + query.limit
    rows = (table.worst if query.order == "worst" else table.best)(query.limit, query.offset)
    return answer(
        BiasList(
            items=bias_items(rows),
            model_id=recommender().model_id,
            next=next_page(offset=end) if end < len(table) else None,
        )
    )


@api.get("/pca", responses={200: PcaList})
def list_axes(query: PcaQuery) -> Response:
    """List the principal axes of the item embeddings, with the items at their ends."""
    rows = [PcaAxis(**axis_fields(axis)) for axis in axes(query.components, query.top).axes]
    return answer(PcaList(items=rows, model_id=recommender().model_id, next=None))


@api.get("/pca/<component>", responses={200: PcaAxisDetail})
def show_axis(path: AxisPath, query: AxisQuery) -> Response:
    """Show one principal axis."""
    found = axes(path.component + 1, query.top).axes
    if path.component >= len(found):
        raise NotFoundError(f"there is no component {path.component}; {len(found)} are all")
    axis = axis_fields(found[path.component])
    return answer(PcaAxisDetail(**axis, model_id=recommender().model_id))


@api.get("/map", responses={200: MapList})
def show_map(query: MapQuery) -> Response:
    """List the items along the first two principal axes, for drawing."""
    asked, end = recommender(), query.offset + query.limit
    principal = axes(2, top=1, min_ratings=query.min_ratings)
    items = map_items(principal, asked.catalogue, query) if principal.axes else []
    return answer(
        MapList(
            items=items,
            model_id=asked.model_id,
            next=next_page(offset=end) if items and end < len(principal.rows) else None,
            axes=axis_heads(principal.axes),
        )
    )

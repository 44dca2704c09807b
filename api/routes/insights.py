from __future__ import annotations

from flask import Response

from api.backend import backend, recommender
from api.conditional import tag_by_state
from api.resource import resource
from api.responses import answer, next_page
from api.schemas.insights import (
    AxisPath,
    AxisQuery,
    BiasList,
    BiasQuery,
    PcaAxis,
    PcaAxisDetail,
    PcaList,
    PcaQuery,
    axis_fields,
    bias_items,
)
from recsys.analysis.bias import BiasTable, bias_table
from recsys.analysis.pca import Axis, principal_axes
from recsys.errors import NotFoundError
from recsys.store import get_version

api = resource("insights", 304, 404, 422, 500, 503, url_prefix="/v1/insights")
tag_by_state(api)


@api.get("/bias", responses={200: BiasList})
def list_biases(query: BiasQuery) -> Response:
    """List the worst- and best-rated items by learned bias, with the mean rating beside."""
    table, end = _bias_table(query.min_ratings), query.offset + query.limit
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
    axes = [PcaAxis(**axis_fields(axis)) for axis in _axes(query.components, query.top)]
    return answer(PcaList(items=axes, model_id=recommender().model_id, next=None))


@api.get("/pca/<component>", responses={200: PcaAxisDetail})
def show_axis(path: AxisPath, query: AxisQuery) -> Response:
    """Show one principal axis."""
    axes = _axes(path.component + 1, query.top)
    if path.component >= len(axes):
        raise NotFoundError(f"there is no component {path.component}; {len(axes)} are all")
    axis = axis_fields(axes[path.component])
    return answer(PcaAxisDetail(**axis, model_id=recommender().model_id))


def _bias_table(min_ratings: int) -> BiasTable:
    asked = recommender()
    items = asked.side("rating")
    version = get_version(backend().engine, asked.model_id)
    metrics = next(found.metrics for found in version.snapshots if found.objective == "rating")
    return bias_table(
        items, asked.catalogue, min_ratings=min_ratings, residual_std=metrics.get("rmse")
    )


def _axes(n_components: int, top: int) -> tuple[Axis, ...]:
    asked = recommender()
    return principal_axes(asked.side("rating"), asked.catalogue, n_components, top=top).axes

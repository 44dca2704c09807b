from __future__ import annotations

from flask import Response

from api.backend import recommender
from api.conditional import tag_by_state
from api.resource import resource
from api.responses import answer, next_page
from api.schemas.common import NoParameters
from api.schemas.items import (
    Item,
    ItemDetail,
    ItemList,
    ItemPath,
    ItemsQuery,
    SimilarList,
    SimilarQuery,
    item_fields,
    similar_items,
)

api = resource("items", 304, 404, 422, 500, 503, url_prefix="/v1/items")
tag_by_state(api)


@api.get("", responses={200: ItemList})
def list_items(query: ItemsQuery) -> Response:
    """List the catalogue, or what is found in it, page by page."""
    asked = recommender()
    rows, cursor = asked.search.page(
        query=query.query,
        filters=query.filters,
        sort=query.sort,
        limit=query.limit,
        after=query.cursor,
    )
    items = [Item(**item_fields(asked.catalogue, int(row))) for row in rows]
    following = None if cursor is None else next_page(cursor=cursor)
    return answer(ItemList(items=items, model_id=asked.model_id, next=following))


@api.get("/<item_id>", responses={200: ItemDetail})
def show_item(path: ItemPath, query: NoParameters) -> Response:
    """Show one item."""
    asked = recommender()
    row = asked.item_row(path.item_id)
    return answer(ItemDetail(**item_fields(asked.catalogue, row), model_id=asked.model_id))


@api.get("/<item_id>/similar", responses={200: SimilarList})
def list_similar_items(path: ItemPath, query: SimilarQuery) -> Response:
    """List the nearest items by the cosine of their embeddings."""
    asked = recommender()
    ranked = asked.similar_items(path.item_id, query.limit, min_ratings=query.min_ratings)
    rows = similar_items(asked.catalogue, ranked)
    return answer(SimilarList(items=rows, model_id=asked.model_id, next=None))

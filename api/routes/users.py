from __future__ import annotations

from typing import Literal

from flask import Response

from api.backend import recommender
from api.conditional import tag_by_state
from api.resource import resource
from api.responses import answer, next_page
from api.schemas.users import (
    PredictionList,
    PredictionsQuery,
    RecommendationList,
    RecommendationsQuery,
    UserPath,
    predictions,
    recommendations,
)
from recsys.errors import UnknownUserError
from recsys.serving import RankedItems

api = resource("users", 304, 404, 422, 500, 503, url_prefix="/v1/users")
tag_by_state(api)


@api.get("/<user_id>/recommendations", responses={200: RecommendationList})
def list_recommendations(path: UserPath, query: RecommendationsQuery) -> Response:
    """List items for a user, best first."""
    ranked, fallback = _rank(path.user_id, query)
    asked, end = recommender(), query.offset + query.limit
    return answer(
        RecommendationList(
            items=recommendations(asked.catalogue, ranked, query.offset),
            model_id=asked.model_id,
            next=next_page(offset=end) if ranked.has_more else None,
            fallback=fallback,
        )
    )


@api.get("/<user_id>/predictions", responses={200: PredictionList})
def list_predictions(path: UserPath, query: PredictionsQuery) -> Response:
    """Predict what a user would rate some items."""
    asked, item_ids = recommender(), query.item_ids.split(",")
    stars = asked.predict(path.user_id, item_ids)
    rows = predictions(asked.catalogue, item_ids, stars)
    return answer(PredictionList(items=rows, model_id=asked.model_id, next=None))


def _rank(
    user_id: str, query: RecommendationsQuery
) -> tuple[RankedItems, Literal["popular"] | None]:
    asked, filters = recommender(), query.filters
    try:
        ranked = asked.recommend(
            user_id,
            query.limit,
            offset=query.offset,
            filters=filters,
            exclude_seen=query.exclude_seen,
        )
    except UnknownUserError:
        if query.fallback is None:
            raise
        return asked.popular(query.limit, offset=query.offset, filters=filters), query.fallback
    return ranked, None

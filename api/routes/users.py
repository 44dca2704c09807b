from __future__ import annotations

from flask import Response

from api.backend import find_person, recommender
from api.conditional import tag_by_state
from api.listing import list_for_user
from api.resource import resource
from api.responses import answer, next_page
from api.schemas.explanations import Explanation, ExplanationQuery, explanation
from api.schemas.list_requests import RecommendationsQuery
from api.schemas.ratings import UserItemPath
from api.schemas.recommendations import RecommendationList
from api.schemas.users import PredictionList, PredictionsQuery, UserPath, predictions

api = resource("users", 304, 404, 422, 500, 503, url_prefix="/v1/users")
tag_by_state(api)


@api.get("/<user_id>/recommendations", responses={200: RecommendationList})
def list_recommendations(path: UserPath, query: RecommendationsQuery) -> Response:
    """List items for a user, best first."""
    listed = list_for_user(path.user_id, query, query.fallback)
    more = listed.next_offset
    return answer(
        {
            "items": listed.rows,
            "model_id": recommender().model_id,
            "next": None if more is None else next_page(offset=more),
            "fallback": listed.fallback,
        }
    )


@api.get("/<user_id>/predictions", responses={200: PredictionList})
def list_predictions(path: UserPath, query: PredictionsQuery) -> Response:
    """Predict what a user would rate some items, and how sure that is."""
    asked, item_ids = recommender(), query.item_ids.split(",")
    person = find_person(path.user_id)
    rows = predictions(
        asked.catalogue,
        item_ids,
        asked.predict(person, item_ids),
        asked.predict_between(person, item_ids, query.level),
    )
    return answer(PredictionList(items=rows, model_id=asked.model_id, next=None))


@api.get("/<user_id>/items/<item_id>/explanation", responses={200: Explanation})
def explain_item(path: UserItemPath, query: ExplanationQuery) -> Response:
    """Show the terms that add up to a user's score of an item."""
    return answer(
        explanation(
            recommender(), path.user_id, find_person(path.user_id), path.item_id, query.n_reasons
        )
    )

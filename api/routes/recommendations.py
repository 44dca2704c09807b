from __future__ import annotations

from typing import Any

from flask import Response

from api.backend import recommender
from api.json_body import take_json
from api.listing import Listed, list_for, list_for_user
from api.resource import resource
from api.responses import answer
from api.schemas.common import NoParameters
from api.schemas.list_requests import BatchBody, NewcomerBody, NewRating
from api.schemas.ratings import RatingError
from api.schemas.recommendations import BatchList, NewcomerList, SkippedRating, UserError
from recsys.data.feedback import rating_flaw
from recsys.errors import UnknownUserError
from recsys.serving import Person

api = resource("recommendations", 400, 404, 415, 422, 500, 503, url_prefix="/v1/recommendations")
take_json(api)


@api.post("", responses={200: NewcomerList})
def list_for_newcomer(query: NoParameters, body: NewcomerBody) -> Response:
    """List items for somebody unknown by what they rated; nothing is kept."""
    errors = [_error(given) for given in body.ratings]
    counted = [given for given, error in zip(body.ratings, errors, strict=True) if error is None]
    listed = list_for(_fold_in(counted) if counted else None, body)
    return answer(
        {
            "items": listed.rows,
            "model_id": recommender().model_id,
            "next": None,
            "fallback": listed.fallback,
            "next_offset": listed.next_offset,
            "skipped": [
                SkippedRating(index=index, item_id=body.ratings[index].item_id, error=error)
                for index, error in enumerate(errors)
                if error is not None
            ],
        }
    )


@api.post("/batch", responses={200: BatchList})
def list_for_many(query: NoParameters, body: BatchBody) -> Response:
    """List items for each of several users."""
    results = {user_id: _result(user_id, body) for user_id in dict.fromkeys(body.user_ids)}
    rows = [results[user_id] for user_id in body.user_ids]
    return answer({"items": rows, "model_id": recommender().model_id, "next": None})


def _fold_in(ratings: list[NewRating]) -> Person:
    values = None if _is_implicit() else [given.rating for given in ratings]
    person, _ = recommender().fold_in([given.item_id for given in ratings], values)
    return person


def _error(given: NewRating) -> RatingError | None:
    asked = recommender()
    if given.item_id not in asked.catalogue.item_ids:
        return RatingError(
            type="urn:recsys:problem:unknown-item",
            detail=f"item {given.item_id!r} is unknown to version {asked.model_id}",
        )
    if given.rating is None or _is_implicit():
        return None
    flaw = rating_flaw(given.rating, asked.order.side.rating_scale, is_implicit=False)
    return None if flaw is None else RatingError(type="urn:recsys:problem:rating", detail=flaw)


def _is_implicit() -> bool:
    return recommender().catalogue.mean_ratings is None


def _result(user_id: str, body: BatchBody) -> dict[str, Any]:
    """Return the fields of `BatchResult`."""
    listed, error = Listed([], None, None), None
    try:
        listed = list_for_user(user_id, body, body.fallback)
    except UnknownUserError as unknown:
        error = UserError(type="urn:recsys:problem:unknown-user", detail=str(unknown))
    return {
        "user_id": user_id,
        "items": listed.rows,
        "next_offset": listed.next_offset,
        "fallback": listed.fallback,
        "error": error,
    }

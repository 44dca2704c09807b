from __future__ import annotations

from flask import Response

from api.backend import backend, recommender
from api.conditional import tag_by_state
from api.json_body import take_json
from api.resource import problems, resource
from api.responses import answer, next_page, no_content
from api.schemas.common import NoParameters
from api.schemas.ratings import (
    GivenRating,
    GivenRatings,
    RatingError,
    RatingResult,
    RatingResultList,
    RatingsQuery,
    UserItemPath,
    UserRatingList,
    user_ratings,
)
from api.schemas.users import UserPath
from recsys.data.feedback import FeedbackEntry, rating_flaw
from recsys.errors import NotFoundError
from recsys.serving.known_ratings import KnownRating, known_ratings
from recsys.store import DataSetInfo, forget_user, get_data_set, save_feedback

api = resource("ratings", 422, 500, 503, url_prefix="/v1")
take_json(api)
tag_by_state(api)


@api.post("/ratings", responses={200: RatingResultList, **problems(400, 415)})
def save_ratings(query: NoParameters, body: GivenRatings) -> Response:
    """Keep ratings, each user's last of an item; what is accepted is durable."""
    data_set = _data_set()
    errors = [_error(given, data_set, new_items=body.new_items) for given in body.ratings]
    results = [
        RatingResult(
            index=index,
            user_id=given.user_id,
            item_id=given.item_id,
            accepted=error is None,
            error=error,
        )
        for index, (given, error) in enumerate(zip(body.ratings, errors, strict=True))
    ]
    accepted = [body.ratings[result.index] for result in results if result.accepted]
    if accepted:
        save_feedback(
            backend().engine,
            data_set.name,
            [
                FeedbackEntry(given.user_id, given.item_id, given.rating, given.timestamp)
                for given in accepted
            ],
        )
    return answer(
        RatingResultList(
            items=results,
            model_id=recommender().model_id,
            next=None,
            n_accepted=len(accepted),
            n_refused=len(results) - len(accepted),
        )
    )


@api.get("/users/<user_id>/ratings", responses={200: UserRatingList, **problems(304, 404)})
def list_ratings(path: UserPath, query: RatingsQuery) -> Response:
    """List what a user is known to have rated, newest first."""
    asked, end = recommender(), query.offset + query.limit
    known = _known(path.user_id)
    return answer(
        UserRatingList(
            items=user_ratings(asked.catalogue, known[query.offset : end]),
            model_id=asked.model_id,
            next=next_page(offset=end) if end < len(known) else None,
        )
    )


@api.delete("/users/<user_id>/ratings", responses={204: None, **problems(404)})
def delete_ratings(path: UserPath, query: NoParameters) -> Response:
    """Forget all that a user rated, at once and in each training to come."""
    _known(path.user_id)
    forget_user(backend().engine, _data_set().name, path.user_id)
    return no_content()


@api.delete("/users/<user_id>/ratings/<item_id>", responses={204: None, **problems(404)})
def delete_rating(path: UserItemPath, query: NoParameters) -> Response:
    """Forget what a user rated an item, at once and in each training to come."""
    known = _known(path.user_id)
    if all(rating.item_id != path.item_id for rating in known):
        raise NotFoundError(f"user {path.user_id!r} is not known to have rated {path.item_id!r}")
    erased = FeedbackEntry(path.user_id, path.item_id, None, None, is_erased=True)
    save_feedback(backend().engine, _data_set().name, [erased])
    return no_content()


def _known(user_id: str) -> list[KnownRating]:
    asked = recommender()
    return known_ratings(asked.source, asked.model_id, asked.catalogue, user_id)


def _data_set() -> DataSetInfo:
    return get_data_set(backend().engine, recommender().model_id)


def _error(given: GivenRating, data_set: DataSetInfo, *, new_items: bool) -> RatingError | None:
    flaw = rating_flaw(given.rating, data_set.rating_scale, is_implicit=data_set.is_implicit)
    if flaw is not None:
        return RatingError(type="urn:recsys:problem:rating", detail=flaw)
    asked = recommender()
    if given.item_id in asked.catalogue.item_ids or new_items:
        return None
    return RatingError(
        type="urn:recsys:problem:unknown-item",
        detail=f"item {given.item_id!r} is unknown to version {asked.model_id}; with new_items "
        "true it is kept for the next training",
    )

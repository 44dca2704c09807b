from __future__ import annotations

from functools import lru_cache

from flask import Response
from sqlalchemy import Engine

from api.backend import backend
from api.conditional import tag_by_content
from api.resource import resource
from api.responses import answer, next_page
from api.schemas.drift import DriftList, DriftQuery, drift_items
from recsys.analysis.drift import Drift, measure_drift
from recsys.analysis.overlap import list_overlap
from recsys.store import StoreSource, get_version, sample_users

LIST_LENGTH = 10
N_USERS = 100

api = resource("drift", 304, 404, 422, 500, 503, url_prefix="/v1/insights")
tag_by_content(api)


@api.get("/drift", responses={200: DriftList})
def list_drift(query: DriftQuery) -> Response:
    """List what moved between two versions, with how much they agree as a whole."""
    engine = backend().engine
    before, after = (get_version(engine, ref).model_id for ref in (query.from_, query.to))
    found, overlap, n_users = _measured(engine, before, after, query.min_ratings)
    end = query.offset + query.limit
    return answer(
        DriftList(
            items=drift_items(found, query),
            model_id=after,
            next=next_page(offset=end) if end < found.n_items else None,
            before=before,
            n_items=found.n_items,
            alignment=found.alignment,
            neighbour_overlap=found.neighbour_overlap,
            n_neighbours=found.n_neighbours,
            bias_correlation=found.bias_correlation,
            list_overlap=overlap,
            n_users=n_users,
            list_length=LIST_LENGTH,
        )
    )


# Versions never change and their ids are never given again; a comparison takes a second or more.
@lru_cache(maxsize=16)
def _measured(
    engine: Engine, before: int, after: int, min_ratings: int
) -> tuple[Drift, float | None, int]:
    """Return the drift, the overlap of lists, and of how many users those are."""
    source = StoreSource(engine)
    sides = ((source.item_side(each, "rating"), source.catalogue(each)) for each in (before, after))
    found = measure_drift(*sides, min_ratings=min_ratings)
    user_ids = sample_users(engine, after, N_USERS)
    return found, list_overlap(source, before, after, user_ids, LIST_LENGTH), len(user_ids)

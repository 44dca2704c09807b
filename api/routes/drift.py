from __future__ import annotations

from flask import Response

from api.backend import backend
from api.conditional import tag_by_content
from api.readings import LIST_LENGTH, moved
from api.resource import resource
from api.responses import answer, next_page
from api.schemas.drift import DriftList, DriftQuery, drift_items
from recsys.store import get_version

api = resource("drift", 304, 404, 422, 500, 503, url_prefix="/v1/insights")
tag_by_content(api)


@api.get("/drift", responses={200: DriftList})
def list_drift(query: DriftQuery) -> Response:
    """List what moved between two versions, with how much they agree as a whole."""
    engine = backend().engine
    before, after = (get_version(engine, ref).model_id for ref in (query.from_, query.to))
    found, overlap, n_users = moved(engine, before, after, query.min_ratings)
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

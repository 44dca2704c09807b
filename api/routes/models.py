from __future__ import annotations

import logging

from flask import Response

from api.backend import backend
from api.conditional import tag_by_content
from api.json_body import take_json
from api.keys import caller
from api.resource import problems, resource
from api.responses import answer, next_page
from api.schemas.common import NoParameters
from api.schemas.models import (
    Alias,
    AliasPath,
    Comparison,
    ModelDetail,
    ModelList,
    ModelPath,
    ModelsQuery,
    Promotion,
    Rollback,
    TwoVersions,
    comparison,
    model_list,
)
from recsys.store import (
    AliasInfo,
    StoreSource,
    compare_versions,
    get_alias,
    get_version,
    list_versions,
    promote,
    rollback,
)

api = resource("models", 404, 422, 500, 503, url_prefix="/v1/models")
take_json(api)
tag_by_content(api)

logger = logging.getLogger(__name__)


@api.get("", responses={200: ModelList, **problems(304)})
def list_models(query: ModelsQuery) -> Response:
    """List the stored versions, newest first."""
    engine = backend().engine
    champion = StoreSource(engine).champion()
    found = list_versions(engine, limit=query.limit + 1, before=query.cursor)
    versions, has_more = found[: query.limit], len(found) > query.limit
    return answer(
        model_list(
            versions,
            champion=None if champion is None else champion.model_id,
            following=next_page(cursor=versions[-1].model_id) if has_more else None,
        )
    )


@api.get("/compare", responses={200: Comparison, **problems(304)})
def compare_models(query: TwoVersions) -> Response:
    """Show two versions side by side: metrics, and the settings that differ."""
    engine = backend().engine
    before, after = get_version(engine, query.from_), get_version(engine, query.to)
    return answer(comparison(compare_versions(before, after)))


@api.get("/<model_ref>", responses={200: ModelDetail, **problems(304)})
def show_model(path: ModelPath, query: NoParameters) -> Response:
    """Show one version, by its id or an alias, with how its training went."""
    return answer(ModelDetail.model_validate(get_version(backend().engine, path.model_ref)))


@api.get("/aliases/<alias>", responses={200: Alias, **problems(304)})
def show_alias(path: AliasPath, query: NoParameters) -> Response:
    """Show what an alias points to."""
    return answer(Alias.model_validate(get_alias(backend().engine, path.alias)))


@api.put("/aliases/<alias>", responses={200: Alias, **problems(400, 409, 415)})
def promote_model(path: AliasPath, query: NoParameters, body: Promotion) -> Response:
    """Point an alias to a version; each worker loads a new champion at its next request."""
    return _moved(
        promote(
            backend().engine, body.model_id, path.alias, expected_revision=body.expected_revision
        )
    )


@api.post("/aliases/<alias>/rollback", responses={200: Alias, **problems(400, 409, 415)})
def roll_back_alias(path: AliasPath, query: NoParameters, body: Rollback) -> Response:
    """Point an alias to the version that it pointed to before."""
    return _moved(rollback(backend().engine, path.alias, expected_revision=body.expected_revision))


def _moved(alias: AliasInfo) -> Response:
    logger.info(
        "%s points to version %d, revision %d, by key %s",
        alias.alias,
        alias.model_id,
        alias.revision,
        caller() or "none",
    )
    return answer(Alias.model_validate(alias))

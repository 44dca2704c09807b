from __future__ import annotations

from flask import Response

from api.backend import backend
from api.conditional import tag_by_content
from api.resource import resource
from api.responses import answer
from api.schemas.common import NoParameters
from api.schemas.models import ModelDetail, ModelList, ModelPath, model_list
from recsys.store import get_version, list_versions

api = resource("models", 304, 404, 422, 500, 503, url_prefix="/v1/models")
tag_by_content(api)


@api.get("", responses={200: ModelList})
def list_models(query: NoParameters) -> Response:
    """List all stored versions, newest first."""
    return answer(model_list(list_versions(backend().engine)))


@api.get("/<model_ref>", responses={200: ModelDetail})
def show_model(path: ModelPath, query: NoParameters) -> Response:
    """Show one version, by its id or an alias, with how its training went."""
    return answer(ModelDetail.model_validate(get_version(backend().engine, path.model_ref)))

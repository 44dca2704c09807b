from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from api import body, errors, headers, keys, logs, page, proxies, rate_limit
from api.backend import Backend
from api.config import Config
from api.description import describe
from api.kept_answers import KeptAnswers
from api.metrics import Metrics
from api.routes import drift, insights, items, models, ratings, recommendations, service, users
from api.schemas.common import Problem
from recsys import __version__

DESCRIPTION = "Recommendations, predicted ratings, similar items and readings of the embeddings."

# Of the answers that each worker keeps to give them again: some three thousand lists.
KEPT_BYTES = 8 * 1024 * 1024


class _App(OpenAPI):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``func``: none is a coroutine, and to find that out takes Flask a while."""
        return func


def create_app(config: Config | None = None) -> OpenAPI:
    """Return the application; neither the database nor a model is opened before a request.

    Parameters
    ----------
    config : Config, optional
    """
    config, metrics = config or Config(), Metrics()
    app = _App(
        __name__,
        info=Info(title="recsys", version=__version__, description=DESCRIPTION),
        security_schemes=keys.SECURITY_SCHEMES,
        doc_ui=False,  # its page lies at other addresses; ours is in `api.routes.service`
        validation_error_model=Problem,
        validation_error_callback=errors.from_validation,
    )
    # An empty id in a path is a page that does not exist, not a redirection to another one.
    app.url_map.merge_slashes = False
    app.extensions["recsys"] = Backend(config, metrics.model_loaded)
    app.extensions["recsys.metrics"] = metrics
    app.extensions["recsys.kept"] = KeptAnswers(KEPT_BYTES)
    # What comes first here sees a request first, and its answer last.
    logs.register(app)
    metrics.register(app)
    headers.register(app, config.cors_origins)
    rate_limit.register(app, config)
    keys.register(app, config.reads_need_key)
    body.register(app, config.max_body)
    proxies.register(app, config.n_proxies)
    errors.register(app)
    for routes in (users, recommendations, ratings, items, insights, drift, models, service):
        app.register_api(routes.api)
    app.register_blueprint(service.swagger_ui)
    page.register(app, config)
    app.extensions["recsys.description"] = describe(app.api_doc, config.reads_need_key)
    return app

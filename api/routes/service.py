"""Whether the service lives and is ready, and what it can be asked."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import cast

from flask import Blueprint, Response, current_app, render_template

from api.backend import backend
from api.metrics import CONTENT_TYPE, Metrics
from api.resource import problems, resource
from api.responses import answer
from api.schemas.service import Health, Readiness

HTML = {"description": "OK", "content": {"text/html": {"schema": {"type": "string"}}}}
TEXT = {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}
JSON = {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}

# The page may load from this server only: nothing leaves the machine, and a mistake is seen.
PAGE_POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'"

api = resource("service", 500)

swagger_ui = Blueprint(
    "swagger_ui",
    __name__,
    static_folder=str(files("flask_openapi3_swagger") / "templates" / "swagger"),
    static_url_path="/docs/swagger-ui",
)


@api.get("/healthz", responses={200: Health})
def show_health() -> Response:
    """Say that the process answers; neither the database nor a model is touched."""
    return answer(Health(status="ok"))


@api.get("/readyz", responses={200: Readiness, **problems(503)})
def show_readiness() -> Response:
    """Say which version answers, or that there is none."""
    serving = backend().serving
    model_id = serving.current().recommender.model_id
    return answer(Readiness(status="ready", model_id=model_id, failure=serving.failure))


@api.get("/metrics", responses={200: TEXT})
def show_metrics() -> Response:
    """Show what Prometheus collects: requests, their times, the version that is served."""
    counted = cast(Metrics, current_app.extensions["recsys.metrics"])
    return Response(counted.text(), content_type=CONTENT_TYPE)


@api.get("/openapi.json", responses={200: JSON})
def show_openapi() -> Response:
    """Describe all routes, their parameters and answers, as OpenAPI."""
    described = current_app.extensions["recsys.description"]
    return Response(json.dumps(described), mimetype="application/json")


@api.get("/docs", responses={200: HTML})
def show_docs() -> Response:
    """Show the description as a page to read and try."""
    response = Response(render_template("docs.html"), mimetype="text/html")
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response

"""What all pages share: their address space, their security policy, and errors as pages."""

from __future__ import annotations

import gzip
from typing import TypeVar

from flask import Blueprint, Flask, Response, render_template, request
from pydantic import BaseModel, ValidationError

from api import errors, keys
from api.conditional import tag_by_content, tag_by_state
from api.config import Config

# Nothing inline, nothing from another host: a title can never become a script.
POLICY = "; ".join(
    [
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "connect")),
        "form-action 'self'",
        "base-uri 'none'",
    ]
)

_HOW_TO_ENTER = (
    "this server shows its pages only to those who have a key. Load the page again and, where the "
    "browser asks for a name and a password, give the key as the password, and any name. Whoever "
    "runs the server makes a key with: recsys keys create NAME"
)

Query = TypeVar("Query", bound=BaseModel)

pages = Blueprint("page", __name__)
"""What people look at."""

data = Blueprint("page_data", __name__)
"""What the pages' scripts draw: nothing is computed for a browser that holds it already."""


def _compress(answer: Response) -> Response:
    """Return the answer as gzip where the browser takes that: the films of a map are a megabyte."""
    answer.vary.add("Accept-Encoding")
    if answer.status_code == 200 and request.accept_encodings.quality("gzip") > 0:
        answer.set_data(gzip.compress(answer.get_data(), compresslevel=6, mtime=0))
        answer.content_encoding = "gzip"
        tag, _ = answer.get_etag()
        if tag:  # the bytes are others, what they say is the same
            answer.set_etag(tag, weak=True)
    return answer


for _blueprint in (pages, data):
    # What is registered last comes first: answers are tagged, and kept, as they are.
    _blueprint.after_request(_compress)
    _blueprint.register_error_handler(ValidationError, errors.from_validation)
tag_by_content(pages)
tag_by_state(data)


def register(app: Flask, config: Config) -> None:
    """Add the pages to ``app``; where reads need a key, the browser is made to ask for one."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= {"figure": _figure, "plain": _plain, "signed": _signed}
    if config.reads_need_key:
        app.before_request(_refuse_without_key)
    app.after_request(_as_page)
    app.register_blueprint(pages)
    app.register_blueprint(data)


def render(template: str, **values: object) -> Response:
    """Return a page, which may load scripts and style from this server and nothing else."""
    answer = Response(render_template(f"page/{template}", **values), mimetype="text/html")
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


def query_as(model: type[Query]) -> Query:
    """Return this request's parameters; an empty field of a form is one that is not given.

    Raises
    ------
    pydantic.ValidationError
        If one is not allowed.
    """
    return model.model_validate({name: value for name, value in request.args.items() if value})


def _figure(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else _plain(value, 4)


def _plain(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


def _refuse_without_key() -> Response | None:
    is_ours = request.blueprint in (pages.name, data.name)
    return keys.refuse_without_key(_HOW_TO_ENTER) if is_ours else None


def _as_page(answer: Response) -> Response:
    """Show a problem to somebody with a browser, unless it is one of the API."""
    if answer.mimetype != errors.CONTENT_TYPE or not _is_for_reading():
        return answer
    shown = render("error.html", problem=answer.get_json())
    answer.set_data(shown.get_data())
    for name in ("Content-Type", "Content-Security-Policy"):
        answer.headers[name] = shown.headers[name]
    return answer


def _is_for_reading() -> bool:
    accepted = request.accept_mimetypes
    is_ours = request.blueprint in (None, pages.name) and not request.path.startswith("/v1/")
    return is_ours and accepted["text/html"] > accepted["application/json"]

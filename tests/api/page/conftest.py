from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from werkzeug.serving import make_server

from api import create_app
from recsys import store

SCREENS = {
    "light, wide": {"color_scheme": "light", "viewport": {"width": 1200, "height": 900}},
    "dark, phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}},
}


@pytest.fixture(scope="session")
def address(browsed_shop):
    """Where the pages of `browsed_shop` are served."""
    with _serving(browsed_shop.app) as url:
        yield url


@pytest.fixture
def fresh_address(folding_shop):
    """Where the pages of `folding_shop` are served."""
    with _serving(folding_shop.app) as url:
        yield url


@pytest.fixture
def guarded(folding_shop):
    """Where `folding_shop` is served to those with a key alone, and a key."""
    app = create_app(replace(folding_shop.config, reads_need_key=True))
    with _serving(app) as url:
        yield url, store.create_key(folding_shop.engine, "analyst")
    app.extensions["recsys"].engine.dispose()


@pytest.fixture(params=SCREENS)
def page(browser, address, request):
    """A page that must raise no error and ask no other host for anything."""
    # Without motion a flight over the map is there at once.
    screen = SCREENS[request.param]
    context = browser.new_context(base_url=address, reduced_motion="reduce", **screen)
    context.set_default_timeout(10_000)
    opened = context.new_page()
    faults, hosts = [], set()
    opened.on("console", lambda said: _is_fault(said) and faults.append(said.text))
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", lambda asked: hosts.add(urlsplit(asked.url).hostname))
    yield opened
    context.close()
    assert faults == []
    assert hosts <= {"127.0.0.1", None}  # what a page makes itself has no host


@contextmanager
def _serving(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _is_fault(said):
    # That a key is asked for, a browser notes by itself.
    return said.type == "error" and "status of 401" not in said.text

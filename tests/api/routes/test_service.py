import re
from html.parser import HTMLParser

import pytest


class Links(HTMLParser):
    """Collects everything that a page makes a browser load or offers to follow."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("src", "href", "data-url")]


@pytest.fixture
def page(shop):
    return shop.get("/docs")


def test_the_documentation_page_loads_only_from_this_server(shop, page):
    links = Links()
    links.feed(page.text)
    assert page.mimetype == "text/html"
    assert len(links.found) >= 5
    for link in links.found:
        assert re.match(r"/(?!/)", link), f"{link} is on another host"
        assert shop.get(link).status_code == 200


def test_the_browser_is_told_to_load_from_nowhere_else(page):
    directives = dict(
        part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";")
    )
    assert directives["default-src"] == "'self'"
    assert set(" ".join(directives.values()).split()) <= {
        "'self'",
        "data:",
        "'unsafe-inline'",
        "'none'",
    }
    assert "script-src" not in directives  # nor any inline script


def test_the_page_has_no_inline_script_that_its_policy_would_stop(page):
    assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
    assert " onload=" not in page.text


def test_the_page_asks_no_public_server_to_check_the_description(shop):
    script = shop.get("/static/docs.js").text
    assert re.search(r"validatorUrl:\s*null", script)


def test_the_process_is_alive_without_a_model(empty_shop):
    assert empty_shop.get("/healthz").get_json() == {"status": "ok"}


def test_readiness_names_the_version_that_answers(shop):
    assert shop.get("/readyz").get_json() == {"status": "ready", "model_id": 1, "failure": None}


def test_a_promotion_is_served_by_the_next_request(fresh_shop):
    url = "/v1/users/1/recommendations"
    before = fresh_shop.get(url).get_json()
    fresh_shop.train(seed=2)
    after = fresh_shop.get(url).get_json()
    assert (before["model_id"], after["model_id"]) == (1, 2)
    assert before["items"] != after["items"]


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_serving_and_is_told(fresh_shop):
    fresh_shop.get("/readyz")
    fresh_shop.train(seed=2)
    with fresh_shop.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql(
            "UPDATE item_embeddings SET factors = x'00' WHERE snapshot_id = 2 AND item_row = 3"
        )
    ready = fresh_shop.get("/readyz").get_json()
    assert ready["model_id"] == 1
    assert "version 2 cannot be loaded" in ready["failure"]
    assert fresh_shop.get("/v1/users/1/recommendations").get_json()["model_id"] == 1

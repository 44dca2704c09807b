from dataclasses import replace

import pytest

from api import create_app
from recsys import store

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PAGES = ["/", "/users/1", "/explore", "/insights", "/insights/axes/0", "/models", "/models/1"]


@pytest.mark.parametrize("url", PAGES)
def test_a_version_of_a_network_has_all_pages_but_those_of_axes(network_shop, url):
    expected = 404 if "axes" in url else 200
    assert network_shop.get(url, headers=BROWSER).status_code == expected


@pytest.mark.parametrize("url", [*PAGES, "/nothing"])
def test_a_page_may_load_and_send_nothing_but_from_and_to_this_server(full_shop, url):
    policy = full_shop.get(url, headers=BROWSER).headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["form-action"] == "'self'"
    assert "unsafe" not in policy


def test_an_error_is_a_page_for_a_browser_and_a_problem_for_a_program(full_shop):
    page = full_shop.get("/nothing", headers=BROWSER)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "there is nothing at this address" in page.text
    problem = full_shop.get("/nothing")
    assert (problem.status_code, problem.mimetype) == (404, "application/problem+json")


@pytest.mark.parametrize("url", ["/v1/nothing", "/v1/items/nope", "/v1/users/nobody/ratings"])
def test_an_error_of_the_api_is_a_problem_for_browsers_too(full_shop, url):
    assert full_shop.get(url, headers=BROWSER).mimetype == "application/problem+json"


def test_an_unknown_user_is_said_on_a_page(full_shop):
    page = full_shop.get("/users/nobody", headers=BROWSER)
    assert page.status_code == 404
    assert "nobody" in page.text


def test_without_a_version_the_pages_say_what_makes_one(empty_shop):
    page = empty_shop.get("/", headers=BROWSER)
    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert "`recsys train` makes one" in page.text


def test_what_was_typed_is_text_wherever_it_stands(full_shop):
    script = "<script>alert(1)</script>"
    for url in ("/?query=", "/users/", "/?rated="):
        page = full_shop.get(url + script.replace("/", "%2F"), headers=BROWSER)
        assert "<script>alert" not in page.text


def test_a_page_asked_for_again_is_not_sent_again(full_shop):
    tag = full_shop.get("/insights").headers["ETag"]
    again = full_shop.get("/insights", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_styles_and_scripts_are_asked_for_again_and_not_sent_again(full_shop):
    first = full_shop.get("/static/page.css")
    assert first.headers["Cache-Control"] == "no-cache"
    again = full_shop.get("/static/page.css", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_root_answers_head(full_shop):
    answer = full_shop.client.head("/")
    assert (answer.status_code, answer.data) == (200, b"")


def test_the_pages_are_not_in_the_description_of_the_api(full_shop):
    paths = full_shop.get("/openapi.json").get_json()["paths"]
    assert not {"/", "/insights", "/users/{user_id}"} & set(paths)


@pytest.fixture(scope="module")
def guarded(make_shop):
    """A client of a server that asks for a key on reads, and such a key."""
    made = make_shop()
    made.train(seed=1)
    app = create_app(replace(made.config, reads_need_key=True))
    yield app.test_client(), store.create_key(made.engine, "analyst")
    app.extensions["recsys"].engine.dispose()


READ = [*PAGES, "/explore/points.json"]


@pytest.mark.parametrize("url", READ)
def test_where_reads_need_a_key_the_browser_is_made_to_ask_for_it(guarded, url):
    client, _ = guarded
    page = client.get(url, headers=BROWSER)
    assert page.status_code == 401
    assert any(how.startswith("Basic ") for how in page.headers.getlist("WWW-Authenticate"))
    assert "give the key as the password" in page.text
    assert "Film" not in page.text
    assert "Rate a few films" not in page.text


# Its data have too few ratings for axes.
@pytest.mark.parametrize("url", sorted({*READ, "/v1/items?query=film"} - {"/insights/axes/0"}))
def test_a_key_given_as_a_password_opens_all_pages_and_what_their_scripts_ask(guarded, url):
    client, key = guarded
    assert client.get(url, headers=BROWSER, auth=("anybody", key)).status_code == 200
    wrong = client.get(url, headers=BROWSER, auth=("anybody", key + "x"))
    assert wrong.status_code == 401
    assert "unknown or was revoked" in wrong.text


def test_what_a_browser_sends_by_itself_is_not_enough_to_write(guarded):
    client, key = guarded
    body = {"json": {"model_id": 1}}
    refused = client.put("/v1/models/aliases/champion", auth=("anybody", key), **body)
    assert refused.status_code == 401
    assert refused.headers.getlist("WWW-Authenticate") == ["Bearer"]
    bearer = {"Authorization": f"Bearer {key}"}
    assert client.put("/v1/models/aliases/champion", headers=bearer, **body).status_code == 200


def test_too_many_pages_are_refused_on_a_page(full_shop):
    app = create_app(replace(full_shop.config, rate_limit="2/day"))
    client = app.test_client()
    answers = [client.get(url, headers=BROWSER) for url in ("/models", "/explore/points.json")]
    assert [answer.status_code for answer in answers] == [200, 200]
    refused = client.get("/models", headers=BROWSER)
    assert (refused.status_code, refused.mimetype) == (429, "text/html")
    assert int(refused.headers["Retry-After"]) > 0
    assert "more than 2 per 1 day" in refused.text
    assert client.get("/static/page.css", buffered=True).status_code == 200
    assert client.get("/docs").status_code == 200
    app.extensions["recsys"].engine.dispose()

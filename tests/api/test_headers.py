import pytest

from api import Config, create_app


@pytest.mark.parametrize(
    "url", ["/healthz", "/v1/items", "/nothing", "/v1/items?limit=0", "/docs", "/static/docs.js"]
)
def test_no_answer_can_be_framed_or_taken_for_another_type_or_tells_other_hosts_its_address(
    shop, url
):
    headers = shop.get(url).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src" in headers["Content-Security-Policy"]


def test_an_answer_that_is_no_page_may_load_nothing(shop):
    assert shop.get("/v1/items").headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_other_sites_are_allowed_nothing_unless_asked_for(shop):
    answer = shop.get("/v1/items", headers={"Origin": "https://shop.example"})
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


@pytest.fixture
def cors(shop):
    origins = ("https://shop.example", "https://*.shop.example", "http://[::1]:80")
    config = Config(shop.config.database_url, shop.config.cache_dir, cors_origins=origins)
    app = create_app(config)
    yield app.test_client()
    app.extensions["recsys"].engine.dispose()


def test_a_named_site_may_read_answers_and_their_tags_and_no_other_site_may(cors):
    allowed = cors.get("/v1/items", headers={"Origin": "https://shop.example"}).headers
    assert allowed["Access-Control-Allow-Origin"] == "https://shop.example"
    assert {"ETag", "X-Request-ID"} <= set(allowed["Access-Control-Expose-Headers"].split(", "))
    other = cors.get("/v1/items", headers={"Origin": "https://other.example"}).headers
    assert "Access-Control-Allow-Origin" not in other


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://[::1]:80", True),
        ("http://[::1]:8080", False),
        ("http://::1:80", False),
        ("https://x.shop.example", False),
        ("https:///shopXexample", False),
        ("https://shop.example.other.example", False),
    ],
)
def test_an_origin_is_taken_to_the_letter_and_for_no_pattern(cors, origin, is_allowed):
    headers = cors.get("/v1/items", headers={"Origin": origin}).headers
    assert headers.get("Access-Control-Allow-Origin") == (origin if is_allowed else None)


def test_a_browser_that_asks_first_is_told_which_headers_it_may_send(cors):
    asked = cors.options(
        "/v1/items",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
        },
    )
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Headers"] == "authorization"
    cors.get("/v1/items")  # opens the store, so that there is something to close


def test_what_is_not_under_v1_stays_closed_to_other_sites(cors):
    answer = cors.get("/readyz", headers={"Origin": "https://shop.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers

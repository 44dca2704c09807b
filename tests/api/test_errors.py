import pytest

PROBLEM_KEYS = ["type", "title", "status", "detail", "instance"]


def problem(answer, status):
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    body = answer.get_json()
    assert list(body)[:5] == PROBLEM_KEYS
    assert body["status"] == status
    assert body["instance"] == answer.request.path
    return body


@pytest.mark.parametrize(
    "url", ["/nothing", "/v1", "/v1/items/", "/v1/items/a/b/c", "/v1/users//recommendations"]
)
def test_an_address_without_a_route_is_404(shop, url):
    assert problem(shop.get(url), 404)["type"] == "about:blank"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("url", ["/v1/items", "/v1/users/1/recommendations", "/healthz", "/docs"])
def test_another_method_is_405_and_says_which_are_allowed(shop, method, url):
    answer = shop.client.open(url, method=method)
    problem(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", ["recommendations", "predictions?item_ids=m1"])
@pytest.mark.parametrize(
    ("shop_name", "folds_in"),
    [("shop", False), ("network_shop", False), ("full_shop", True), ("implicit_shop", True)],
)
def test_an_unknown_user_is_404_with_a_hint_at_what_can_be_asked_instead(
    request, shop_name, folds_in, path
):
    shop = request.getfixturevalue(shop_name)
    body = problem(shop.get(f"/v1/users/99999/{path}"), 404)
    assert body["type"] == "urn:recsys:problem:unknown-user"
    assert "'99999'" in body["detail"]
    assert "fallback=popular" in body["detail"]
    made = shop.client.post("/v1/recommendations", json={"ratings": [{"item_id": "m1"}]})
    assert (made.status_code == 200) == folds_in
    assert ("POST /v1/recommendations" in body["detail"]) == folds_in


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("/v1/items/nothing", "'nothing'"),
        ("/v1/items/nothing/similar", "'nothing'"),
        ("/v1/items?cursor=nothing", "'nothing'"),
        ("/v1/insights/pca/99", "component 99"),
        ("/v1/models/99", "the versions are 1"),
        ("/v1/models/nobody", "champion -> 1"),
    ],
)
def test_what_is_not_there_is_404_and_named(shop, url, wanted):
    assert wanted in problem(shop.get(url), 404)["detail"]


LIST = "/v1/users/1/recommendations?"


@pytest.mark.parametrize(
    ("url", "name", "location"),
    [
        (LIST + "limit=0", "limit", "query"),
        (LIST + "limit=101", "limit", "query"),
        (LIST + "limit=ten", "limit", "query"),
        (LIST + "limit=", "limit", "query"),
        (LIST + "limit=1.5", "limit", "query"),
        (LIST + "limit=" + "9" * 5000, "limit", "query"),
        (LIST + "offset=-1", "offset", "query"),
        (LIST + "offset=2147483648", "offset", "query"),
        (LIST + "n_reasons=51", "n_reasons", "query"),
        (LIST + "min_ratings=-1", "min_ratings", "query"),
        (LIST + "exclude_seen=yes", "exclude_seen", "query"),
        (LIST + "exclude_seen=1", "exclude_seen", "query"),
        (LIST + "year_min=MCMXC", "year_min", "query"),
        (LIST + "fallback=random", "fallback", "query"),
        (LIST + "genre=", "genre", "query"),
        (LIST + "lmit=5", "lmit", "query"),  # a typo is not ignored
        (LIST + "limit=1&limit=2", "limit", "query"),
        ("/v1/users/1/predictions", "item_ids", "query"),
        ("/v1/users/1/predictions?item_ids=", "item_ids", "query"),
        ("/v1/users/1/predictions?item_ids=a,,b", "item_ids", "query"),
        ("/v1/users/1/predictions?item_ids=a/b", "item_ids", "query"),
        ("/v1/users/1/predictions?item_ids=" + "a," * 100 + "a", "item_ids", "query"),
        ("/v1/users/a,b/recommendations", "user_id", "path"),
        ("/v1/users/%00/recommendations", "user_id", "path"),
        ("/v1/users/" + "u" * 256 + "/recommendations", "user_id", "path"),
        ("/v1/items/a,b", "item_id", "path"),
        ("/v1/items?sort=rating", "sort", "query"),
        ("/v1/items?cursor=a,b", "cursor", "query"),
        ("/v1/insights/bias?order=middle", "order", "query"),
        ("/v1/insights/pca?components=0", "components", "query"),
        ("/v1/insights/pca?top=101", "top", "query"),
        ("/v1/insights/pca/first", "component", "path"),
        ("/v1/insights/pca/-1", "component", "path"),
        ("/v1/models/Champion", "model_ref", "path"),
        ("/v1/models/" + "9" * 30, "model_ref", "path"),
        ("/v1/models?limit=0", "limit", "query"),
        ("/v1/models/1?verbose=1", "verbose", "query"),
        ("/v1/items/m1?verbose=1", "verbose", "query"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_422_and_named(shop, url, name, location):
    body = problem(shop.get(url), 422)
    assert [(error["name"], error["location"]) for error in body["errors"]] == [(name, location)]
    assert body["errors"][0]["message"]
    assert name in body["detail"]


def test_all_parameters_that_are_wrong_are_named_at_once(shop):
    body = problem(shop.get("/v1/users/a,b/recommendations?limit=0&foo=1"), 422)
    assert {error["name"] for error in body["errors"]} >= {"user_id"}
    body = problem(shop.get("/v1/users/1/recommendations?limit=0&foo=1"), 422)
    assert [error["name"] for error in body["errors"]] == ["limit", "foo"]


@pytest.mark.parametrize(
    "url",
    [
        "/v1/users/1/recommendations",
        "/v1/users/1/predictions?item_ids=m1",
        "/v1/items",
        "/v1/items/m1",
        "/v1/items/m1/similar",
        "/v1/insights/bias",
        "/v1/insights/pca",
        "/v1/insights/pca/0",
        "/readyz",
    ],
)
def test_without_a_model_everything_that_needs_one_is_503(empty_shop, url):
    body = problem(empty_shop.get(url), 503)
    assert body["type"] == "urn:recsys:problem:no-model"
    assert "recsys train" in body["detail"]


def test_a_database_that_cannot_be_used_is_503_and_is_not_described_to_strangers(tmp_path, caplog):
    from api import Config, create_app

    (tmp_path / "recsys.db").write_text("this is no database")
    app = create_app(Config(f"sqlite:///{tmp_path}/recsys.db", tmp_path / "cache"))
    body = problem(app.test_client().get("/v1/items"), 503)
    assert str(tmp_path) not in str(body)
    assert "file is not a database" in caplog.text


def test_a_fault_is_500_without_its_cause_and_the_log_has_it(fresh_shop, monkeypatch, caplog):
    def fail(*_args, **_options):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("recsys.serving.Recommender.recommend", fail)
    body = problem(fresh_shop.get("/v1/users/1/recommendations"), 500)
    assert "secret detail" not in str(body)
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    "user_id", ["%20", "..%20", "%F0%9F%98%80", "%FF%FE", "%E2%80%A8", "a%3Fb", "a%23b", "%25", "'"]
)
def test_any_allowed_id_is_answered_without_a_fault(shop, user_id):
    answer = shop.get(f"/v1/users/{user_id}/recommendations")
    assert problem(answer, 404)["type"] == "urn:recsys:problem:unknown-user"
    popular = shop.get(f"/v1/users/{user_id}/recommendations?fallback=popular&limit=1").get_json()
    assert shop.get(popular["next"]).status_code == 200

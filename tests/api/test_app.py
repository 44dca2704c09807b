import json
import re
import subprocess
import sys
from copy import deepcopy
from weakref import WeakKeyDictionary

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

# One request for each documented GET route that answers JSON, and the body of each POST.
REQUESTS = {
    "/v1/users/{user_id}/recommendations": "/v1/users/2/recommendations?limit=3&explain=true",
    "/v1/users/{user_id}/items/{item_id}/explanation": "/v1/users/2/items/m3/explanation",
    "/v1/users/{user_id}/predictions": "/v1/users/1/predictions?item_ids=m1,nothing",
    "/v1/users/{user_id}/ratings": "/v1/users/1/ratings?limit=3",
    "/v1/items": "/v1/items?limit=30",
    "/v1/items/{item_id}": "/v1/items/m27",
    "/v1/items/{item_id}/similar": "/v1/items/m1/similar",
    "/v1/insights/bias": "/v1/insights/bias?min_ratings=0&limit=3",
    "/v1/insights/pca": "/v1/insights/pca?top=2",
    "/v1/insights/pca/{component}": "/v1/insights/pca/0",
    "/v1/insights/map": "/v1/insights/map?min_ratings=0&limit=3",
    "/v1/insights/drift": "/v1/insights/drift?from=champion&to=champion&min_ratings=0&limit=3",
    "/v1/models": "/v1/models",
    "/v1/models/compare": "/v1/models/compare?from=champion&to=champion",
    "/v1/models/aliases/{alias}": "/v1/models/aliases/champion",
    "/v1/models/{model_ref}": "/v1/models/champion",
    "/healthz": "/healthz",
    "/readyz": "/readyz",
    "/openapi.json": "/openapi.json",
}
BODIES = {
    "/v1/recommendations": {
        "ratings": [{"item_id": "m1", "rating": 4}, {"item_id": 7, "rating": 4}, {"item_id": "m2"}],
        "explain": True,
        "popularity": -0.25,
    },
    "/v1/recommendations/batch": {"user_ids": [2, "nobody"], "genre": "drama", "limit": 3},
    "/v1/ratings": {
        "ratings": [
            {"user_id": "new", "item_id": "m1", "rating": 4},
            {"user_id": 1, "item_id": "nothing", "rating": 4, "timestamp": 5},
        ]
    },
}


@pytest.fixture(scope="module")
def spec(shop):
    return shop.get("/openapi.json").get_json()


@pytest.fixture(autouse=True)
def well_known_items(monkeypatch):
    # The little set has hardly an item with the twenty ratings that axes are fitted on.
    monkeypatch.setattr(
        "recsys.analysis.pca.well_known", lambda items, *_: items.item_counts.nonzero()[0]
    )
    monkeypatch.setattr("api.readings._kept", WeakKeyDictionary())


def closed(schema):
    """Return a schema that also refuses keys it does not name."""
    if isinstance(schema, dict):
        out = {key: closed(value) for key, value in schema.items()}
        return out | {"additionalProperties": False} if "properties" in schema else out
    return [closed(entry) for entry in schema] if isinstance(schema, list) else schema


def operations(spec, method):
    """Return the described operations of one method, by path."""
    return {path: item[method] for path, item in spec["paths"].items() if method in item}


def check(body, schema, spec):
    Draft202012Validator(
        closed(deepcopy(schema)) | {"components": closed(deepcopy(spec["components"]))}
    ).validate(body)


def test_the_description_is_valid_openapi(spec):
    validate(spec)


def test_every_route_is_described_and_everything_described_is_a_route(shop, spec):
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in shop.app.url_map.iter_rules()
        if not rule.endpoint.endswith("static") and not rule.endpoint.startswith("page")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, item in spec["paths"].items() for method in item}
    assert routes == described


@pytest.mark.parametrize("path", REQUESTS)
def test_an_answer_has_the_keys_and_types_that_are_described(shop, spec, path):
    answer = shop.get(REQUESTS[path])
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    described = spec["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    check(answer.get_json(), described["schema"], spec)


@pytest.mark.parametrize("path", BODIES)
def test_what_is_posted_and_answered_is_as_described(folding_shop, spec, path):
    described = operations(spec, "post")[path]
    check(BODIES[path], described["requestBody"]["content"]["application/json"]["schema"], spec)
    answer = folding_shop.client.post(path, json=BODIES[path])
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    schema = described["responses"]["200"]["content"]["application/json"]["schema"]
    check(answer.get_json(), schema, spec)


def test_there_is_a_request_for_every_described_route_with_json(spec):
    assert REQUESTS.keys() == {
        path
        for path, operation in operations(spec, "get").items()
        if "application/json" in operation["responses"]["200"]["content"]
    }
    # A rollback needs two promotions before it: the tests of its route have them.
    rollback = "/v1/models/aliases/{alias}/rollback"
    assert BODIES.keys() | {rollback} == operations(spec, "post").keys()


def test_every_parameter_of_a_list_is_bounded(spec):
    for path, operation in operations(spec, "get").items():
        for parameter in operation.get("parameters", []):
            if parameter["schema"]["type"] == "integer":
                assert {"minimum", "maximum"} & parameter["schema"].keys(), (path, parameter)
            if parameter["name"] == "limit":
                bounds = parameter["schema"]["minimum"], parameter["schema"]["maximum"]
                assert bounds == (1, 1000 if path == "/v1/insights/map" else 100), path


def test_no_parameter_claims_that_a_url_could_say_null(spec):
    assert '"null"' not in json.dumps(
        [
            operation.get("parameters", [])
            for item in spec["paths"].values()
            for operation in item.values()
        ]
    )


def test_lists_say_what_made_them_and_where_they_go_on(spec):
    for path, request in REQUESTS.items():
        schema = spec["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        name = schema["schema"].get("$ref", "").rpartition("/")[2]
        if name.endswith("List"):
            assert list(spec["components"]["schemas"][name]["properties"])[:3] == [
                "items",
                "model_id",
                "next",
            ], request


def test_a_serving_process_loads_neither_numba_nor_training_nor_drawing(shop):
    program = f"""
import sys
from pathlib import Path
from api import Config, create_app
config = Config({shop.config.database_url!r}, Path({str(shop.config.cache_dir)!r}))
client = create_app(config).test_client()
for url in {[url for url in REQUESTS.values() if not re.search("pca|map", url)]!r}:
    assert client.get(url).status_code == 200, url
print(*sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert "recsys.serving" in loaded
    unwanted = {"numba", "llvmlite", "recsys.training", "recsys.cli", "sklearn", "matplotlib"}
    assert loaded & unwanted == set()


def test_making_an_application_opens_no_database(tmp_path):
    from api import Config, create_app

    client = create_app(
        Config(f"sqlite:///{tmp_path}/new/recsys.db", tmp_path / "cache")
    ).test_client()
    assert client.get("/healthz").status_code == 200
    assert list(tmp_path.iterdir()) == []

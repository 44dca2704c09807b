"""JSON has types: a body is held to what the description says, to the letter."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from jsonschema import Draft202012Validator

# Bodies that are taken, with every key that there is; a test below holds that they are complete.
OPTIONS = {
    "limit": 5,
    "offset": 0,
    "genre": "Action",
    "year_min": 1970,
    "year_max": 2000,
    "min_ratings": 1,
    "exclude_seen": True,
    "popularity": 0.5,
    "explain": True,
    "n_reasons": 2,
}
BODIES = {
    "/v1/recommendations": {"ratings": [{"item_id": "m1", "rating": 4}], **OPTIONS},
    "/v1/recommendations/batch": {"user_ids": ["1"], "fallback": "popular", **OPTIONS},
    "/v1/ratings": {
        "ratings": [{"user_id": "1", "item_id": "m1", "rating": 4, "timestamp": 7}],
        "new_items": False,
    },
    "/v1/models/aliases/{alias}": {"model_id": 1, "expected_revision": 1},
    "/v1/models/aliases/{alias}/rollback": {"expected_revision": 1},
}
# As they stand in a body: Python would read and write some of them in another way.
VALUES = (
    *("true", "false", "null", '"true"', '"1"', '""', '"m1"', "[]", "{}", "[1]"),
    *("0", "1", "-1", "1.0", "1.5", "1e2", "1e400", "-1e400", "NaN", "Infinity"),
    *("9007199254740993", "9" * 30, "9" * 400),
)
NO_JSON = ("NaN", "Infinity")


def places(body, before=()):
    """Return the path to every value in a body."""
    pairs = body.items() if isinstance(body, dict) else enumerate(body)
    found = []
    for key, value in pairs:
        found.append((*before, key))
        if isinstance(value, dict | list):
            found += places(value, (*before, key))
    return found


def with_value(body, place, text):
    """Return the body as text, with the text of a value at one place."""
    changed = deepcopy(body)
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = "HERE"
    return json.dumps(changed).replace('"HERE"', text)


@pytest.fixture(scope="module")
def json_shop(make_shop):
    made = make_shop()
    made.train(seed=1)
    return made


@pytest.fixture(scope="module")
def described(json_shop):
    """The description, and from a path of it to the schema of the path's body."""
    spec = json_shop.get("/openapi.json").get_json()
    schemas = {}
    for path, operations in spec["paths"].items():
        for operation in operations.values():
            if "requestBody" in operation:
                content = operation["requestBody"]["content"]["application/json"]
                schemas[path] = {**content["schema"], "components": spec["components"]}
    return spec, schemas


def test_every_body_is_tried_with_every_key(described):
    spec, schemas = described
    assert schemas.keys() == BODIES.keys()
    for path, body in BODIES.items():
        Draft202012Validator(schemas[path]).validate(body)
        name = schemas[path]["$ref"].rsplit("/", 1)[-1]
        assert spec["components"]["schemas"][name]["properties"].keys() == body.keys()


@pytest.mark.parametrize("path", BODIES)
def test_what_the_description_does_not_allow_is_422_at_its_place_and_nothing_else_is(
    json_shop, described, path
):
    validator = Draft202012Validator(described[1][path])
    url = path.replace("{alias}", "champion")
    method = json_shop.client.put if url.endswith("champion") else json_shop.client.post
    for place in places(BODIES[path]):
        name = ".".join(map(str, place))
        for value in VALUES:
            text = with_value(BODIES[path], place, value)
            answer = method(url, data=text, content_type="application/json")
            is_allowed = value not in NO_JSON and validator.is_valid(json.loads(text))
            refused = answer.status_code == 422
            assert refused != is_allowed, f"{name} = {value}: {answer.status_code} {answer.text}"
            assert answer.status_code < 500
            if refused:
                errors = answer.get_json()["errors"]
                assert {error["location"] for error in errors} == {"body"}
                assert all(error["name"].startswith(name) for error in errors), (value, errors)


def test_a_number_too_long_to_be_read_is_400(json_shop):
    text = with_value(BODIES["/v1/ratings"], ("ratings", 0, "rating"), "9" * 5000)
    answer = json_shop.client.post("/v1/ratings", data=text, content_type="application/json")
    assert answer.status_code == 400

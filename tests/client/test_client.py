import inspect
import json
import subprocess
import sys
import typing

import pytest

from recsys.client import Client, ProblemError, answers, registry_answers
from recsys.errors import UsageError

# What a program has no use for: metrics for Prometheus, the description and its page.
NOT_FOR_CLIENTS = {"show_metrics", "show_openapi", "show_docs"}


def operations(shop):
    paths = shop.get("/openapi.json").get_json()["paths"]
    return {
        operation["operationId"]: operation
        for item in paths.values()
        for operation in item.values()
    }


def test_there_is_a_method_for_each_operation_and_none_besides(shop):
    methods = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if name[0] != "_"}
    assert methods - {"close", "follow"} == operations(shop).keys() - NOT_FOR_CLIENTS


def described(schema, definitions):
    """Return the fields of an object as a schema has them, each with those of its object."""
    schema = definitions.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if "properties" in schema:
        return {name: described(found, definitions) for name, found in schema["properties"].items()}
    inner = [*schema.get("anyOf", []), schema.get("items"), schema.get("additionalProperties")]
    found = [described(each, definitions) for each in inner if isinstance(each, dict)]
    return next(filter(None, found), None)


def typed(kind, row=None):
    """Return the same of a type; ``row`` is what the rows of a generic page are."""
    kind = row if kind is answers.Row else kind
    plain = typing.get_origin(kind) or kind
    if typing.is_typeddict(plain):
        row = row_of(kind) or row
        return {name: typed(found, row) for name, found in typing.get_type_hints(plain).items()}
    return next(filter(None, (typed(each, row) for each in typing.get_args(kind))), None)


def row_of(kind):
    """Return what the rows of a page are; None for what is no page."""
    given = [each for each in typing.get_args(kind) if each is not answers.Row]
    bases = getattr(typing.get_origin(kind) or kind, "__orig_bases__", ())
    return next(filter(None, [*given, *(row_of(base) for base in bases)]), None)


def test_the_types_of_answers_have_the_fields_that_are_described(shop):
    definitions = shop.get("/openapi.json").get_json()["components"]["schemas"]
    n_compared = 0
    for name, operation in operations(shop).items():
        content = operation["responses"].get("200", {}).get("content", {}).get("application/json")
        if content is None or name in NOT_FOR_CLIENTS:
            continue
        kind = typing.get_type_hints(getattr(Client, name))["return"]
        wanted = described(content["schema"], definitions)
        assert wanted, name
        assert typed(kind) == wanted, name
        n_compared += 1
    assert n_compared > 20


def test_every_option_can_be_given_and_has_its_name(shop):
    schemas = shop.get("/openapi.json").get_json()["components"]["schemas"]
    for name, operation in operations(shop).items():
        if name in NOT_FOR_CLIENTS:
            continue
        wanted = {each["name"] for each in operation.get("parameters", [])}
        for content in operation.get("requestBody", {}).get("content", {}).values():
            wanted |= schemas[content["schema"]["$ref"].rpartition("/")[2]]["properties"].keys()
        method = getattr(Client, name)
        hints = typing.get_type_hints(method)
        options = typing.get_args(hints.pop("options", None))  # of Unpack[...]
        taken = inspect.signature(method).parameters.keys() - {"self", "options"}
        for each in options:
            taken |= typing.get_type_hints(each).keys()
        assert {each.rstrip("_") for each in taken} == wanted, name


ASKED = [
    ("list_recommendations", (1,), {"genre": "Comedy", "explain": True, "n_reasons": 2}),
    ("list_recommendations", ("nobody",), {"fallback": "popular", "limit": 1}),
    ("list_for_newcomer", ({"m1": 5, "m2": 1.5, "nope": 3},), {"limit": 2, "explain": True}),
    ("list_for_many", ((1, "nobody"),), {"limit": 1}),
    ("list_predictions", ("2", ["m1", "nope"]), {"level": 0.5}),
    ("explain_item", (1, "m3"), {"n_reasons": 1}),
    ("list_ratings", (1,), {"limit": 2, "offset": 1}),
    ("list_items", (), {"query": "amélie", "sort": "-year"}),
    ("show_item", ("m1",), {}),
    ("list_similar_items", ("m1",), {"limit": 2, "min_ratings": 0}),
    ("list_biases", (), {"order": "best", "min_ratings": 1, "limit": 2}),
    ("list_axes", (), {"components": 1, "top": 1}),
    ("show_map", (), {"limit": 2, "min_ratings": 0}),
    ("list_drift", (1, 2), {"min_ratings": 0, "limit": 1}),
    ("list_models", (), {"limit": 1}),
    ("show_model", (), {}),
    ("compare_models", ("champion", 2), {}),
    ("show_alias", (), {}),
    ("show_health", (), {}),
    ("show_readiness", (), {}),
]


@pytest.mark.parametrize(("name", "arguments", "options"), ASKED, ids=[each[0] for each in ASKED])
def test_what_is_answered_is_returned_and_of_its_type(client, name, arguments, options):
    method = getattr(client, name)
    answer = method(*arguments, **options)
    check(answer, typing.get_type_hints(method)["return"])


def check(value, kind, row=None):
    """Fail unless a value is of a type, to any depth."""
    kind = row if kind is answers.Row else kind
    plain, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    if kind is typing.Any:
        return
    if typing.is_typeddict(plain):
        hints = typing.get_type_hints(plain)
        assert value.keys() == hints.keys()
        for name, found in hints.items():
            check(value[name], found, row_of(kind) or row)
    elif plain is typing.Literal:
        assert value in inner
    elif plain is list:
        for each in value:
            check(each, inner[0], row)
    elif plain is dict:
        for each in value.values():
            check(each, inner[1], row)
    elif inner:  # one of several
        if value is not None:
            (left,) = (each for each in inner if each is not type(None))
            check(value, left, row)
        else:
            assert type(None) in inner
    else:
        assert isinstance(value, (int, float) if plain is float else plain), (value, kind)


def test_the_check_of_types_sees_a_wrong_one():
    good = {"alias": "champion", "model_id": 1, "revision": 1}
    check(good, registry_answers.Alias)
    for wrong in (good | {"revision": "1"}, good | {"further": 1}):
        with pytest.raises(AssertionError):
            check(wrong, registry_answers.Alias)


def test_pages_are_followed_to_the_end(client):
    rows = list(client.follow(client.list_items(limit=7, genre="Film-Noir")))
    assert len(rows) == 24  # all but each fifth of 30
    assert len({row["item_id"] for row in rows}) == 24
    assert [row["model_id"] for row in client.follow(client.list_models(limit=1))] == [2, 1]


def test_pages_are_followed_behind_a_prefix(shop, serve):
    def proxied(environ, start_response):
        assert environ["PATH_INFO"].startswith("/recsys/v1/")
        environ["SCRIPT_NAME"] = "/recsys"
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/recsys")
        return shop.app(environ, start_response)

    with serve(proxied) as address, Client(f"{address}/recsys/") as client:
        assert len(list(client.follow(client.list_items(limit=20)))) == 30


def test_ratings_are_kept_listed_and_forgotten(writer):
    given = [
        {"user_id": "new", "item_id": "m1", "rating": 5},
        {"user_id": "new", "item_id": "m2", "rating": 4.0, "timestamp": 1_700_000_000},
        {"user_id": "new", "item_id": "nope", "rating": 4},
    ]
    kept = writer.save_ratings(given)
    assert (kept["n_accepted"], kept["n_refused"]) == (2, 1)
    writer.delete_rating("new", "m1")
    (left,) = writer.list_ratings("new")["items"]
    assert (left["item_id"], left["timestamp"]) == ("m2", 1_700_000_000)
    assert writer.delete_ratings("new") is None
    with pytest.raises(ProblemError) as unknown:
        writer.list_ratings("new")
    assert (unknown.value.status, unknown.value.type) == (404, "urn:recsys:problem:unknown-user")


def test_versions_are_promoted_and_rolled_back(writer):
    assert writer.promote_model(2)["model_id"] == 2
    assert writer.show_readiness()["model_id"] == 2
    assert writer.roll_back_alias(expected_revision=2)["model_id"] == 1
    with pytest.raises(ProblemError, match=r"^409 ") as conflict:
        writer.promote_model(2, expected_revision=2)
    assert conflict.value.status == 409


def test_ids_of_any_characters_reach_the_service(client):
    with pytest.raises(ProblemError, match=r"a\?b c%&é"):
        client.list_recommendations("a?b c%&é")


def test_a_mistake_is_told_with_its_place(client):
    with pytest.raises(ProblemError) as refused:
        client.list_recommendations(1, limit=0, popularity=7)
    problem = refused.value
    assert (problem.status, problem.type) == (422, "urn:recsys:problem:invalid-request")
    assert {(each["name"], each["value"]) for each in problem.errors} == {
        ("limit", "0"),
        ("popularity", "7"),
    }
    assert problem.instance == "/v1/users/1/recommendations"
    assert len(problem.request_id) == 32
    assert problem.retry_after is None
    assert str(problem).startswith("422 Invalid request: limit: ")


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000",
        "ftp://a.example",
        "http://",
        "http://a/?b=1",
        "http://[",
        "http://a:99999",
        "http://a:b",
    ],
)
def test_what_is_not_an_address_is_refused(url):
    with pytest.raises(UsageError, match="is not the address of a service"):
        Client(url)


def test_the_client_loads_nothing_that_computes():
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import recsys.client, sys, json; print(json.dumps([*sys.modules]))",
        ],
        capture_output=True,
        check=True,
    ).stdout
    ours = {name for name in json.loads(loaded) if name.startswith("recsys")}
    assert {name for name in ours if not name.startswith("recsys.client")} == {
        "recsys",
        "recsys.errors",
    }
    assert not {"numpy", "pandas", "numba", "flask", "sqlalchemy"} & set(json.loads(loaded))

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

HANDBOOK = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = [
    (method or ("POST" if body else "GET"), url, body, answer)
    for method, body, url, answer in re.findall(
        r"```\ncurl -s(?: -i)?(?: -X ([A-Z]+))?(?: -H '[^'\n]*')?(?: --json '([^'\n]*)')?"
        r" '127\.0\.0\.1:8000(/[^'\n]*)'\n```"
        r"(?:\n```json\n(.*?)```)?",
        HANDBOOK,
        re.DOTALL,
    )
]


def route_of(shop, method, url):
    matched = shop.app.url_map.bind("").match(url.partition("?")[0], method, return_rule=True)
    return re.sub(r"<(\w+)>", r"{\1}", matched[0].rule)


def operations(shop):
    """Return what is described, by method and path."""
    paths = shop.get("/openapi.json").get_json()["paths"]
    return {
        (method.upper(), path): operation
        for path, item in paths.items()
        for method, operation in item.items()
    }


def test_every_route_has_a_heading_and_an_example(shop):
    described = operations(shop).keys()
    headings = set(re.findall(r"^### `([A-Z]+) (/\S*)`", HANDBOOK, flags=re.MULTILINE))
    assert headings == described
    shown = {(method, route_of(shop, method, url)) for method, url, _, _ in EXAMPLES}
    assert shown | {("GET", "/openapi.json"), ("GET", "/docs")} == described


@pytest.mark.parametrize(
    ("method", "url", "body", "answer"), EXAMPLES, ids=[" ".join(found[:2]) for found in EXAMPLES]
)
def test_an_example_can_be_asked_and_its_answer_is_as_described(request, method, url, body, answer):
    shop = request.getfixturevalue("shop" if method == "GET" else "fresh_shop")
    status = json.loads(answer).get("status") if answer else None
    wanted = status if isinstance(status, int) else 204 if method == "DELETE" else 200
    # The little store of the tests has other items than the handbook's.
    asked = shop.client.open(
        url, method=method, json=json.loads(body) if body else None, buffered=True
    )
    assert asked.status_code in {wanted, 404}
    if answer:
        spec = shop.get("/openapi.json").get_json()
        responses = operations(shop)[method, route_of(shop, method, url)]["responses"]
        (content,) = responses[str(wanted)]["content"].values()
        Draft202012Validator(content["schema"] | {"components": spec["components"]}).validate(
            json.loads(answer)
        )


def test_every_parameter_is_explained(shop):
    for (method, path), operation in operations(shop).items():
        section = HANDBOOK.partition(f"### `{method} {path}`")[2].partition("\n### ")[0]
        for parameter in operation.get("parameters", []):
            name = parameter["name"]
            assert f"`{name}`" in section or f"{name}=" in section or f"{{{name}}}" in path, (
                path,
                name,
            )

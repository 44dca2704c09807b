import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

HANDBOOK = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"```\ncurl -s[^\n]* '127\.0\.0\.1:8000(/[^'\n]*)'\n```(?:\n```json\n(.*?)```)?",
    HANDBOOK,
    re.DOTALL,
)


def route_of(shop, url):
    rule, _ = shop.app.url_map.bind("").match(url.partition("?")[0], return_rule=True)
    return re.sub(r"<(\w+)>", r"{\1}", rule.rule)


def test_every_route_has_a_heading_and_an_example(shop):
    described = shop.get("/openapi.json").get_json()["paths"].keys()
    headings = set(re.findall(r"^### `GET (/\S*)`", HANDBOOK, flags=re.MULTILINE))
    assert headings == described
    shown = {route_of(shop, url) for url, _ in EXAMPLES}
    assert shown | {"/openapi.json", "/docs"} == described


@pytest.mark.parametrize(("url", "answer"), EXAMPLES, ids=[url for url, _ in EXAMPLES])
def test_an_example_can_be_asked_and_its_answer_is_as_described(shop, url, answer):
    status = json.loads(answer).get("status") if answer else None
    wanted = status if isinstance(status, int) else 200
    # The little store of the tests has other items than the handbook's.
    assert shop.get(url).status_code in {wanted, 404}
    if answer:
        spec = shop.get("/openapi.json").get_json()
        (content,) = spec["paths"][route_of(shop, url)]["get"]["responses"][str(wanted)][
            "content"
        ].values()
        Draft202012Validator(content["schema"] | {"components": spec["components"]}).validate(
            json.loads(answer)
        )


def test_every_parameter_is_explained(shop):
    for path, item in shop.get("/openapi.json").get_json()["paths"].items():
        section = HANDBOOK.partition(f"### `GET {path}`")[2].partition("\n### ")[0]
        for parameter in item["get"].get("parameters", []):
            name = parameter["name"]
            assert f"`{name}`" in section or f"{name}=" in section or f"{{{name}}}" in path, (
                path,
                name,
            )

"""The examples of all pages are of one training: what two of them show is the same number."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
ANSWERS = {
    page: [json.loads(text) for text in re.findall(r"```json\n(.*?)```", whole, re.S)]
    for page in ("README.md", "docs/api.md")
    for whole in [(ROOT / page).read_text(encoding="utf-8")]
}


def printed(command, row):
    """Return the numbers in the row of a command's example that begins so."""
    example = CLI.partition(f"$ {command}\n")[2].partition("```")[0].partition("\n$ ")[0]
    (line,) = (line for line in example.splitlines() if re.match(rf"\s*{row}\s", line))
    return [float(number) for number in re.findall(r"-?\d+\.\d{4}\b", line)]


def answered(name, where):
    """Return each value of a name in the answers, of objects that hold what is in ``where``."""
    found = []

    def look(node):
        if isinstance(node, dict):
            if name in node and where.items() <= node.items():
                found.append(node[name])
            node = list(node.values())
        for each in node if isinstance(node, list) else ():
            look(each)

    look(list(ANSWERS.values()))
    return found


def test_versions_have_the_scores_that_their_training_printed():
    first = printed("recsys train", "version 1")
    second = printed("recsys train --seed 1 --n-epochs 1", "version 2")
    assert printed("recsys models list", "1") == [first[0], first[2]]
    assert printed("recsys models list", "2") == [second[0], second[2]]
    rmse = printed("recsys models compare 1 2", "validation_rmse")
    assert rmse[:2] == [first[0], second[0]]


def test_an_explanation_adds_up_to_what_is_predicted():
    shown = "recsys explain 1 318 --n-reasons 2"
    order, stars = printed(shown, "score")
    assert stars == printed("recsys predict 1 318 1 2", "318")[0]
    terms = [printed(shown, row) for row in ("global mean", "user bias", "item bias", "64 factors")]
    # Four terms rounded to .00005, and the sum.
    assert abs(sum(term[0] for term in terms) - order) < 0.0003
    assert abs(sum(term[1] for term in terms) - stars) < 0.0003


LIST = "recsys recommend 1 --limit 3"
NEWCOMER = "recsys recommend --rating 2571=5 --rating 1=4.5 --rating 296=2 --limit 3"


@pytest.mark.parametrize(
    ("command", "row", "numbers"),
    [
        (LIST, "1  1225", ("score", "predicted_rating")),
        (LIST, "2  1296", ("score", "predicted_rating")),
        (NEWCOMER, "1  318", ("score", "predicted_rating")),
        ("recsys predict 1 318 1 2", "1", ("predicted_rating",)),
        ("recsys similar 1 --limit 3", "1  3114", ("score",)),
    ],
)
def test_the_service_answers_as_the_command_line_prints(command, row, numbers):
    item_id = row.split()[-1]
    for name, number in zip(numbers, printed(command, row), strict=False):
        found = answered(name, {"item_id": item_id})
        assert {round(value, 4) for value in found} == {number}, name


def test_an_axis_has_the_same_share_wherever_it_is_shown():
    assert len(answered("explained_variance_ratio", {"component": 0})) == 2
    assert len(set(answered("explained_variance_ratio", {"component": 0}))) == 1

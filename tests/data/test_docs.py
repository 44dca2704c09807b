"""docs/data.md says what is so."""

import doctest
import re
from pathlib import Path

import pytest

from recsys.data.readers import read_ratings
from recsys.data.readers.columns import COLUMN_NAMES
from recsys.data.releases import RELEASES

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(csv|tsv|dat)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def table_rows(heading):
    """The rows of the first table below a heading, as lists of cells."""
    below = TEXT.split(f"{heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)[0]
    return [
        [cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]
    ]


def test_the_examples_print_what_the_page_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Without its fences, which would pass for expected output.
    text = re.sub(r"^```.*$", "", TEXT, flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    results = doctest.DocTestRunner().run(examples)
    assert results.failed == 0
    assert results.attempted > 15


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[0])
def test_all_example_files_hold_the_same_three_ratings(tmp_path, example):
    (tmp_path / "example").write_text(example[1], encoding="utf-8")
    ratings = read_ratings(tmp_path / "example")
    assert list(ratings.user_ids) == ["1", "2"]
    assert list(ratings.item_ids) == ["31", "1029"]
    assert ratings.users.tolist() == [0, 0, 1]
    assert ratings.items.tolist() == [0, 1, 0]
    assert ratings.values.tolist() == [2.5, 3, 4]
    assert ratings.timestamps.tolist() == [1260759144, 1260759179, 835355493]


def test_there_are_examples():
    assert [kind for kind, _ in EXAMPLES] == ["csv", "csv", "tsv", "dat"]


def test_every_known_column_name_is_listed_in_its_order():
    listed = {
        role: tuple(names.strip("`").split("` `")) for role, names in table_rows("### Columns")
    }
    assert listed == COLUMN_NAMES


def test_every_known_set_is_listed():
    rows = table_rows("## Sets known by name")
    assert [(name.strip("`"), ratings) for name, ratings, _ in rows] == [
        (known.name, f"{known.n_ratings:,}") for known in RELEASES
    ]
    sizes = [size for *_, size in rows]
    assert sizes[1:] == [f"{known.megabytes} MB" for known in RELEASES[1:]]

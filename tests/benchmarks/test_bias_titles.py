from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.bias_titles import (
    HIGHEST,
    LOWEST,
    End,
    Measured,
    as_json,
    as_tables,
    find_items,
    main,
    title_key,
)
from recsys.analysis import BiasRow
from recsys.data import IdMap, ItemMetadata
from recsys.errors import DataError
from recsys.model.snapshot import Catalogue

TITLES = (
    "Godfather: Part II, The",
    "Godfather, The",
    "Boot, Das",
    "Free Willy 3: The Rescue",
    "Schindler's List",
    "Titanic",
    "Titanic",
    None,
)


@pytest.fixture
def catalogue():
    n = len(TITLES)
    return Catalogue(
        IdMap(f"{row}" for row in range(n)),
        ItemMetadata(TITLES, (None,) * n, ((),) * n),
        np.array([9, 8, 7, 6, 5, 4, 400, 3], np.int32),
        None,
    )


@pytest.mark.parametrize(
    ("published", "in_the_data"),
    [
        ("Das Boot", "Boot, Das"),
        ("A Close Shave", "Close Shave, A (1995)"),
        ("Island of Dr. Moreau", "Island of Dr. Moreau, The (1996)"),
        ("Crow: City of Angels", "Crow: City of Angels, The"),
        ("L.A. Confidential", "L.A. Confidential (1997)"),
        ("Beautician and the Beast", "Beautician and the Beast, The"),
        ("McHale's Navy", "McHale's Navy (1997)"),
    ],
)
def test_articles_and_years_do_not_keep_titles_apart(published, in_the_data):
    assert title_key(published) == title_key(in_the_data)


def test_sequels_stay_apart():
    assert title_key("Home Alone") != title_key("Home Alone 3")
    assert title_key("Grease") != title_key("Grease 2")


def test_a_missing_subtitle_is_forgiven_unless_the_title_itself_exists(catalogue):
    found = find_items(["Free Willy 3", "Godfather", "Das Boot"], catalogue)
    assert found == ("3", "1", "2")


def test_of_two_films_with_one_title_the_most_rated_is_meant(catalogue):
    assert find_items(["Titanic"], catalogue) == ("6",)


def test_a_title_that_is_not_there_is_named(catalogue):
    with pytest.raises(DataError, match="Barb Wire"):
        find_items(["Barb Wire"], catalogue)


def test_published_lists_hold_fifteen_different_films_each():
    assert len({title_key(title) for title in LOWEST}) == 15
    assert len({title_key(title) for title in HIGHEST}) == 15
    assert not {*map(title_key, LOWEST)} & {*map(title_key, HIGHEST)}


def test_the_overlap_counts_what_stands_in_both_in_whatever_order():
    end = End(tuple(map(row, "abc")), ("B film", "C film", "D film"), ("b", "c", "d"))
    assert end.overlap == 2
    measured = Measured("small", 100, 90, seed=5, ends={"lowest": end})
    parsed = json.loads(as_json(measured))
    assert (parsed["data"], parsed["n_train"], parsed["seed"]) == ("small", 90, 5)
    assert parsed["lowest"]["overlap"] == 2
    assert parsed["lowest"]["ours"][0] == {"title": "A", "bias": -1.0}
    table = as_tables(measured)
    assert table.count(" *") == 4  # two films, marked on both sides
    assert "2 of the 3 published" in table


def test_data_that_is_not_there_is_told_on_stderr(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "nowhere")]) in {3, 4}
    told = capsys.readouterr()
    assert told.out == ""
    assert "nowhere" in told.err


def row(item_id):
    return BiasRow(item_id, item_id.upper(), None, 40, 36, -1.0, None, None, 2.0, 3, 3)

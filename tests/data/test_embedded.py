import shutil

import pytest

from recsys.data import embedded
from recsys.data.readers import read
from recsys.errors import DataError


def test_the_embedded_set_is_the_2016_edition():
    reading = read()
    ratings = reading.ratings
    assert ratings.name == "ml-latest-small"
    assert (ratings.n_ratings, ratings.n_users, ratings.n_items) == (100_004, 671, 9_066)
    assert ratings.rating_scale == (0.5, 5.0)
    assert set((ratings.values * 2).tolist()) == set(range(1, 11))
    assert reading.n_duplicates == 0


def test_seven_embedded_ratings_are_of_items_without_title_and_year():
    ratings = read().ratings
    untitled = [row for row, title in enumerate(ratings.metadata.titles) if title is None]
    assert [ratings.item_ids[row] for row in untitled] == [
        *("108548", "108583", "143410", "151307", "162376")
    ]
    assert all(ratings.metadata.years[row] is None for row in untitled)
    assert sum(row in untitled for row in ratings.items.tolist()) == 7


def test_a_title_of_the_embedded_set_has_its_year_and_genres():
    ratings = read().ratings
    row = ratings.item_ids.row("2571")
    assert ratings.metadata.titles[row] == "Matrix, The"
    assert ratings.metadata.years[row] == 1999
    assert ratings.metadata.genres[row] == ("Action", "Sci-Fi", "Thriller")


def test_the_embedded_set_is_found_by_its_name(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert read("ml-latest-small").ratings.fingerprint == read().ratings.fingerprint


def test_a_changed_file_of_the_embedded_set_is_refused(tmp_path):
    copy = shutil.copytree(embedded.folder(), tmp_path / "copy")
    embedded.check(copy)
    with (copy / "movies.csv.gz").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(DataError, match=r"movies\.csv\.gz: the file was changed.*SHA-256"):
        embedded.check(copy)

"""One suite for every MovieLens release, as folder and as zip."""

import gzip
from pathlib import Path

import pytest

from recsys.data.readers import read, read_ratings

SHARED_100K = Path(__file__).parents[4] / "shared" / "data" / "ml-100k"


def by_pair(ratings):
    return {
        (ratings.user_ids[u], ratings.item_ids[i]): (value, time)
        for u, i, value, time in zip(
            ratings.users.tolist(),
            ratings.items.tolist(),
            ratings.values.tolist(),
            ratings.timestamps.tolist(),
            strict=True,
        )
    }


def test_every_release_gives_its_ratings(release, release_name):
    assert by_pair(read_ratings(release)) == {
        ("12", "31"): (4, 978300760),
        ("1", "1193"): (4.5 if release_name == "ml-10M100K" else 5, 978300761),
        ("1", "7"): (3, 978300762),
        ("2", "31"): (1, 978300763),
        ("2", "7"): (2, 978300764),
    }


def test_every_release_is_called_by_its_folder(release, release_name):
    assert read_ratings(release).name == release_name


def test_ids_are_numbered_in_numeric_order(release):
    ratings = read_ratings(release)
    assert list(ratings.user_ids) == ["1", "2", "12"]
    assert list(ratings.item_ids) == ["7", "31", "1193"]
    assert ratings.users.tolist() == [2, 0, 0, 1, 1]
    assert ratings.items.tolist() == [1, 2, 0, 1, 0]


def test_titles_lose_their_year_and_keep_all_else(release):
    titles = read_ratings(release).metadata.titles
    assert (titles[0], titles[2]) == ("Matrix, The", "Misérables, Les")


def test_years_and_genres_come_along(release):
    metadata = read_ratings(release).metadata
    assert metadata.years == (1999, None, 1995)
    assert (metadata.genres[0], metadata.genres[2]) == (("Action", "Sci-Fi"), ("Drama", "Musical"))


def test_what_a_release_does_not_say_about_an_item_stays_unknown(release, release_name):
    metadata = read_ratings(release).metadata
    if release_name == "ml-100k":
        # Its own word for it.
        assert (metadata.titles[1], metadata.genres[1]) == ("unknown", ("unknown",))
    else:
        assert (metadata.titles[1], metadata.genres[1]) == (None, ())


def test_a_reading_says_what_was_read(release, release_name):
    reading = read(release)
    older = release_name in ("ml-100k", "ml-1m")
    assert reading.titles_encoding == ("latin-1" if older else "utf-8")
    expected = {"ml-100k": "MovieLens 100k", "ml-1m": "MovieLens .dat"}
    expected["ml-10M100K"] = "MovieLens .dat"
    assert reading.format == expected.get(release_name, "MovieLens .csv")
    assert (reading.n_rows, reading.n_duplicates, reading.notes) == (5, 0, ())


def test_a_split_file_takes_titles_from_beside_it(ml_100k_folder):
    base, test = (read_ratings(ml_100k_folder / name) for name in ("u1.base", "u1.test"))
    assert (base.n_ratings, test.n_ratings) == (4, 1)
    assert base.metadata.titles == ("Matrix, The", "unknown", "Misérables, Les")
    assert test.metadata.titles == ("Matrix, The",)
    assert base.name == "u1.base"


def test_a_split_file_needs_no_titles_beside_it(ml_100k_folder):
    (ml_100k_folder / "u.item").unlink()
    ratings = read_ratings(ml_100k_folder / "u1.base")
    assert ratings.n_ratings == 4
    assert ratings.metadata.titles == (None, None, None)


@pytest.mark.parametrize(
    ("folder", "file"), [("ml_1m_folder", "ratings.dat"), ("ml_25m_folder", "ratings.csv")]
)
def test_a_ratings_file_by_itself_takes_the_titles_of_its_own_release(folder, file, request):
    folder = request.getfixturevalue(folder)
    assert read_ratings(folder / file).metadata.titles[0] == "Matrix, The"


def test_titles_of_another_release_are_not_taken(ml_100k_folder, ml_25m_folder):
    (ml_25m_folder / "ratings.csv").rename(ml_100k_folder / "ratings.csv")
    assert read_ratings(ml_100k_folder / "ratings.csv").metadata.titles[0] is None


def test_the_files_of_a_release_may_be_gzipped(ml_25m_folder):
    plain = read_ratings(ml_25m_folder)
    for name in ("ratings.csv", "movies.csv"):
        path = ml_25m_folder / name
        (ml_25m_folder / f"{name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    packed = read_ratings(ml_25m_folder)
    assert packed.fingerprint == plain.fingerprint
    assert packed.metadata == plain.metadata


def test_a_release_may_lie_one_folder_down(ml_1m_folder):
    assert read_ratings(ml_1m_folder.parent).name == "ml-1m"


@pytest.mark.skipif(not SHARED_100K.is_dir(), reason="MovieLens 100k is not at hand")
def test_the_real_100k_is_read_as_its_readme_says():
    reading = read(SHARED_100K)
    ratings = reading.ratings
    assert (ratings.n_users, ratings.n_items, ratings.n_ratings) == (943, 1682, 100_000)
    assert ratings.user_ids[ratings.users[0]] == "196"
    assert ratings.item_ids[ratings.items[0]] == "242"
    assert (ratings.values[0], ratings.timestamps[0]) == (3, 881250949)
    assert len(set(zip(ratings.metadata.titles, ratings.metadata.years, strict=True))) == 1664
    genres = {genre for of_item in ratings.metadata.genres for genre in of_item}
    assert len(genres) == 19
    assert reading.titles_encoding == "latin-1"

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.readers import read, read_ratings

IDS = st.sampled_from(["1", "2", "10", "007", "-3", "0", "a", "B", "ä", "x y"])
ROWS = st.lists(
    st.tuples(IDS, IDS, st.integers(1, 10).map(lambda half: half / 2), st.integers(0, 5)),
    min_size=1,
    max_size=40,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("assemble") / "a.csv"


def write(path, rows, *, times=True):
    kept = 4 if times else 3
    header = ("user", "item", "rating", "timestamp")[:kept]
    lines = [header, *(row[:kept] for row in rows)]
    path.write_text("\n".join(",".join(map(str, line)) for line in lines), encoding="utf-8")
    return path


def pairs(ratings):
    return {
        (ratings.user_ids[u], ratings.item_ids[i]): value
        for u, i, value in zip(
            ratings.users.tolist(), ratings.items.tolist(), ratings.values.tolist(), strict=True
        )
    }


@settings(deadline=None)
@given(ROWS)
def test_of_a_pair_rated_twice_the_last_by_time_stays_then_the_last_by_line(path, rows):
    reading = read(write(path, rows))
    expected = {}
    for user, item, rating, time in rows:
        if (user, item) not in expected or time >= expected[user, item][1]:
            expected[user, item] = rating, time
    assert pairs(reading.ratings) == {pair: rating for pair, (rating, _) in expected.items()}
    assert reading.n_duplicates == len(rows) - len(expected)
    assert reading.n_rows == len(rows)


@settings(deadline=None)
@given(ROWS)
def test_without_times_the_last_line_of_a_pair_stays(path, rows):
    reading = read(write(path, rows, times=False))
    expected = {(user, item): rating for user, item, rating, _ in rows}
    assert pairs(reading.ratings) == expected
    assert reading.n_duplicates == len(rows) - len(expected)


@settings(deadline=None)
@given(ROWS, st.integers(0, 2**32))
def test_the_order_of_lines_changes_nothing_in_the_id_maps(path, rows, seed):
    one = read_ratings(write(path, rows))
    other = read_ratings(write(path, random.Random(seed).sample(rows, len(rows))))
    assert one.user_ids == other.user_ids
    assert one.item_ids == other.item_ids


def ids_in_order(path, ids):
    return list(read_ratings(write(path, [(raw_id, "1", 1, 1) for raw_id in ids])).user_ids)


def test_ids_that_are_all_whole_numbers_stand_in_numeric_order(path):
    assert ids_in_order(path, ["10", "9", "-2", "100"]) == ["-2", "9", "10", "100"]


@pytest.mark.parametrize("stranger", ["a", "007", "1.5", "+4", "-0"])
def test_one_id_that_is_no_plain_number_makes_the_order_lexical(path, stranger):
    ids = ["10", "9", "100", stranger]
    assert ids_in_order(path, ids) == sorted(ids)


def test_ratings_keep_the_order_of_their_lines(path):
    rows = [("2", "1", 5, 3), ("1", "1", 4, 9), ("2", "1", 3, 4), ("1", "9", 2, 1)]
    ratings = read_ratings(write(path, rows))
    assert ratings.values.tolist() == [4, 3, 2]


def test_the_count_of_duplicates_is_told(path):
    rows = [("1", "1", 5, 3), ("1", "1", 4, 9), ("1", "1", 3, 4)]
    assert read(write(path, rows)).notes == (
        "2 rows dropped: the user rated the same item again, and the last by time was kept",
    )
    assert read(write(path, rows[:2], times=False)).notes == (
        "1 row dropped: the user rated the same item again, and the last by line was kept",
    )

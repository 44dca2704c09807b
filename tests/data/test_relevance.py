import numpy as np

from recsys.data import IdMap, Ratings
from recsys.data.relevance import is_relevant, positives


def ratings(values):
    rows = np.arange(3, dtype=np.int32)
    return Ratings(
        "tiny",
        IdMap("abc"),
        IdMap("xyz"),
        rows,
        rows,
        None if values is None else np.array(values, np.float32),
        np.array([7, 8, 9], np.int64),
    )


def test_four_stars_and_more_are_relevant():
    assert is_relevant(ratings([3.5, 4, 5])).tolist() == [False, True, True]


def test_without_stars_everything_is_relevant():
    assert is_relevant(ratings(None)).all()


def test_positives_are_who_liked_what_and_when_without_the_rest():
    liked = positives(ratings([5, 3, 4]))
    assert liked.is_implicit
    assert [*liked.user_ids] == ["a", "c"]
    assert [*liked.item_ids] == ["x", "z"]
    assert (liked.users.tolist(), liked.items.tolist()) == ([0, 1], [0, 1])
    assert liked.timestamps.tolist() == [7, 9]

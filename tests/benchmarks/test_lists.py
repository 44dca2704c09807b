import json

import numpy as np

from benchmarks import lists
from recsys.data import IdMap, Ratings


def test_people_are_shown_with_their_favourites_and_what_they_turned_out_to_like(capsys):
    assert lists.main(["--users", "2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["people"]) == 2
    for person in told["people"]:
        assert len(person["favourites"]) == len(person["list"]) == len(person["liked"]) == 10
        assert not set(person["favourites"]) & set(person["list"])
    ours, popular = told["figures"]["recsys"], told["figures"]["popularity"]
    assert ours["ndcg@10"] > popular["ndcg@10"]
    assert ours["coverage@10"] > 3 * popular["coverage@10"]


def test_of_equally_rated_favourites_the_most_popular_come_first():
    train = Ratings(
        "few",
        IdMap(["a", "b"]),
        IdMap(["w", "x", "y", "z"]),
        users=np.array([0, 0, 0, 1, 1], np.int32),
        items=np.array([1, 2, 3, 0, 2], np.int32),
        values=np.array([5, 5, 4, 3, 5], np.float32),
    )
    test = train.select(np.zeros(5, bool))
    # Of the 5 stars y has two ratings and x one; z has 4 stars.
    told = lists.describe(train, test, 0, np.array([0, -1], np.int32))
    assert told["favourites"] == ["y", "x", "z"]
    assert (told["list"], told["liked"]) == (["w"], [False])

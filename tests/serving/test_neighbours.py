import numpy as np
import pytest

from recsys.serving.neighbours import Neighbours

EVERYTHING = np.ones(5, bool)


@pytest.fixture
def neighbours():
    return Neighbours(np.array([[1, 0], [0, 2], [3, 3], [0, 0], [-1, 0]], np.float32))


def test_the_nearest_point_the_same_way_whatever_their_length(neighbours):
    # From (1, 0): (3, 3) has cosine sqrt(.5), (0, 2) none, (-1, 0) -1; (0, 0) has no direction.
    rows, cosines, has_more = neighbours.nearest(0, EVERYTHING, 5)
    assert rows.tolist() == [2, 1, 4]
    np.testing.assert_allclose(cosines, [0.5**0.5, 0, -1], atol=1e-6)
    assert not has_more


def test_only_candidates_are_listed_and_it_is_said_when_there_are_more(neighbours):
    rows, _, has_more = neighbours.nearest(0, EVERYTHING, 1)
    assert (rows.tolist(), has_more) == ([2], True)
    candidates = np.array([True, True, False, True, True])
    rows, _, has_more = neighbours.nearest(0, candidates, 2)
    assert (rows.tolist(), has_more) == ([1, 4], False)
    assert candidates[0]  # left as it was


def test_an_embedding_of_zero_is_near_nothing(neighbours):
    rows, _, _ = neighbours.nearest(3, EVERYTHING, 5)
    assert not len(rows)

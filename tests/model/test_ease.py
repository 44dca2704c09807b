import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data import IdMap, Ratings
from recsys.errors import DataError, UsageError
from recsys.model import ease as module
from recsys.model.ease import ease

UNKNOWN = -1


def liking(matrix):
    """Implicit feedback of a 0/1 matrix, users by items."""
    matrix = np.asarray(matrix)
    users, items = (rows.astype(np.int32) for rows in np.nonzero(matrix))
    return Ratings(
        "tiny",
        IdMap(f"u{n}" for n in range(matrix.shape[0])),
        IdMap(f"i{n}" for n in range(matrix.shape[1])),
        users,
        items,
    )


def test_two_items_worked_by_hand():
    # X = [[1, 1], [1, 0]], reg 1: X'X + I = [[3, 1], [1, 2]], determinant 5,
    # P = [[2, -1], [-1, 3]] / 5, B = [[0, 1/3], [1/2, 0]]: column j divides by P_jj.
    fitted = ease(liking([[1, 1], [1, 0]]), reg=1)
    np.testing.assert_allclose(fitted.list_scores(np.array([0, 1])), [[1 / 2, 1 / 3], [0, 1 / 3]])


MATRICES = st.tuples(st.integers(1, 7), st.integers(1, 7)).flatmap(
    lambda shape: st.lists(
        st.lists(st.booleans(), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


@settings(deadline=None)
@given(MATRICES, st.sampled_from([0.5, 3.0, 300.0]))
def test_scores_are_those_of_the_least_squares_problem_with_a_zero_diagonal(matrix, reg):
    x = np.array(matrix, float)
    fitted = ease(liking(x), reg)
    # Each column solved by itself: regress the item on the others, leaving the item out.
    b = np.zeros((x.shape[1],) * 2)
    for item in range(x.shape[1]):
        others = np.delete(np.arange(x.shape[1]), item)
        a = x[:, others]
        b[others, item] = np.linalg.solve(a.T @ a + reg * np.eye(len(others)), a.T @ x[:, item])
    np.testing.assert_allclose(fitted.list_scores(np.arange(len(x))), x @ b, atol=2e-5)
    assert not fitted.list_scores(np.array([UNKNOWN])).any()


def test_the_size_of_a_block_changes_nothing(monkeypatch):
    matrix = np.random.default_rng(0).random((6, 20)) < 0.3
    users = np.arange(6)
    whole = ease(liking(matrix)).list_scores(users)
    monkeypatch.setattr(module, "_BLOCK", 20)
    np.testing.assert_array_equal(ease(liking(matrix)).list_scores(users), whole)


def test_only_what_was_liked_is_learned_from_and_every_rating_makes_a_candidate():
    # With the 1 for item 2 left out, user 0 is as in the example worked by hand.
    train = Ratings(
        "tiny",
        IdMap("ab"),
        IdMap("xyz"),
        np.array([0, 0, 0, 1], np.int32),
        np.array([0, 1, 2, 0], np.int32),
        np.array([4, 5, 1, 4.5], np.float32),
    )
    fitted = ease(train, reg=1)
    scores = fitted.list_scores(np.array([0, 1]))
    np.testing.assert_allclose(scores, [[1 / 2, 1 / 3, 0], [0, 1 / 3, 0]], atol=1e-7)
    assert fitted.item_counts.tolist() == [2, 1, 1]


def test_what_goes_together_is_listed_together():
    # Two circles of taste that share nobody: the withheld item of the own circle comes first.
    matrix = np.kron(np.eye(2), np.ones((20, 5)))
    matrix[0, 2] = matrix[20, 7] = 0
    scores = ease(liking(matrix), reg=5).list_scores(np.array([0, 20]))
    own = matrix[[0, 20]] > 0
    assert np.where(own, -np.inf, scores).argmax(axis=1).tolist() == [2, 7]


def test_it_predicts_no_stars():
    assert ease(liking([[1]])).predict(np.array([0]), np.array([0])) is None


def test_too_large_an_inverse_is_refused_with_its_memory(monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 3)
    assert ease(liking(np.ones((3, 9)))).list_scores(np.array([0])).shape == (1, 9)
    with pytest.raises(DataError, match=r"4 rows, which takes about .* GB.*allowed: 3 users or"):
        ease(liking(np.ones((4, 9))))


@pytest.mark.parametrize("reg", [0, -1, float("nan")])
def test_without_regularisation_there_may_be_no_inverse(reg):
    with pytest.raises(UsageError, match="allowed: above 0"):
        ease(liking([[1]]), reg)

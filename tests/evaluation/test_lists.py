import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recsys.data import IdMap, Ratings
from recsys.evaluation import lists as module
from recsys.evaluation.lists import TrainingItems, best_items, recommend_lists
from recsys.model.ranking import page


class Scored:
    """Scores every item for every user by a table; the last row is for somebody unknown."""

    def __init__(self, table, item_counts):
        self.table = np.array(table, np.float32)
        self.item_counts = np.array(item_counts, np.int32)

    def predict(self, users, items):
        return None

    def list_scores(self, users):
        return self.table[users]


def ratings(pairs, n_users, n_items):
    users, items = np.array(pairs, np.int32).reshape(-1, 2).T
    return Ratings(
        "tiny",
        IdMap(f"u{n}" for n in range(n_users)),
        IdMap(f"i{n}" for n in range(n_items)),
        users.copy(),
        items.copy(),
    )


def test_best_items_come_first_and_equals_in_row_order():
    scores = np.array([[1, 3, 2, 3, 3], [0, 0, 0, 0, 0]], np.float32)
    assert best_items(scores, 3).tolist() == [[1, 3, 4], [0, 1, 2]]


def test_a_list_ends_where_the_items_do():
    scores = np.array([[1, -np.inf, 2], [-np.inf, -np.inf, -np.inf]], np.float32)
    assert best_items(scores, 4).tolist() == [[2, 0, -1, -1], [-1, -1, -1, -1]]
    assert best_items(np.zeros((2, 0), np.float32), 2).tolist() == [[-1, -1], [-1, -1]]


SCORES = st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.5, 2.0])
TABLES = st.integers(1, 9).flatmap(
    lambda n: st.lists(st.lists(SCORES, min_size=n, max_size=n), min_size=1, max_size=6)
)


@given(TABLES, st.integers(1, 11))
def test_a_block_of_lists_is_what_page_gives_each_user(table, k):
    scores = np.array(table, np.float32)
    best = best_items(scores, k)
    for row, found in zip(scores, best, strict=True):
        expected = page(row, row > -np.inf, k)[0].tolist()
        assert found.tolist() == expected + [-1] * (k - len(expected))


def test_own_and_untrained_items_are_left_out():
    train = ratings([(0, 1), (0, 2), (1, 0)], n_users=2, n_items=4)
    predictor = Scored([[4, 3, 2, 9], [4, 3, 2, 9], [4, 3, 2, 9]], [1, 1, 1, 0])
    found = recommend_lists(predictor, train, np.array([0, 1, -1]), 3)
    assert found.tolist() == [[0, -1, -1], [1, 2, -1], [0, 1, 2]]


def test_scores_of_the_predictor_are_not_written_to():
    train = ratings([(0, 0)], n_users=1, n_items=2)
    predictor = Scored([[1, 2], [1, 2]], [1, 0])
    predictor.list_scores = lambda users: predictor.table[:1]  # a view of its own array
    recommend_lists(predictor, train, np.array([0]), 1)
    assert predictor.table.tolist() == [[1, 2], [1, 2]]


def test_the_size_of_a_block_changes_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    pairs = np.argwhere(rng.random((30, 12)) < 0.4)
    train = ratings(pairs, n_users=30, n_items=12)
    table = rng.integers(0, 5, (31, 12))
    predictor = Scored(table, np.bincount(train.items, minlength=12))
    users = rng.permutation(np.arange(-1, 30))
    whole = recommend_lists(predictor, train, users, 5)
    for scores_at_once in (1, 12, 50):
        monkeypatch.setattr(module, "_BLOCK", scores_at_once)
        assert (recommend_lists(predictor, train, users, 5) == whole).all()


def test_how_many_have_their_list_is_told_after_each_block(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 6)  # two users with three items each
    train = ratings([(user, user % 3) for user in range(5)], n_users=5, n_items=3)
    predictor, told = Scored(np.arange(18).reshape(6, 3), [1, 1, 1]), []
    recommend_lists(predictor, train, np.arange(5), 2, progress=lambda *now: told.append(now))
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_training_items_of_users_in_any_order_and_twice():
    train = ratings([(2, 5), (0, 3), (2, 1), (0, 4)], n_users=3, n_items=6)
    positions, items = TrainingItems(train).of(np.array([2, 1, 0, -1, 2]))
    assert positions.tolist() == [0, 0, 2, 2, 4, 4]
    assert items.tolist() == [5, 1, 3, 4, 5, 1]


@given(
    table=hnp.arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 90)), elements=SCORES),
    n=st.integers(1, 5),
)
def test_the_nth_highest_score_does_not_depend_on_the_groups(table, n):
    n = min(n, table.shape[1])
    expected = -np.sort(-table, axis=1)[:, n - 1, None]
    for n_groups in (1, 2, 16):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_GROUPS_PER_PLACE", n_groups)
            np.testing.assert_array_equal(module._nth_highest(table, n), expected)


@given(
    scores=st.lists(st.sampled_from([-1.0, -0.0, 0.0, 0.5, 2.0]), min_size=1, max_size=12),
    pairs=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 11))),
    untrained=st.sets(st.integers(0, 11)),
    users=st.lists(st.integers(-1, 4), max_size=7),
    k=st.integers(1, 5),
)
@settings(deadline=None)
def test_lists_of_shared_scores_are_those_of_a_row_for_each(scores, pairs, untrained, users, k):
    n_items = len(scores)
    train = ratings([pair for pair in pairs if pair[1] < n_items], n_users=5, n_items=n_items)
    counts = [int(item not in untrained) for item in range(n_items)]
    single, shared = Scored([scores] * 6, counts), Scored([scores] * 6, counts)
    shared.list_scores = lambda users: np.broadcast_to(shared.table[0], (len(users), n_items))
    found = [recommend_lists(one, train, np.array(users, int), k) for one in (single, shared)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BEST_PER_PLACE", 1)
        patch.setattr(module, "_USERS", 2)
        found.append(recommend_lists(shared, train, np.array(users, int), k))
    assert found[0].tolist() == found[1].tolist() == found[2].tolist()


def test_lists_of_shared_scores_are_told_to_be_done():
    train, told = ratings([(0, 0)], n_users=3, n_items=2), []
    predictor = Scored([[1, 2]], [1, 1])
    predictor.list_scores = lambda users: np.broadcast_to(predictor.table[0], (len(users), 2))
    recommend_lists(predictor, train, np.arange(3), 1, progress=lambda *n: told.append(n))
    assert told == [(3, 3)]

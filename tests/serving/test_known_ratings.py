import numpy as np
import pytest

from recsys.data.feedback import ALL_ITEMS, FeedbackEntry
from recsys.errors import UnknownUserError
from recsys.model.rated import Rated
from recsys.serving.known_ratings import KnownRating, known_ratings


def erased(item_id):
    return FeedbackEntry("1", item_id, None, 100, is_erased=True)


@pytest.fixture
def known(source):
    """Return what is known of user "1", who rated "a" 4 at 10 and "b" 2 at 20, after feedback."""
    rated = Rated(np.array([0, 1]), np.array([4, 2], np.float32), np.array([10, 20]))
    source.rated = lambda model_id, user_id: rated if user_id == "1" else None

    def after(*feedback, user_id="1"):
        source.feedback[user_id] = list(feedback)
        return known_ratings(source, 1, source.catalogue(1), user_id)

    return after


def test_what_the_data_set_holds_is_known_newest_first(known):
    assert known() == [KnownRating("b", 2, 20), KnownRating("a", 4, 10)]


def test_what_came_in_takes_the_place_of_what_was_known(known):
    assert known(FeedbackEntry("1", "b", 5, 5), FeedbackEntry("1", "z", 1, 30)) == [
        KnownRating("z", 1, 30),
        KnownRating("a", 4, 10),
        KnownRating("b", 5, 5),
    ]


def test_what_was_taken_back_is_not_known(known):
    assert known(erased("b"), erased("never rated")) == [KnownRating("a", 4, 10)]


def test_after_everything_was_taken_back_only_what_came_since_is_known(known):
    assert known(erased(ALL_ITEMS), FeedbackEntry("1", "c", 3, 30)) == [KnownRating("c", 3, 30)]


def test_somebody_of_whom_nothing_is_left_or_ever_was_is_unknown(known):
    for feedback in ([erased(ALL_ITEMS)], [erased("a"), erased("b")]):
        with pytest.raises(UnknownUserError):
            known(*feedback)
    with pytest.raises(UnknownUserError):
        known(user_id="2")
    assert known(FeedbackEntry("2", "a", 3, 30), user_id="2") == [KnownRating("a", 3, 30)]


def test_without_times_and_ratings_items_come_by_their_ids(source, known):
    source.rated = lambda *_: Rated(np.array([2, 0, 1]), None, None)
    assert known() == [KnownRating(item, None, None) for item in "abc"]

from dataclasses import replace

import numpy as np
import pytest

from recsys.data.feedback import ALL_ITEMS, FeedbackEntry
from recsys.errors import UnknownUserError
from recsys.model.newcomers import Newcomers
from recsys.serving import Recommender

NOBODY = np.zeros(2, np.float32)


def gives(item_id, value, user_id="1"):
    return FeedbackEntry(user_id, item_id, value, 9)


def erased(item_id, user_id="1"):
    return FeedbackEntry(user_id, item_id, None, 9, is_erased=True)


@pytest.fixture
def champion(source, files, make_items):
    """A version of both objectives that can fold users in; user "1" rated "a"."""
    source.add(
        1,
        rating=make_items(newcomers=Newcomers(0.1, 0.1, 1.0, 0.0, NOBODY)),
        ranking=make_items(global_mean=0.0, newcomers=Newcomers(0.1, 0.1, 1.0, 0.1, NOBODY)),
    )
    source.users["ranking", "1"] = source.users["rating", "1"]
    return Recommender.load(source, 1, files)


@pytest.fixture
def rigid(source, files):
    """A version that nobody can be folded into."""
    return Recommender.load(source, 1, files)


def listed(recommender, user_id="1", **options):
    rows = recommender.recommend(user_id, **options).items
    return [recommender.catalogue.item_ids[row] for row in rows]


def test_without_newer_feedback_a_user_is_as_trained(source, champion):
    trained = source.users["rating", "1"]
    person = champion.person("1")
    assert person.rows["rating"] is trained
    assert not person.folded


def test_newer_feedback_folds_the_user_in_from_all_that_is_known(source, champion):
    source.feedback["1"] = [gives("b", 1.5), gives("never heard of", 5)]
    expected, _ = champion.fold_in(["a", "b"], [4, 1.5])
    person = champion.person("1")
    np.testing.assert_array_equal(person.rated_items, [0, 1])
    np.testing.assert_array_equal(person.rated_values, [4, 1.5])
    for objective in ("rating", "ranking"):
        np.testing.assert_allclose(
            person.rows[objective].factors, expected.rows[objective].factors, rtol=1e-6
        )
    np.testing.assert_allclose(
        champion.predict("1", list("abc")), champion.predict(expected, list("abc")), rtol=1e-6
    )


def test_a_better_rating_raises_what_is_like_it_at_once(source, champion):
    source.feedback["1"] = [gives("b", 1)]
    (low,) = champion.predict("1", ["f"])  # along the same axis as "b"
    source.feedback["1"] = [gives("b", 5)]
    (high,) = champion.predict("1", ["f"])
    assert high > low


def test_a_list_leaves_out_what_was_just_rated_and_holds_what_was_taken_back(source, champion):
    assert "c" in listed(champion)
    source.feedback["1"] = [gives("c", 4)]
    assert "c" not in listed(champion)
    assert "c" in listed(champion, exclude_seen=False)
    source.feedback["1"] = [gives("c", 4), erased("a")]
    assert "a" in listed(champion)


def test_somebody_known_by_feedback_alone_has_a_list(source, champion):
    with pytest.raises(UnknownUserError):
        champion.recommend("new")
    source.feedback["new"] = [gives("b", 5, "new")]
    assert listed(champion, "new")[0] == "f"  # the same direction as "b"


def test_who_took_everything_back_is_unknown_until_they_rate_again(source, champion):
    source.feedback["1"] = [erased(ALL_ITEMS)]
    with pytest.raises(UnknownUserError):
        champion.recommend("1")
    source.feedback["1"] = [erased(ALL_ITEMS), gives("b", 5)]
    np.testing.assert_array_equal(champion.person("1").rated_items, [1])


def test_where_nobody_can_be_folded_in_only_what_is_rated_is_brought_up_to_date(source, rigid):
    rated = {"rated_items": np.array([0, 3], np.int32), "rated_values": np.array([4, 3], "f4")}
    source.users["rating", "1"] = replace(source.users["rating", "1"], **rated)
    before = rigid.person("1")
    source.feedback["1"] = [gives("c", 2), gives("b", 1), gives("zebra", 1), erased("a")]
    person = rigid.person("1")
    np.testing.assert_array_equal(person.rated_items, [1, 2, 3])
    np.testing.assert_array_equal(person.rated_values, [1, 2, 3])
    assert person.rows["rating"].factors is before.rows["rating"].factors
    assert "a" in listed(rigid)
    assert "c" not in listed(rigid)


def test_where_nobody_can_be_folded_in_feedback_alone_makes_nobody_known(source, rigid):
    source.feedback["new"] = [gives("b", 5, "new")]
    with pytest.raises(UnknownUserError):
        rigid.recommend("new")


@pytest.mark.parametrize("what", [ALL_ITEMS, "a"])
def test_where_nobody_can_be_folded_in_an_embedding_does_not_outlive_what_it_was_made_from(
    source, rigid, what
):
    source.feedback["1"] = [erased(what), gives("b", 5)]
    with pytest.raises(UnknownUserError):
        rigid.recommend("1")


def test_implicit_feedback_is_brought_up_to_date_too(source, rigid):
    row = source.users["rating", "1"]
    source.users["rating", "1"] = replace(row, rated_values=None)
    source.feedback["1"] = [gives("c", None)]
    person = rigid.person("1")
    np.testing.assert_array_equal(person.rated_items, [0, 2])
    assert person.rated_values is None

import logging
import threading

import pytest

from recsys.errors import NoModelError, StoreError
from recsys.serving import Serving, current


@pytest.fixture
def serving(source, files):
    return Serving(source, files)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told otherwise."""
    now = [1000.0]
    monkeypatch.setattr(current.time, "monotonic", lambda: now[0])
    return now


def test_the_champion_is_loaded_once(serving, source):
    assert serving.current().recommender is serving.current().recommender
    assert source.reads == {(1, "rating"): 1}


def test_without_a_champion_there_is_no_model(serving, source):
    source.current = None
    with pytest.raises(NoModelError, match="recsys train"):
        serving.current()


def test_a_user_who_is_asked_for_is_read_with_the_champion(serving, source, make_items):
    assert serving.current().user is None
    assert serving.current("1").recommender is serving.current().recommender
    assert serving.current("1").user.rows().keys() == {"rating"}
    # Of a version that is yet to be loaded, or that stands in, it is read apart.
    source.add(2, rating=make_items(bias_of_b=2.0))
    source.promote(2)
    assert serving.current("1").user is None
    source.broken.add(3)
    source.add(3, rating=make_items(bias_of_b=3.0))
    source.promote(3)
    assert serving.current("1").recommender.model_id == 2
    assert serving.current("1").user is None


def test_a_champion_that_lacks_a_row_is_still_the_champion(serving, source, monkeypatch):
    monkeypatch.setattr(source, "champion_and_user", lambda _user_id: None)
    assert serving.current("1").recommender.model_id == 1


def test_a_user_who_cannot_be_read_says_nothing_of_the_champion(
    serving, source, monkeypatch, caplog
):
    def fail(_user_id):
        raise StoreError("a page is damaged")

    monkeypatch.setattr(source, "champion_and_user", fail)
    assert serving.current("1").recommender.model_id == 1
    assert serving.failure is None
    assert "damaged" not in caplog.text


def test_a_promotion_swaps_the_whole_recommender(serving, source, make_items):
    before = serving.current()
    source.add(2, rating=make_items(bias_of_b=2.0))
    source.promote(2)

    after = serving.current()

    assert (before.recommender.model_id, before.revision) == (1, 1)
    assert (after.recommender.model_id, after.revision) == (2, 2)
    # What a request took before the promotion still answers from the old version.
    assert before.recommender.predict("2", ["b"]) == pytest.approx(3.75)
    assert after.recommender.predict("2", ["b"]) == pytest.approx(5.0)


def test_a_new_revision_of_the_same_version_loads_nothing(serving, source):
    before = serving.current()
    source.promote(1)
    after = serving.current()
    assert after.revision == 2
    assert after.recommender is before.recommender


def test_the_last_good_version_keeps_serving_when_the_new_one_cannot_be_loaded(
    serving, source, make_items, caplog
):
    serving.current()
    source.add(2, rating=make_items(bias_of_b=2.0))
    source.broken.add(2)
    source.promote(2)

    with caplog.at_level(logging.ERROR):
        assert serving.current().recommender.model_id == 1
    assert serving.failure == "version 2 cannot be loaded; the log says why"
    assert "a row is missing" in caplog.text


def test_a_failed_version_is_tried_again_only_after_a_while(serving, source, make_items, clock):
    serving.current()
    source.add(2, rating=make_items(bias_of_b=2.0))
    source.broken.add(2)
    source.promote(2)
    for _ in range(5):
        serving.current()
    assert source.reads[2, "rating"] == 1

    source.broken.clear()
    assert serving.current().recommender.model_id == 1
    clock[0] += current.RETRY_SECONDS
    assert serving.current().recommender.model_id == 2
    assert serving.failure is None


def test_another_version_after_a_failed_one_is_loaded_at_once(serving, source, make_items, clock):
    serving.current()
    source.add(2, rating=make_items(bias_of_b=2.0))
    source.broken.add(2)
    source.promote(2)
    serving.current()
    source.add(3, rating=make_items(bias_of_b=1.0))
    source.promote(3)
    assert serving.current().recommender.model_id == 3
    assert serving.failure is None


def test_a_rollback_after_a_failure_clears_it(serving, source, make_items):
    serving.current()
    source.add(2, rating=make_items(bias_of_b=2.0))
    source.broken.add(2)
    source.promote(2)
    serving.current()
    source.promote(1)
    assert serving.current().recommender.model_id == 1
    assert serving.failure is None


def test_a_first_version_that_cannot_be_loaded_is_no_model(serving, source):
    source.broken.add(1)
    with pytest.raises(NoModelError, match="version 1 cannot be loaded"):
        serving.current()


@pytest.fixture
def three_versions(source, make_items):
    """A source whose champion is version 3, promoted after 2, promoted after 1."""
    for model_id in (2, 3):
        source.add(model_id, rating=make_items(bias_of_b=float(model_id)))
        source.promote(model_id)
    return source


def test_a_start_with_a_damaged_champion_serves_the_last_sound_one_before_it(
    serving, three_versions, caplog
):
    three_versions.broken = {2, 3}
    started = serving.current()
    assert (started.recommender.model_id, started.revision) == (1, 3)
    assert serving.current() == started
    assert serving.failure == "version 3 cannot be loaded; the log says why"
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert told[:2] == ["version 3 cannot be loaded", "version 2 cannot be loaded"]
    assert told[2].startswith("version 1 is served in place of the champion 3")
    assert len(told) == 3


def test_a_champion_that_is_whole_again_is_taken_after_a_while(serving, three_versions, clock):
    three_versions.broken = {3}
    assert serving.current().recommender.model_id == 2
    three_versions.broken = set()
    assert serving.current().recommender.model_id == 2
    clock[0] += current.RETRY_SECONDS
    assert serving.current().recommender.model_id == 3
    assert serving.failure is None


def test_the_version_that_stands_in_can_be_made_the_champion(serving, three_versions):
    three_versions.broken = {3}
    serving.current()
    three_versions.promote(2)
    assert (serving.current().recommender.model_id, serving.current().revision) == (2, 4)
    assert serving.failure is None
    assert three_versions.reads[2, "rating"] == 1


def test_with_no_sound_version_the_next_look_at_them_waits(serving, three_versions, clock):
    three_versions.broken = {1, 2, 3}
    for _ in range(3):
        with pytest.raises(NoModelError, match=r"version 3 cannot be loaded.*restore"):
            serving.current()
    assert set(three_versions.reads.values()) == {1}
    three_versions.broken = {2, 3}
    clock[0] += current.RETRY_SECONDS
    assert serving.current().recommender.model_id == 1


def test_while_one_thread_loads_the_others_answer_from_the_old_version(serving, source, make_items):
    serving.current()
    source.add(2, rating=make_items(bias_of_b=2.0))
    source.promote(2)
    loading, release = threading.Event(), threading.Event()
    read = source.item_side

    def slow(model_id, objective):
        loading.set()
        assert release.wait(10)
        return read(model_id, objective)

    source.item_side = slow
    loader = threading.Thread(target=serving.current)
    loader.start()
    assert loading.wait(10)

    assert serving.current().recommender.model_id == 1

    release.set()
    loader.join(10)
    assert serving.current().recommender.model_id == 2
    assert source.reads[2, "rating"] == 1


def test_threads_that_start_together_load_the_first_version_once(serving, source):
    start = threading.Barrier(4)
    found = []

    def ask():
        start.wait(10)
        found.append(serving.current())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 4
    assert len({id(one.recommender) for one in found}) == 1
    assert source.reads == {(1, "rating"): 1}


def test_a_thread_that_was_told_of_the_version_before_does_not_bring_it_back(
    serving, source, make_items
):
    serving.current()
    source.add(2, rating=make_items(bias_of_b=0.5))
    before = source.current
    source.promote(2)
    serving.current()
    # A slow thread asked just before the promotion, and goes on just after it.
    told = iter([before])
    source.champion = lambda: next(told, source.current)
    assert serving.current().recommender.model_id == 2
    assert source.reads == {(1, "rating"): 1, (2, "rating"): 1}


def test_a_source_that_cannot_be_read_leaves_the_last_version_serving_and_is_told_once(
    serving, source, caplog
):
    held = serving.current()
    ask = source.champion

    def fail():
        raise StoreError("the disk is gone")

    source.champion = fail
    assert [serving.current(), serving.current()] == [held, held]
    assert "does not say which version" in serving.failure
    assert caplog.text.count("the disk is gone") == 1
    source.champion = ask
    serving.current()
    assert serving.failure is None


def test_a_source_that_cannot_be_read_at_the_start_is_an_error(serving, source):
    def fail():
        raise StoreError("the disk is gone")

    source.champion = fail
    with pytest.raises(StoreError, match="the disk is gone"):
        serving.current()


def test_what_is_loaded_and_what_is_not_is_reported(source, files, make_items):
    reported = []
    serving = Serving(source, files, lambda *told: reported.append(told))
    serving.current()
    serving.current()
    source.add(2, rating=make_items(bias_of_b=0.5))
    source.promote(2)
    source.broken.add(2)
    serving.current()
    assert reported == [(1, True), (2, False)]

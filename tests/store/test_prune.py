from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from recsys import store
from recsys.errors import NotFoundError, UsageError
from recsys.store.database import writing
from recsys.store.drafts import ABANDONED_AFTER
from recsys.store.tables import DataSet


def model_ids(engine):
    return [version.model_id for version in store.list_versions(engine)][::-1]


def test_the_newest_versions_stay(engine, save):
    ids = [save(seed) for seed in range(4)]
    assert store.prune(engine, 3).model_ids == (ids[0],)
    assert model_ids(engine) == ids[1:]
    assert store.prune(engine, 3) == store.Pruned((), ())


def test_what_an_alias_points_to_and_may_be_rolled_back_to_stays(engine, save):
    ids = [save(seed) for seed in range(5)]
    store.promote(engine, ids[0], "challenger")
    for model_id in ids[1:4]:
        store.promote(engine, model_id)
    # challenger: 0; champion: 3, and before that 2. Nothing needs 1 and 4.
    assert store.prune(engine, 0).model_ids == (ids[1], ids[4])
    assert store.rollback(engine).model_id == ids[2]
    with pytest.raises(NotFoundError, match="no earlier promotion"):
        store.rollback(engine)


def test_a_data_set_goes_with_its_last_version_but_feedback_stays(
    engine, ratings, make_snapshot, save
):
    old = save()
    other = replace(ratings, values=ratings.values + np.float32(0.5))
    new_data = store.save_data_set(engine, other)
    new = store.save_version(engine, new_data, [make_snapshot(other)])
    store.promote(engine, new)
    store.save_feedback(engine, "tiny", [])
    old_data = store.get_version(engine, old).data_set.data_set_id
    assert store.prune(engine, 1) == store.Pruned((old,), (old_data,))
    assert store.load_ratings(engine, new_data).n_ratings == 5
    with pytest.raises(NotFoundError):
        store.load_ratings(engine, old_data)


def test_a_data_set_that_was_just_stored_waits_for_its_version(engine, ratings, make_snapshot):
    data_set_id = store.save_data_set(engine, ratings)
    assert store.prune(engine, 0) == store.Pruned((), ())
    store.save_version(engine, data_set_id, [make_snapshot(ratings)])


def test_a_data_set_that_was_just_found_again_waits_for_its_version(
    engine, ratings, make_snapshot, save
):
    old = save()
    other = replace(ratings, values=ratings.values + np.float32(0.5))
    newer = store.save_data_set(engine, other)
    data_set_id = store.save_data_set(engine, ratings)
    assert store.prune(engine, 0) == store.Pruned((old,), (newer,))
    store.save_version(engine, data_set_id, [make_snapshot(ratings)])


def test_a_data_set_that_nobody_came_back_to_goes_though_it_is_the_newest(
    engine, ratings, make_snapshot, save
):
    save()
    other = replace(ratings, values=ratings.values + np.float32(0.5))
    data_set_id = store.save_data_set(engine, other)
    model_id = store.save_version(engine, data_set_id, [make_snapshot(other)])
    save()  # of the first data set again
    save()
    assert store.prune(engine, 2) == store.Pruned((1, model_id), (data_set_id,))


def test_a_data_set_whose_training_never_stored_a_version_goes_later(engine, ratings):
    data_set_id = store.save_data_set(engine, ratings)
    with writing(engine) as connection:
        connection.execute(update(DataSet).values(touched_at=datetime.now(UTC) - ABANDONED_AFTER))
    assert store.prune(engine, 0) == store.Pruned((), (data_set_id,))


def test_nothing_of_a_removed_version_is_left_in_the_file(engine, ratings, make_snapshot, save):
    if engine.dialect.name != "sqlite":
        pytest.skip("SQLite's file")
    save()
    title = b"Cl\xc3\xa9o de 5 \xc3\xa0 7"
    new = replace(ratings, metadata=ratings.metadata.unknown(4))
    data_set_id = store.save_data_set(engine, new)
    store.save_version(engine, data_set_id, [make_snapshot(new)])
    with engine.connect() as connection:
        path = connection.exec_driver_sql("PRAGMA database_list").fetchone()[2]

    def content():
        engine.dispose()  # the last connection writes the log into the file
        return Path(path).read_bytes()

    assert title in content()
    store.prune(engine, 1)
    assert title not in content()


def test_a_negative_number_is_refused(engine):
    with pytest.raises(UsageError, match="keep is -1; allowed: 0 or more"):
        store.prune(engine, -1)

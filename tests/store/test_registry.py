from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete

from recsys import store
from recsys.errors import NotFoundError
from recsys.store.database import writing
from recsys.store.tables import Model


def test_a_version_says_where_it_came_from(engine, ratings, make_snapshot):
    data_set_id = store.save_data_set(engine, ratings)
    snapshots = [make_snapshot(ratings), make_snapshot(ratings, objective="ranking", n_factors=5)]
    before = datetime.now(UTC)
    model_id = store.save_version(engine, data_set_id, snapshots)
    store.promote(engine, model_id)
    store.promote(engine, model_id, "best")

    version = store.get_version(engine, model_id)
    assert version.model_id == model_id
    assert before <= version.created_at <= datetime.now(UTC)
    assert version.created_at.utcoffset() == timedelta(0)
    assert version.aliases == ("best", "champion")
    assert version.data_set == store.DataSetInfo(
        data_set_id, "tiny", ratings.fingerprint, 3, 4, 5, (1.0, 5.0), is_implicit=False
    )
    assert [(s.objective, s.n_factors) for s in version.snapshots] == [
        ("rating", 3),
        ("ranking", 5),
    ]
    rating = version.snapshots[0]
    assert rating.content_hash == snapshots[0].content_hash
    assert rating.hyperparameters == {"lr": 0.1, "seed": 0}
    assert rating.metrics == {"rmse": 0.9}
    assert rating.history == ({"epoch": 1, "validation_rmse": 1.0}, {"epoch": 2})


def test_versions_are_listed_newest_first(engine, save):
    assert store.list_versions(engine) == []
    first, second = save(1), save(2)
    assert store.list_versions(engine) == [
        store.get_version(engine, second),
        store.get_version(engine, first),
    ]


def test_a_version_is_found_by_number_digits_and_alias(engine, save):
    model_id = save()
    store.promote(engine, model_id)
    for ref in (model_id, str(model_id), "champion"):
        assert store.get_version(engine, ref).model_id == model_id


def test_a_part_of_the_list_goes_on_where_the_one_before_ended(engine, save):
    ids = [save(seed) for seed in range(3)]
    page = store.list_versions(engine, limit=2)
    assert page == store.list_versions(engine)[:2]
    assert [v.model_id for v in store.list_versions(engine, before=page[-1].model_id)] == ids[:1]


@pytest.mark.parametrize("ref", [-1, 7, "7", "challenger", "", "9" * 18, "9" * 5000, "²"])
def test_a_reference_to_nothing_says_what_there_is(engine, save, ref):
    with pytest.raises(NotFoundError, match="no version is stored yet: recsys train"):
        store.get_version(engine, ref)
    model_id = save()
    store.promote(engine, model_id)
    with pytest.raises(NotFoundError, match="versions are 1; the aliases are champion -> 1"):
        store.get_version(engine, ref)


def test_an_id_is_never_given_twice(engine, save):
    first = save(1)
    with writing(engine) as connection:
        connection.execute(delete(Model).where(Model.id == first))
    assert save(2) > first

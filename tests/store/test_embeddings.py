from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import update

from recsys import store
from recsys.errors import StoreError
from recsys.model.intervals import StarIntervals
from recsys.model.newcomers import Newcomers
from recsys.store.database import writing
from recsys.store.schema import config, migrating
from recsys.store.tables import ItemEmbedding, SnapshotRow


@pytest.fixture
def model_id(engine, ratings, make_snapshot):
    """A version whose rating embeddings take newcomers, implicit terms included."""
    plain = make_snapshot(ratings)
    items = plain.items
    newcomers = Newcomers(
        reg=0.1,
        reg_bias=0.2,
        reg_per_rating=3,
        unobserved=0,
        user_mean=items.item_factors[0],
        item_implicit=items.item_factors * 2,
        item_implicit_bias=-np.zeros(4, np.float32),
    )
    items = replace(
        items,
        newcomers=newcomers,
        intervals=StarIntervals(0.1, -0.2, 1 / 3, 0.0, (0.1, 0.9), (-1.3, 1.1), (1.0, 5.0), 200),
    )
    data_set_id = store.save_data_set(engine, ratings)
    return store.save_version(engine, data_set_id, [replace(plain, items=items)])


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            update(ItemEmbedding)
            .where(ItemEmbedding.item_row == 1)
            .values(implicit_factors=b"\0" * 11),
            "row 1 of the implicit part of item_embeddings of version {} (rating) has 11 bytes "
            "instead of 12",
        ),
        (
            update(ItemEmbedding).where(ItemEmbedding.item_row == 2).values(implicit_factors=None),
            "row 2 of the implicit part of item_embeddings of version {} (rating) has nothing",
        ),
        (
            update(ItemEmbedding).where(ItemEmbedding.item_row == 2).values(implicit_bias=None),
            "is not what was saved",
        ),
        (
            update(ItemEmbedding).values(implicit_factors=None, implicit_bias=None),
            "is not what was saved",
        ),
        (
            update(SnapshotRow).values(user_mean=None),
            "row 0 of user_mean of version {} (rating) has nothing instead of 12",
        ),
        (update(SnapshotRow).values(user_mean=b"\0" * 12), "is not what was saved"),
        (update(SnapshotRow).values(newcomers={"reg": 1}), "newcomers of version {} (rating)"),
        (update(SnapshotRow).values(newcomers=None), "is not what was saved"),
        (update(SnapshotRow).values(intervals={"a": 0.2}), "is not what was saved"),
        (update(SnapshotRow).values(intervals=None), "is not what was saved"),
    ],
)
def test_damage_to_what_newcomers_take_is_told_and_never_served(engine, model_id, damage, told):
    with writing(engine) as connection:
        connection.execute(damage)
    for read in (partial(store.load_snapshot, engine), store.StoreSource(engine).item_side):
        with pytest.raises(StoreError, match=re.escape(told.format(model_id))):
            read(model_id, "rating")


def test_a_version_stored_before_newcomers_were_thought_of_is_the_same_and_has_none(
    engine, save, make_snapshot, ratings
):
    alembic = config()
    model_id = save(seed=1)
    with migrating(engine) as connection:
        alembic.attributes["connection"] = connection
        command.downgrade(alembic, "0003")
        columns = sa.inspect(connection).get_columns("item_embeddings")
        assert "implicit_factors" not in {column["name"] for column in columns}

    store.upgrade(engine)

    expected = make_snapshot(ratings, seed=1)
    assert store.load_snapshot(engine, model_id, "rating").content_hash == expected.content_hash
    items = store.StoreSource(engine).item_side(model_id, "rating")
    assert items.content_hash == expected.items.content_hash
    assert items.newcomers is None
    assert items.intervals is None

import pytest
from sqlalchemy import bindparam, select

from recsys import store
from recsys.errors import StoreError
from recsys.store.prepared import Prepared
from recsys.store.tables import Alias


@pytest.fixture
def by_name(engine):
    return Prepared(engine, select(Alias.name).where(Alias.name == bindparam("name")))


def test_it_gives_the_rows_of_its_query(by_name, promote_as):
    promote_as("champion")
    assert [tuple(row) for row in by_name.rows(name="champion")] == [("champion",)]
    assert by_name.rows(name="nobody") == []


def test_a_constant_of_the_query_stays_what_it_was(engine, promote_as):
    promote_as("champion")
    assert len(Prepared(engine, select(Alias.name).where(Alias.name == "champion")).rows()) == 1


def test_it_sees_what_others_committed_since(by_name, promote_as):
    assert by_name.rows(name="champion") == []
    promote_as("champion")
    assert len(by_name.rows(name="champion")) == 1


def test_what_fails_is_told_as_by_every_other_read_and_its_connection_is_not_used_again(
    engine, by_name
):
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE aliases RENAME TO away")
    for _ in range(20):  # more often than the pool has connections
        with pytest.raises(StoreError, match=r"(no such table|does not exist).*recsys db upgrade"):
            by_name.rows(name="x")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO aliases")
    assert by_name.rows(name="x") == []


@pytest.fixture
def promote_as(engine, save):
    return lambda name: store.promote(engine, save(), name)

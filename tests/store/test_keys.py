from __future__ import annotations

import re

import pytest

from recsys import store
from recsys.errors import NotFoundError, UsageError


def test_a_key_is_found_by_itself_alone(engine):
    mine, yours = store.create_key(engine, "mine"), store.create_key(engine, "yours")
    assert mine != yours
    assert (store.find_key(engine, mine), store.find_key(engine, yours)) == ("mine", "yours")
    for wrong in ("", "recsys_", mine[:-1], mine + "x", mine.upper(), "ä\x00"):
        assert store.find_key(engine, wrong) is None


def test_a_key_has_256_random_bits(engine):
    # 43 characters of 6 bits hold 256.
    assert re.fullmatch(r"recsys_[A-Za-z0-9_-]{43}", store.create_key(engine, "a"))


def test_the_database_does_not_hold_the_key(engine):
    key = store.create_key(engine, "mine")
    with engine.connect() as connection:
        (row,) = connection.exec_driver_sql("SELECT * FROM api_keys").all()
    assert key not in str(row)
    assert key.removeprefix("recsys_") not in str(row)


def test_a_revoked_key_is_found_no_more_by_anybody(engine, url):
    other_process = store.open_database(url)
    key, kept = store.create_key(engine, "old"), store.create_key(engine, "new")
    assert store.find_key(other_process, key) == "old"
    store.revoke_key(engine, "old")
    assert store.find_key(other_process, key) is None
    assert store.find_key(other_process, kept) == "new"
    other_process.dispose()


def test_keys_are_listed_oldest_first_with_when_they_were_revoked(engine):
    for name in ("b", "a"):
        store.create_key(engine, name)
    store.revoke_key(engine, "b")
    first, second = store.list_keys(engine)
    assert (first.name, second.name) == ("b", "a")
    assert first.revoked_at >= first.created_at
    assert second.revoked_at is None


def test_revoking_again_leaves_the_time(engine):
    store.create_key(engine, "a")
    store.revoke_key(engine, "a")
    before = store.list_keys(engine)
    store.revoke_key(engine, "a")
    assert store.list_keys(engine) == before


def test_a_name_is_never_given_twice(engine):
    store.create_key(engine, "a")
    store.revoke_key(engine, "a")
    with pytest.raises(UsageError, match="there has been a key 'a' already; choose another"):
        store.create_key(engine, "a")


@pytest.mark.parametrize("name", ["", " ", "-a", "a b", "a\nb", "ä", "x" * 65])
def test_what_is_no_name_is_refused(engine, name):
    with pytest.raises(UsageError, match=r"cannot be the name of a key; allowed: a letter or"):
        store.create_key(engine, name)


def test_an_unknown_key_cannot_be_revoked_and_the_known_ones_are_named(engine):
    store.create_key(engine, "ci")
    with pytest.raises(NotFoundError, match="there is no key 'cl'; the keys are ci"):
        store.revoke_key(engine, "cl")


def test_there_have_been_keys_even_when_all_are_revoked(engine):
    assert not store.has_keys(engine)
    store.create_key(engine, "a")
    store.revoke_key(engine, "a")
    assert store.has_keys(engine)

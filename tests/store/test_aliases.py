from __future__ import annotations

import threading
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from recsys import store
from recsys.errors import ConflictError, NotFoundError, UsageError
from recsys.store.aliases import rollback_targets
from recsys.store.database import writing
from recsys.store.tables import Alias, Model, Promotion

names = (f"alias-{number}" for number in count())


def target(engine, alias="champion"):
    with engine.connect() as connection:
        return tuple(
            connection.execute(
                select(Alias.model_id, Alias.revision).where(Alias.name == alias)
            ).one()
        )


def test_only_what_exists_is_promoted(engine, save):
    save()
    for nothing in (5, 10**30):
        with pytest.raises(NotFoundError, match=f"there is no version {nothing}; the versions are"):
            store.promote(engine, nothing)
    assert store.StoreSource(engine).champion() is None


@pytest.mark.parametrize("alias", ["", "12", "Champion", "a b", "a/b", "a" * 65, "é"])
def test_an_alias_is_a_name_that_cannot_be_an_id(engine, save, alias):
    with pytest.raises(UsageError, match="cannot be an alias"):
        store.promote(engine, save(), alias)


@pytest.mark.parametrize("alias", ["aliases", "compare"])
def test_a_reserved_name_is_no_alias(engine, save, alias):
    with pytest.raises(UsageError, match="reserved are aliases and compare"):
        store.promote(engine, save(), alias)


def test_promoting_what_is_promoted_moves_nothing(engine, save):
    first, second = save(1), save(2)
    moved = [store.promote(engine, v) for v in (first, first, second, second)]
    assert [alias.revision for alias in moved] == [1, 1, 2, 2]
    assert store.rollback(engine) == store.AliasInfo("champion", first, 3)


def test_rolling_back_again_goes_further_back(engine, save):
    first, second, third = save(1), save(2), save(3)
    for model_id in (first, second, third):
        store.promote(engine, model_id)
    assert [store.rollback(engine).model_id for _ in range(2)] == [second, first]
    with pytest.raises(NotFoundError, match=f"points to version {first} and no earlier promotion"):
        store.rollback(engine)
    assert target(engine) == (first, 5)


def test_rollback_targets_are_what_rollbacks_lead_to(engine, save):
    assert rollback_targets(engine) == []
    first, second, third = save(1), save(2), save(3)
    for model_id in (first, second, first, third):
        store.promote(engine, model_id)
    assert rollback_targets(engine) == [first, second]
    store.rollback(engine)
    # The third was rolled back; the first is where the alias points.
    assert rollback_targets(engine) == [second]
    store.promote(engine, second, "challenger")
    assert rollback_targets(engine, "challenger") == []


def test_nothing_promoted_cannot_be_rolled_back(engine):
    with pytest.raises(NotFoundError, match="there is no alias 'champion'"):
        store.rollback(engine)


def test_aliases_move_apart(engine, save):
    first, second = save(1), save(2)
    for alias in ("champion", "challenger"):
        store.promote(engine, first, alias)
        store.promote(engine, second, alias)
    store.rollback(engine, "challenger")
    assert target(engine) == (second, 2)
    assert target(engine, "challenger") == (first, 3)


def test_a_rollback_skips_versions_that_are_gone(engine, save):
    first, second = save(1), save(2)
    for model_id in (first, second, first):
        store.promote(engine, model_id)
    with writing(engine) as connection:
        connection.execute(delete(Model).where(Model.id == second))
    with pytest.raises(NotFoundError, match="no earlier promotion"):
        store.rollback(engine)


moves = st.lists(st.sampled_from([1, 2, 3, "rollback"]), max_size=12)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=moves)
def test_promotions_are_a_stack_and_the_revision_counts_every_move(engine, save, moves):
    while len(store.list_versions(engine)) < 3:
        save()
    alias, stack, revision = next(names), [], 0
    for move in moves:
        if move == "rollback" and len(stack) < 2:
            with pytest.raises(NotFoundError):
                store.rollback(engine, alias)
            continue
        if move == "rollback":
            stack.pop()
            assert store.rollback(engine, alias).model_id == stack[-1]
            revision += 1
        else:
            if stack[-1:] != [move]:
                stack.append(move)
                revision += 1
            assert store.promote(engine, move, alias).revision == revision
        assert target(engine, alias) == (stack[-1], revision)


def test_concurrent_promotions_each_get_their_revision(engine, url, save):
    versions = [save(1), save(2)]
    start = threading.Barrier(3)
    failed = []

    def move() -> None:
        own = store.open_database(url)
        start.wait(10)
        try:
            for number in range(10):
                store.promote(own, versions[number % 2])
        except Exception as error:  # a thread's error would otherwise be lost
            failed.append(error)
        own.dispose()

    threads = [threading.Thread(target=move) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    with engine.connect() as connection:
        revisions = connection.scalars(
            select(Promotion.revision).order_by(Promotion.revision)
        ).all()
    assert revisions == list(range(1, target(engine)[1] + 1))


def test_an_alias_says_where_it_points_and_how_often_it_moved(engine, save):
    with pytest.raises(NotFoundError, match="there is no alias 'champion'; no version is stored"):
        store.get_alias(engine, "champion")
    first, second = save(1), save(2)
    store.promote(engine, first)
    store.promote(engine, second)
    assert store.get_alias(engine, "champion") == store.AliasInfo("champion", second, 2)


def test_an_alias_that_somebody_else_has_moved_stays(engine, save):
    first, second, third = save(1), save(2), save(3)
    store.promote(engine, first, expected_revision=0)
    store.promote(engine, second, expected_revision=1)
    with pytest.raises(ConflictError, match="champion is at revision 2, not 1"):
        store.promote(engine, third, expected_revision=1)
    with pytest.raises(ConflictError, match="champion is at revision 2, not 1"):
        store.rollback(engine, expected_revision=1)
    assert target(engine) == (second, 2)
    assert store.rollback(engine, expected_revision=2).model_id == first


def test_a_refused_first_promotion_leaves_no_alias(engine, save):
    with pytest.raises(ConflictError, match="challenger is at revision 0, not 4"):
        store.promote(engine, save(), "challenger", expected_revision=4)
    with pytest.raises(NotFoundError):
        store.get_alias(engine, "challenger")

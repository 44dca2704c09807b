"""What fails around the service is told clearly, and stops no more than it must."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from sqlalchemy import event

from api import create_app
from recsys import store
from recsys.store.database import writing

LIST = "/v1/users/1/recommendations?limit=3"


def rate(shop, stars, item_id="m1"):
    body = {"ratings": [{"user_id": "1", "item_id": item_id, "rating": stars}]}
    return shop.client.post("/v1/ratings", json=body)


def stored(shop):
    """Return what the store has been told since the training, by item."""
    with shop.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT item_id, value FROM feedback")
        return {row.item_id: row.value for row in rows}


def problem(answer, kind="store"):
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    body = answer.get_json()
    assert body["type"] == f"urn:recsys:problem:{kind}"
    return body


def test_a_locked_database_refuses_writes_and_answers_reads(fresh_shop, monkeypatch, caplog):
    monkeypatch.setattr("api.backend.LOCK_TIMEOUT", 0.05)
    assert rate(fresh_shop, 5).status_code == 200
    with writing(fresh_shop.engine):
        assert fresh_shop.get(LIST).status_code == 200
        body = problem(rate(fresh_shop, 1))
    assert "database" in body["detail"]
    assert "another process has been writing" in caplog.text
    assert stored(fresh_shop) == {"m1": 5}
    assert rate(fresh_shop, 1).status_code == 200


def test_while_one_write_waits_for_the_lock_others_are_told_to_come_back(fresh_shop, monkeypatch):
    monkeypatch.setattr("api.backend.TURN_TIMEOUT", 0)
    assert rate(fresh_shop, 5).status_code == 200
    turns = fresh_shop.app.extensions["recsys"].engine.get_execution_options()["recsys_turns"]
    with turns.turn():
        refused = rate(fresh_shop, 1)
        assert fresh_shop.get(LIST).status_code == 200
    problem(refused)
    assert int(refused.headers["Retry-After"]) > 0
    assert rate(fresh_shop, 1).status_code == 200


def test_a_full_disk_refuses_writes_loses_nothing_and_answers_reads(fresh_shop, caplog):
    assert rate(fresh_shop, 5).status_code == 200
    engine = fresh_shop.app.extensions["recsys"].engine

    def fill(connection, _record=None):
        n_pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={n_pages}")

    engine.dispose()
    event.listen(engine, "connect", fill)
    for number in range(2, 28):
        answer = rate(fresh_shop, 3, f"m{number}")
        if answer.status_code != 200:
            break
        # One row fits into what is left of a page: the next needs more.
        big = {"user_id": "x" * 255, "item_id": f"m{number}", "rating": 3}
        ratings = [big | {"user_id": f"{n:03d}" + "x" * 252} for n in range(100)]
        answer = fresh_shop.client.post("/v1/ratings", json={"ratings": ratings})
        if answer.status_code != 200:
            break
    problem(answer)
    assert "make room on the disk" in caplog.text
    assert fresh_shop.get(LIST).status_code == 200
    assert stored(fresh_shop)["m1"] == 5

    event.remove(engine, "connect", fill)
    engine.dispose()
    assert rate(fresh_shop, 2).status_code == 200
    assert stored(fresh_shop)["m1"] == 2


def test_without_room_for_item_files_the_items_are_kept_in_memory(fresh_shop, monkeypatch, caplog):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("recsys.serving.item_files.os.fsync", full)
    assert fresh_shop.get(LIST).status_code == 200
    assert "No space left on device" in caplog.text
    assert list(fresh_shop.config.cache_dir.iterdir()) == []


def damage(shop):
    """Overwrite the database file behind its header, as a failing disk may."""
    # The last connection to close would write back what is still in the log.
    for engine in (shop.engine, shop.app.extensions["recsys"].engine):
        engine.dispose()
    path = Path(shop.engine.url.database)
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\x5a" * (len(whole) - 4096))


def test_a_damaged_file_stops_what_needs_it_and_nothing_else(fresh_shop, caplog):
    before = fresh_shop.get("/v1/items/m1/similar?min_ratings=0").get_json()
    damage(fresh_shop)
    # The items are in memory, the users are not.
    assert fresh_shop.get("/v1/items/m1/similar?min_ratings=0").get_json() == before
    assert fresh_shop.get("/v1/items").status_code == 200
    body = problem(fresh_shop.get(LIST))
    assert str(fresh_shop.config.cache_dir.parent) not in str(body)
    problem(rate(fresh_shop, 5))
    ready = fresh_shop.get("/readyz")
    assert ready.status_code == 200
    assert "does not say which version" in ready.get_json()["failure"]
    assert "restore it from a backup" in caplog.text


def test_a_file_that_is_damaged_from_the_start_is_503(fresh_shop):
    damage(fresh_shop)
    client = create_app(fresh_shop.config).test_client()
    for url in ("/readyz", "/v1/items", LIST):
        problem(client.get(url))
    assert client.get("/healthz").status_code == 200


def test_a_restored_backup_is_served_after_a_restart(fresh_shop, tmp_path):
    before = fresh_shop.get(LIST).get_json()
    store.backup(fresh_shop.engine, tmp_path / "copy.db")
    damage(fresh_shop)
    problem(fresh_shop.get(LIST))
    for leftover in tmp_path.glob("recsys.db-*"):
        leftover.unlink()
    (tmp_path / "copy.db").rename(tmp_path / "recsys.db")
    client = create_app(fresh_shop.config).test_client()
    assert client.get(LIST).get_json() == before
    assert client.get("/readyz").get_json()["failure"] is None


def test_a_file_that_is_removed_is_missed_at_once_and_found_again_without_a_restart(
    fresh_shop, tmp_path, caplog
):
    before = fresh_shop.get(LIST).get_json()
    store.backup(fresh_shop.engine, tmp_path / "copy.db")
    path = Path(fresh_shop.engine.url.database)
    fresh_shop.engine.dispose()
    for leftover in tmp_path.glob("recsys.db*"):
        leftover.unlink()
    problem(rate(fresh_shop, 5))
    problem(fresh_shop.get(LIST))
    assert "does not say which version" in fresh_shop.get("/readyz").get_json()["failure"]
    assert "unable to open" in caplog.text
    problem(create_app(fresh_shop.config).test_client().get("/readyz"))
    assert not path.exists()
    (tmp_path / "copy.db").rename(path)
    assert fresh_shop.get(LIST).get_json() == before
    assert rate(fresh_shop, 5).status_code == 200
    assert stored(fresh_shop) == {"m1": 5}


@pytest.mark.parametrize(
    ("table", "column"), [("user_embeddings", "factors"), ("rated_items", "item_rows")]
)
def test_a_truncated_row_stops_its_user_alone(fresh_shop, caplog, table, column):
    with fresh_shop.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {table} SET {column} = x'00' WHERE user_row = 0")
    problem(fresh_shop.get(LIST))
    assert "user '1' in version 1" in caplog.text
    assert fresh_shop.get("/v1/users/2/recommendations").status_code == 200
    assert fresh_shop.get("/v1/items/m1").status_code == 200


def test_a_truncated_item_row_of_the_only_version_is_503_and_named_in_the_log(fresh_shop, caplog):
    with fresh_shop.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE item_embeddings SET factors = x'00' WHERE item_row = 3")
    problem(fresh_shop.get(LIST), "no-model")
    assert "version 1 cannot be loaded" in caplog.text
    assert "row 3" in caplog.text


def truncate_items_of(shop, snapshot_id):
    with shop.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE item_embeddings SET factors = x'00' WHERE snapshot_id = {snapshot_id}"
        )


def test_a_worker_that_starts_with_a_damaged_champion_serves_the_one_before(fresh_shop, caplog):
    before = fresh_shop.get(LIST).get_json()
    fresh_shop.train(seed=2)
    truncate_items_of(fresh_shop, 2)

    started = create_app(fresh_shop.config).test_client()
    ready = started.get("/readyz")
    assert ready.status_code == 200
    assert ready.get_json()["model_id"] == 1
    assert "version 2 cannot be loaded" in ready.get_json()["failure"]
    assert started.get(LIST).get_json() == before
    assert "version 1 is served in place of the champion 2" in caplog.text

    fresh_shop.train(seed=3)
    assert started.get(LIST).get_json()["model_id"] == 3
    assert started.get("/readyz").get_json()["failure"] is None


def test_a_worker_keeps_its_champion_when_the_rows_are_damaged_later(fresh_shop):
    before = fresh_shop.get(LIST).get_json()
    truncate_items_of(fresh_shop, 1)
    for path in fresh_shop.config.cache_dir.iterdir():
        path.unlink()
    assert fresh_shop.get(LIST).get_json() == before
    assert fresh_shop.get("/readyz").get_json()["failure"] is None

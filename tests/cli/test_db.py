import sqlite3
from contextlib import closing

import pytest


def execute(home, statement):
    with closing(sqlite3.connect(home / "var" / "recsys.db")) as database, database:
        return database.execute(statement).fetchall()


def test_a_new_database_is_empty_until_upgraded(done, home):
    told = done("db", "current").out
    assert told.startswith("empty (newest: ")
    head = told.removeprefix("empty (newest: ").removesuffix(")\n")
    assert done("db", "upgrade").out == f"The schema is at {head}.\n"
    assert done("db", "current").out == f"{head} (newest: {head})\n"
    assert execute(home, "PRAGMA integrity_check") == [("ok",)]
    assert ("models",) in execute(home, "SELECT name FROM sqlite_master")


def test_upgrading_again_changes_nothing(trained, done):
    before = done("recommend", "u1", "--json").out
    done("db", "upgrade")
    assert done("recommend", "u1", "--json").out == before


@pytest.mark.parametrize(
    "arguments",
    [("train", "--data", "shop.csv"), ("recommend", "u1"), ("models", "list"), ("db", "upgrade")],
)
def test_a_newer_schema_is_refused_and_left_alone(trained, recsys, home, arguments):
    execute(home, "UPDATE alembic_version SET version_num = '9999'")
    refused = recsys(*arguments)
    assert (refused.code, refused.out) == (1, "")
    assert "9999, newer than this version of recsys" in refused.err
    assert execute(home, "SELECT count(*) FROM models") == [(1,)]


def test_a_file_that_is_no_database_is_refused(home, recsys):
    (home / "var").mkdir()
    (home / "var" / "recsys.db").write_text("dear diary, " * 100)
    refused = recsys("models", "list")
    assert refused.code == 1
    assert "file is not a database" in refused.err
    assert (home / "var" / "recsys.db").read_text().startswith("dear diary")


def test_another_place_can_be_named(shop, done, home):
    done("--database-url", "sqlite:///elsewhere/a.db", "train", "--data", shop, "--n-epochs", 1)
    assert (home / "elsewhere" / "a.db").exists()
    assert not (home / "var").exists()


def test_a_backup_answers_as_the_database_does(trained, done, recsys, home):
    told = done("db", "backup", "copy.db").out
    assert told == f"copy.db is a copy of {(home / 'copy.db').stat().st_size:,} bytes.\n"
    copy = ("--database-url", "sqlite:///copy.db")
    assert done(*copy, "recommend", "u1", "--json").out == done("recommend", "u1", "--json").out
    refused = recsys("db", "backup", "copy.db")
    assert (refused.code, refused.err) == (2, "Error: copy.db exists already; name a new file\n")

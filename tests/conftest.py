import os
import sqlite3

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool


def _do_not_wait(connection, *_):
    # At each checkout, as `store.open_database` makes a new connection wait.
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session", autouse=True)
def nothing_waits_for_the_disk():
    """In this process nothing waits for the disk: only a power cut would tell the difference."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        event.listen(Pool, "checkout", _do_not_wait)
        yield
        event.remove(Pool, "checkout", _do_not_wait)


@pytest.fixture
def commits_wait():
    """Commits wait for the disk in this test, as they do in use."""
    event.remove(Pool, "checkout", _do_not_wait)
    yield
    event.listen(Pool, "checkout", _do_not_wait)

import os
import shutil
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


@pytest.fixture(scope="session")
def browser():
    """A Chromium that is installed here."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("no Chromium is installed: the pages are not tried in a browser")
    # Imported here: most tests need no browser.
    from playwright.sync_api import sync_playwright

    # A sandbox within that of a container needs rights that root does not have there.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=arguments)
        yield started
        started.close()

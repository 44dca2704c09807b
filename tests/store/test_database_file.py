from __future__ import annotations

import pytest

from recsys import store
from recsys.errors import StoreError, UsageError


@pytest.fixture
def url(tmp_path):
    """Of an SQLite file, also where the other tests of the store run on Postgres."""
    return f"sqlite:///{tmp_path}/store.db"


def test_the_folder_of_a_new_file_is_made(tmp_path):
    store.open_database(f"sqlite:///{tmp_path}/deep/down/new.db").dispose()
    assert (tmp_path / "deep/down/new.db").is_file()


def test_a_file_that_shall_be_there_is_not_made(tmp_path):
    with pytest.raises(StoreError, match="unable to open database file; check that the file"):
        store.open_database(f"sqlite:///{tmp_path}/gone.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_have_any_letters(tmp_path):
    url = f"sqlite:///{tmp_path}/50% of ü#.db"
    store.open_database(url).dispose()
    store.open_database(url, create=False).dispose()
    assert len(list(tmp_path.glob("*.db"))) == 1


def test_a_file_that_is_replaced_is_opened_anew(engine, url, save, tmp_path):
    store.backup(engine, tmp_path / "copy.db")
    save()
    assert len(store.list_versions(engine)) == 1
    for leftover in tmp_path.glob("store.db*"):
        leftover.unlink()
    (tmp_path / "copy.db").rename(tmp_path / "store.db")
    assert store.list_versions(engine) == []


def test_a_folder_is_refused_with_its_path(tmp_path):
    with pytest.raises(StoreError, match=f"{tmp_path} is a folder"):
        store.open_database(f"sqlite:///{tmp_path}")


def test_a_file_that_cannot_be_opened_is_told_and_nothing_else(tmp_path):
    (tmp_path / "store.db").symlink_to(tmp_path / "nowhere" / "store.db")
    # An exception that was ignored would be a warning, and so an error.
    with pytest.raises(StoreError, match="unable to open database file; check that the file"):
        store.open_database(f"sqlite:///{tmp_path}/store.db")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=f"cannot make the folder {tmp_path}/file/var"):
        store.open_database(f"sqlite:///{tmp_path}/file/var/store.db")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_an_in_memory_database_is_refused(url):
    with pytest.raises(UsageError, match="gone when the process ends"):
        store.open_database(url)


def test_a_file_that_is_removed_is_not_made_anew(engine, save, tmp_path):
    save()
    (tmp_path / "store.db").unlink()
    with pytest.raises(StoreError, match="unable to open database file"):
        save()
    assert not (tmp_path / "store.db").exists()

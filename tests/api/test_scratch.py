import fcntl
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from api import scratch
from api.scratch import ScratchFolder

# From its file, as the rest of the service takes seconds to load.
HOLD = """
import runpy, sys
from pathlib import Path
folder = runpy.run_path(sys.argv[2])["ScratchFolder"](Path(sys.argv[1]))
print(folder.path, flush=True)
input()
"""


def hold(folder):
    """Start a process that makes a scratch folder, and return it with its folder's path."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder, scratch.__file__],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return process, process.stdout.readline().strip()


def test_what_a_killed_server_left_is_removed_and_what_a_living_one_holds_is_not(tmp_path):
    living, held = hold(tmp_path)
    killed, left = hold(tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    mine = ScratchFolder(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / held, mine.path])
    assert left != held
    living.communicate("\n")
    mine.remove()


@pytest.mark.parametrize(("n_free", "expected"), [(32, "memory"), (31, "temporary")])
def test_it_lies_in_memory_only_where_there_is_room(tmp_path, monkeypatch, n_free, expected):
    memory, temporary = tmp_path / "memory", tmp_path / "temporary"
    for folder in (memory, temporary):
        folder.mkdir()
    monkeypatch.setattr(scratch, "_MEMORY", memory)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    free = {memory: n_free * 2**20, temporary: 0}
    monkeypatch.setattr("shutil.disk_usage", lambda of: SimpleNamespace(free=free[of]))
    folder = ScratchFolder()
    assert folder.path.parent == tmp_path / expected
    folder.remove()


def test_without_a_folder_in_memory_it_lies_among_the_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "_MEMORY", tmp_path / "none")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = ScratchFolder()
    assert folder.path.parent == tmp_path
    folder.remove()


def test_it_is_ours_alone_and_gone_once_removed(tmp_path):
    folder = ScratchFolder(tmp_path)
    assert folder.path.stat().st_mode & 0o777 == 0o700
    with (folder.path / "lock").open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            raise AssertionError("the lock is free")
    folder.remove()
    assert list(tmp_path.iterdir()) == []


def test_other_folders_are_left_alone(tmp_path):
    (tmp_path / "recsys-notes").mkdir()
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "lock").touch()
    ScratchFolder(tmp_path).remove()
    assert {path.name for path in tmp_path.iterdir()} == {"recsys-notes", "else"}

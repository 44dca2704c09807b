import fcntl
import signal
import subprocess
import sys

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

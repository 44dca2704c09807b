from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# What a process has for itself; pages of mapped item files belong to all.
_PRIVATE = re.compile(r"^Private_(?:Clean|Dirty): +(\d+) kB", re.MULTILINE)


class Store:
    """A folder with a database, and the commands that are run there.

    Parameters
    ----------
    folder : Path
        Made, if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("RECSYS_")
        } | {"RECSYS_DATABASE_URL": f"sqlite:///{folder / 'recsys.db'}"}

    def run(self, *arguments: str) -> str:
        """Return what a command of ``recsys`` printed.

        Raises
        ------
        RuntimeError
            If it failed, with what it said.
        """
        process = self.start(*arguments)
        out, err = process.communicate()
        if process.returncode:
            raise RuntimeError(f"recsys {' '.join(arguments)}: {err.strip()}")
        return out

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Return a running command of ``recsys``, with pipes for what it prints."""
        return subprocess.Popen(
            [sys.executable, "-m", "recsys", *arguments],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def served(self, *options: str) -> Iterator[Server]:
        """Start ``recsys serve`` with ``options`` on a free port, yield it, and end it.

        Raises
        ------
        RuntimeError
            If it ends before it listens.
        """
        command = [sys.executable, "-m", "recsys", "serve", "--port", "0", *options]
        with running(command, self.folder, self._environment) as server:
            yield server


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes
    ----------
    pid : int
        Of the process that starts the workers.
    port : int
        On 127.0.0.1.
    log : Path
        What it writes to stderr.
    """

    pid: int
    port: int
    log: Path

    @property
    def address(self) -> str:
        """The URL that it answers at."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    @property
    def cpu_seconds(self) -> float:
        """Processor time that it and its workers have taken."""
        stats = [Path(f"/proc/{pid}/stat").read_text() for pid in (self.pid, *self.workers)]
        # Behind the name in brackets, which may hold anything: user and system time.
        fields = [stat.rpartition(")")[2].split() for stat in stats]
        ticks = sum(int(field) for found in fields for field in found[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """Start a server in a folder, yield it when it listens, and end it.

    Parameters
    ----------
    command : list of str
        Its log is to say where it listens as gunicorn or Flask do.
    folder : Path
    environment : mapping of str to str

    Raises
    ------
    RuntimeError
        If it ends before it listens.
    """
    log = folder / "serve.log"
    with log.open("w") as told:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=told, stderr=told)
    try:
        yield Server(process.pid, _port(process, log), log)
    finally:
        process.terminate()
        process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    while process.poll() is None:
        found = re.search(r"(?:Listening at: |Running on )http://[^:]+:(\d+)", log.read_text())
        if found:
            return int(found[1])
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise RuntimeError(f"the server ended: {log.read_text().strip()}")


def private_mb(pid: int) -> float | None:
    """Return the memory that a process shares with no other, in MB; None if it has ended."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return sum(int(kilobytes) for kilobytes in _PRIVATE.findall(told)) / 1024

"""Kills `recsys train` at random moments: ``python -m benchmarks.kills``.

A first version is trained in a temporary folder and becomes the champion. Then a training with
another seed is killed with SIGKILL again and again, at random moments spread over its whole
duration. After each kill the database must open and pass ``PRAGMA integrity_check``, and the
champion must be the same version and answer with the same list. At the end a training that nobody
disturbs must succeed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tabulate import tabulate


@dataclass(frozen=True)
class Kill:
    """One killed training.

    Attributes
    ----------
    seconds : float
        How long it had run.
    phase : str
        How far it had come.
    problem : str
        What was wrong afterwards; empty if nothing.
    """

    seconds: float
    phase: str
    problem: str


@dataclass(frozen=True)
class Measured:
    """All kills, and what they were spread over.

    Attributes
    ----------
    duration : float
        Of the same training undisturbed, seconds.
    kills : tuple of Kill
    last_problem : str
        What was wrong with the undisturbed training at the end; empty if nothing.
    """

    data: str
    seed: int
    duration: float
    kills: tuple[Kill, ...]
    last_problem: str

    @property
    def n_failed(self) -> int:
        """How many checks failed."""
        return sum(bool(kill.problem) for kill in self.kills) + bool(self.last_problem)


def measure(folder: Path, data: Path | None, n_kills: int, seed: int) -> Measured:
    """Return what became of a database in ``folder`` whose trainings were killed.

    The duration is cut into ``n_kills`` equal parts, with one random moment in each.
    """
    shop = Shop(folder, [] if data is None else ["--data", str(data.resolve())])
    shop.train("--seed", "0")
    asked = shop.first_user()
    answer = shop.run("recommend", asked, "--json")
    killed = ("--seed", "1", "--no-promote")
    started = time.monotonic()
    shop.train(*killed)
    duration = time.monotonic() - started

    rng = np.random.default_rng(seed)
    kills = []
    for part in range(n_kills):
        seconds = (part + float(rng.random())) * duration / n_kills
        phase = shop.kill_training(seconds, *killed)
        kills.append(Kill(seconds, phase, shop.problem(asked, answer)))
        note(f"{part + 1} of {n_kills}: killed after {seconds:.2f} s, {phase}")
    try:
        shop.train(*killed)
        last_problem = ""
    except RuntimeError as error:
        last_problem = str(error)
    name = "the embedded set" if data is None else data.name
    return Measured(name, seed, duration, tuple(kills), last_problem)


class Shop:
    """A folder with a database, and the commands that are run there.

    Parameters
    ----------
    folder : Path
    data : list of str
        The option that names the ratings to train on.
    """

    def __init__(self, folder: Path, data: list[str]) -> None:
        self._folder, self._data = folder, data
        self._database = folder / "recsys.db"
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("RECSYS_")
        } | {"RECSYS_DATABASE_URL": f"sqlite:///{self._database}"}

    def run(self, *arguments: str) -> str:
        """Return what a command printed.

        Raises
        ------
        RuntimeError
            If it failed, with what it said.
        """
        process = self._start(*arguments)
        out, err = process.communicate()
        if process.returncode:
            raise RuntimeError(f"recsys {' '.join(arguments)}: {err.strip()}")
        return out

    def train(self, *arguments: str) -> None:
        """Train without being disturbed."""
        self.run("train", *self._data, *arguments)

    def kill_training(self, seconds: float, *arguments: str) -> str:
        """Train, kill it after so many seconds, and return how far it had come."""
        shutil.rmtree(self._folder / "checkpoints", ignore_errors=True)
        before = self._versions()
        process = self._start("train", *self._data, *arguments)
        try:
            _, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            _, err = process.communicate()
        if process.returncode == 0:
            return "finished"
        return self._phase(err, self._versions() - before)

    def problem(self, user_id: str, answer: str) -> str:
        """Return what is wrong with the database; empty if the champion answers as before."""
        try:
            if (found := self._query("PRAGMA integrity_check")) != [("ok",)]:
                return f"integrity_check: {found[0][0]}"
            if self.run("recommend", user_id, "--json") != answer:
                return "the champion or its list is another one"
        except (sqlite3.Error, RuntimeError) as error:
            return str(error)
        return ""

    def first_user(self) -> str:
        """Return the id of a user of the stored data set."""
        ((user_id,),) = self._query("SELECT user_id FROM rated_items ORDER BY user_row LIMIT 1")
        return str(user_id)

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "recsys", *arguments],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _versions(self) -> set[tuple[object, ...]]:
        return set(self._query("SELECT id, is_complete FROM models"))

    def _query(self, statement: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self._database)) as connection:
            return connection.execute(statement).fetchall()

    def _phase(self, told: str, new_versions: set[tuple[object, ...]]) -> str:
        """Return how far a killed training had come, by the traces that it left."""
        if new_versions:
            complete = any(is_complete for _, is_complete in new_versions)
            return "the version was stored" if complete else "storing the version"
        for checkpoint in self._folder.glob("checkpoints/*.npz"):
            with np.load(checkpoint, allow_pickle=False) as arrays:
                n_epochs = len(json.loads(str(arrays["state"]))["history"])
            return f"training, epochs finished: {n_epochs}"
        if "training on" in told:
            return "training, epochs finished: 0"
        return "preparing" if told else "starting"


def as_json(measured: Measured) -> str:
    """Return what was measured as one JSON object."""
    return json.dumps(asdict(measured) | {"n_failed": measured.n_failed}, indent=2)


def as_table(measured: Measured) -> str:
    """Return what was measured as a table and a sentence."""
    table = tabulate(
        [
            (number, f"{kill.seconds:.2f}", kill.phase, kill.problem or "intact")
            for number, kill in enumerate(measured.kills, start=1)
        ],
        headers=("kill", "after s", "phase reached", "verdict"),
        disable_numparse=True,
        colalign=("right", "right", "left", "left"),
    )
    return (
        f"{measured.data}: {len(measured.kills)} kills over the {measured.duration:.1f} s of a "
        f"training, seed {measured.seed}\n\n{table}\n\n"
        f"The training afterwards: {measured.last_problem or 'succeeded'}. "
        f"Checks that failed: {measured.n_failed}."
    )


def note(message: str) -> None:
    """Say how far it is, on stderr."""
    print(message, file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the kills; return 0 if the database stood them all, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--data", type=Path, help="ratings to train on; default: the embedded set")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="recsys-kills-") as folder:
        measured = measure(Path(folder), options.data, options.kills, options.seed)
    print((as_json if options.json else as_table)(measured))
    return 1 if measured.n_failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Lets systems train side by side, one epoch each in turn, so that noise falls on all alike."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.shapes import DataSet


@dataclass(frozen=True)
class Entrant:
    """A system with its settings, and the command that trains it."""

    name: str
    n_epochs: int
    command: Sequence[str]
    settings: Mapping[str, Any]
    prints_rmse_apart: bool = False
    """LIBMF's own table has the validation RMSE, on the line after the epoch's."""


@dataclass
class Timed:
    """What a system told.

    Attributes
    ----------
    layout_seconds, closing_seconds : float
        From the ratings in memory to the first epoch, and from the last to the finished model.
    epoch_seconds : list of float
    rmse : list of float
        On the validation part after each epoch; empty if not asked for.
    peak_mib : float
        Largest resident memory of the process.
    n_ratings : int
        That an epoch passes over: in ranking, those that are liked.
    """

    layout_seconds: float = 0.0
    closing_seconds: float = 0.0
    epoch_seconds: list[float] = field(default_factory=list)
    rmse: list[float] = field(default_factory=list)
    peak_mib: float = 0.0
    n_ratings: int = 0

    @property
    def epoch(self) -> float:
        """Median seconds of an epoch; the first warms up and does not count."""
        return median(self.epoch_seconds[1:] or self.epoch_seconds)

    @property
    def rate(self) -> float:
        """Ratings per second."""
        return self.n_ratings / self.epoch

    def training(self, n_epochs: int) -> float:
        """Return the seconds of a whole training, layout and closing counted in."""
        return self.layout_seconds + n_epochs * self.epoch + self.closing_seconds


def ours(
    name: str, folder: Path, settings: Mapping[str, Any], n_threads: int, *, scores: bool = False
) -> Entrant:
    """Return our trainer with these hyperparameters, ``n_epochs`` among them."""
    asked = {"folder": str(folder), "settings": settings, "n_threads": n_threads, "scores": scores}
    command = [sys.executable, "-m", "benchmarks.speed.ours", json.dumps(asked)]
    return Entrant(name, settings["n_epochs"], command, settings)


def libmf(
    program: Path,
    folder: Path,
    settings: Mapping[str, Any],
    n_threads: int,
    *,
    scores: bool = False,
) -> Entrant:
    """Return LIBMF with ``n_epochs``, ``n_factors``, ``lambda`` and ``eta``."""
    data = DataSet.of(folder)
    validation = str(data.validation.folder) if scores else "-"
    arguments = (
        data.train.folder, validation, data.train.n_users, data.train.n_items,
        settings["n_factors"], settings["n_epochs"], n_threads, settings["lambda"], settings["eta"],
    )  # fmt: skip
    command = [str(program), *map(str, arguments)]
    return Entrant("LIBMF", settings["n_epochs"], command, settings, prints_rmse_apart=scores)


def surprise(folder: Path, settings: Mapping[str, Any]) -> Entrant:
    """Return Surprise's SVD, which knows no threads."""
    arguments = str(folder), str(settings["n_factors"]), str(settings["n_epochs"])
    command = [sys.executable, "-m", "benchmarks.speed.surprise_svd", *arguments]
    return Entrant("Surprise SVD", settings["n_epochs"], command, settings)


def race(entrants: Sequence[Entrant]) -> list[Timed]:
    """Return what each system told; one epoch of each takes its turn after another.

    Raises
    ------
    RuntimeError
        If a system ended before it was done.
    """
    with ExitStack() as stack:
        runners = []
        for entrant in entrants:  # one layout after the other
            runners.append(_Runner(entrant, stack))
            runners[-1].hear()
        while any(runner.epochs_left for runner in runners):
            for runner in runners:
                runner.run_epoch()
        for runner in runners:
            runner.hear()
    return [runner.timed for runner in runners]


class _Runner:
    def __init__(self, entrant: Entrant, stack: ExitStack) -> None:
        self._entrant, self.timed = entrant, Timed()
        self.epochs_left = entrant.n_epochs
        self._process = stack.enter_context(
            subprocess.Popen(
                entrant.command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        )
        stack.callback(self._process.kill)

    def run_epoch(self) -> None:
        if not self.epochs_left:
            return
        self.epochs_left -= 1
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self.hear()
        if self._entrant.prints_rmse_apart:
            self.timed.rmse.append(float(self._line().split()[2]))

    def hear(self) -> None:
        """Take note of the next line that is a JSON object."""
        line = self._line()
        while not line.startswith("{"):
            line = self._line()
        for name, value in json.loads(line).items():
            if name == "seconds":
                self.timed.epoch_seconds.append(value)
            elif name == "rmse":
                self.timed.rmse.append(value)
            else:
                setattr(self.timed, name, value)

    def _line(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._entrant.name} ended early: {self._entrant.command}")
        return line

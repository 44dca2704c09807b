"""A checkpoint after each epoch, from which a killed training goes on to the same bits."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from recsys.data import Ratings
from recsys.errors import StoreError
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.trainer import Callback, Epoch, Run


class Checkpoint(Callback):
    """Writes the run's whole state after each epoch, and resumes from it if asked to.

    The file's name is a hash of the training ratings and the hyperparameters, so a checkpoint
    can only be found by the training that it belongs to. It is an npz file without pickled
    objects; it is replaced in one move.

    Parameters
    ----------
    folder : Path
    hyperparameters : Hyperparameters
    resume : bool
        Go on where the last checkpoint left off, if there is one.
    """

    def __init__(self, folder: Path, hyperparameters: Hyperparameters, *, resume: bool) -> None:
        self._folder, self._hyperparameters, self._resume = folder, hyperparameters, resume
        self._path = folder
        self.resumed_epoch = 0
        """How many epochs were not trained again; 0 for a run from the start."""

    def on_start(self, run: Run, train: Ratings) -> None:
        """Find the file, and bring back the state in it."""
        key = json.dumps([train.fingerprint, dict(self._hyperparameters.as_dict())])
        self._path = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
        if self._resume and self._path.exists():
            restore(self._path, run)
            self.resumed_epoch = run.n_epochs

    def on_epoch(self, run: Run) -> None:
        """Replace the file."""
        save(self._path, run)

    def discard(self) -> None:
        """Remove the file: what it led to is stored."""
        self._path.unlink(missing_ok=True)


def save(path: Path, run: Run) -> None:
    """Write the run's state to ``path``: the old file or the new one is there, never half.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    state = {
        "history": [asdict(epoch) for epoch in run.history],
        "rng": run.rng.bit_generator.state,
    }
    arrays: dict[str, Any] = {"state": np.array(json.dumps(state))}
    arrays |= {f"parameter/{name}": array for name, array in run.model.arrays().items()}
    arrays |= {f"optimizer/{name}": array for name, array in run.steps.state().items()}
    arrays |= {f"best/{name}": array for name, array in run.best.items()}
    unfinished = path.with_suffix(".unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise StoreError(
            f"the checkpoint {path} cannot be written: {error.strerror}; make room there, or make "
            "its folder writable"
        ) from None


def restore(path: Path, run: Run) -> None:
    """Bring the state at ``path`` into a run that has just started.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            state = json.loads(str(arrays["state"]))
            for name, parameter in run.model.arrays().items():
                parameter[:] = arrays[f"parameter/{name}"]
            optimizer = {name: arrays[f"optimizer/{name}"] for name in run.steps.state()}
            run.steps.load_state(optimizer)
            if any(name.startswith("best/") for name in arrays):
                run.best = {name: arrays[f"best/{name}"] for name in run.model.arrays()}
    except (
        OSError,
        KeyError,
        ValueError,
        EOFError,
        NotImplementedError,
        zipfile.BadZipFile,
    ) as error:
        raise StoreError(
            f"the checkpoint {path} is damaged ({error}); delete it, or train without --resume"
        ) from error
    run.history = [Epoch(**epoch) for epoch in state["history"]]
    run.rng.bit_generator.state = state["rng"]

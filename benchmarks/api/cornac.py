"""Cornac's Flask server, with a matrix factorisation of the same size on the same ratings."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.serving.service import Server, running
from recsys.data import Ratings


def is_installed() -> bool:
    """Say whether there is a Cornac to compare with."""
    return importlib.util.find_spec("cornac") is not None


def train(ratings: Ratings, n_factors: int, folder: Path) -> Path:
    """Return the folder of a model trained for a moment: its size counts here, not its quality."""
    from cornac.data import Dataset
    from cornac.models import MF

    triples = [
        (ratings.user_ids[user], ratings.item_ids[item], float(value))
        for user, item, value in zip(ratings.users, ratings.items, ratings.values, strict=True)
    ]
    model = MF(k=n_factors, max_iter=3, seed=0).fit(Dataset.from_uir(triples, seed=0))
    return Path(model.save(str(folder), save_trainset=True)).parent


@contextmanager
def served(model: Path, n_workers: int | None) -> Iterator[Server]:
    """Serve a model as Cornac's documentation does, or by gunicorn with so many workers.

    Parameters
    ----------
    model : Path
        From `train`.
    n_workers : int or None
        None for ``flask run``.
    """
    binaries = Path(sys.executable).parent
    if n_workers is None:
        command = [str(binaries / "flask"), "--app", "cornac.serving.app", "run", "--port", "0"]
    else:
        command = [
            *(str(binaries / "gunicorn"), "cornac.serving.app:app", "--bind", "127.0.0.1:0"),
            *("--workers", str(n_workers), "--threads", "4", "--no-control-socket"),
        ]
    environment = os.environ | {
        "MODEL_PATH": str(model),
        "MODEL_CLASS": "cornac.models.MF",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
    with running(command, model, environment) as server:
        yield server


def list_path(user_id: str, limit: int) -> str:
    """Return where a user's list is asked for, without what they rated."""
    return f"/recommend?uid={user_id}&k={limit}&remove_seen=true"

"""What the learning-rate finder saw, kept for the report of the version that is trained after it.

A curve is a file of JSON. Its name is a hash of the ratings and of the settings, so that it is
found by the training that it belongs to, and a newer sweep of the same takes its place.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import StoreError
from recsys.nn.lr_finder import LRCurve

# What a sweep does not use: it has rates of its own, and ends by itself.
_UNUSED = {"lr", "schedule", "n_epochs", "early_stopping"}


def keep_curve(
    folder: Path, curve: LRCurve, data_fingerprint: str, hyperparameters: Mapping[str, Any]
) -> Path:
    """Return the file that a curve is then kept in; the old one or the new, never half.

    Parameters
    ----------
    folder : Path
        Made if there is none.
    curve : LRCurve
    data_fingerprint : str
        `Ratings.fingerprint` of all ratings, held-out ones included.
    hyperparameters : mapping
        `Hyperparameters.as_dict`.
    """
    path = _path(folder, data_fingerprint, hyperparameters)
    content = {
        "data_fingerprint": data_fingerprint,
        "hyperparameters": dict(hyperparameters),
        "suggestion": curve.suggestion,
        "rates": curve.rates.tolist(),
        # A sweep may end in a loss that is not a finite number, which JSON does not know.
        "losses": [_finite(loss) for loss in curve.losses.tolist()],
        "smoothed": [_finite(loss) for loss in curve.smoothed.tolist()],
    }
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(content, allow_nan=False), encoding="utf-8")
    unfinished.replace(path)
    return path


def kept_curve(
    folder: Path, data_fingerprint: str, hyperparameters: Mapping[str, Any]
) -> LRCurve | None:
    """Return the curve of the same ratings and settings; None where the finder did not run.

    Parameters as in `keep_curve`; the rate, its schedule and the epochs may be others.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    path = _path(folder, data_fingerprint, hyperparameters)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rates, losses, smoothed = (
            np.array(content[name], np.float64) for name in ("rates", "losses", "smoothed")
        )
        suggestion = content["suggestion"]
        if not len(rates) or not len(rates) == len(losses) == len(smoothed):
            raise ValueError("its curve is incomplete")
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{path} is damaged ({error}); delete it, or run recsys lr-find again"
        ) from error
    return LRCurve(rates, losses, smoothed, None if suggestion is None else float(suggestion))


def _path(folder: Path, data_fingerprint: str, hyperparameters: Mapping[str, Any]) -> Path:
    used = {name: value for name, value in hyperparameters.items() if name not in _UNUSED}
    key = json.dumps([data_fingerprint, used], sort_keys=True)
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def _finite(loss: float) -> float | None:
    return loss if np.isfinite(loss) else None

"""From ratings to snapshots: what `recsys train` and `recsys evaluate` both call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from recsys.data import Ratings
from recsys.model.snapshot import Snapshot
from recsys.training import kernels
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.trainer import Callback, Run, Trainer


def fit_snapshot(
    train: Ratings,
    hyperparameters: Hyperparameters,
    *,
    validation: Ratings | None = None,
    data_fingerprint: str | None = None,
    callbacks: Sequence[Callback] = (),
    n_threads: int | None = None,
) -> Snapshot:
    """Return the snapshot of the rating objective, trained on ``train``.

    Parameters
    ----------
    train : Ratings
        With values.
    hyperparameters : Hyperparameters
    validation : Ratings, optional
        Watched for early stopping, never trained on; over the same id maps as ``train``.
    data_fingerprint : str, optional
        Of the whole data set, where ``train`` is a part of it.
    callbacks : sequence of Callback
    n_threads : int, optional
        Default: one per core. Never changes a bit of the result.

    Raises
    ------
    DivergenceError
        If the loss is no longer a finite number.
    """
    kernels.use_threads(n_threads, hyperparameters.batch_size)
    run = Trainer(hyperparameters, callbacks).fit(train, validation)
    return to_snapshot(run, train, hyperparameters, data_fingerprint or train.fingerprint)


def to_snapshot(
    run: Run, train: Ratings, hyperparameters: Hyperparameters, data_fingerprint: str
) -> Snapshot:
    """Return a finished run's parameters, frozen, with where they came from."""
    model, kept = run.model, run.history[run.kept_epoch - 1]
    metrics: dict[str, float | None] = {"train_rmse": kept.train_rmse, "kept_epoch": kept.epoch}
    if kept.validation_rmse is not None:
        metrics["validation_rmse"] = kept.validation_rmse
    user_factors, user_bias = model.user_side()
    item_counts = np.bincount(train.items, minlength=train.n_items).astype(np.int32)
    return Snapshot(
        objective="rating",
        items=model.item_side(train.item_ids, item_counts, train.rating_scale),
        user_ids=train.user_ids,
        user_factors=user_factors.astype(np.float32),
        user_bias=user_bias.astype(np.float32),
        hyperparameters=hyperparameters.as_dict(),
        data_fingerprint=data_fingerprint,
        metrics=metrics,
        history=tuple(asdict(epoch) for epoch in run.history),
    )

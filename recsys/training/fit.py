"""From ratings to snapshots: what `recsys train` and `recsys evaluate` both call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from threadpoolctl import threadpool_limits

from recsys.data import Ratings
from recsys.model.item_side import ItemSide
from recsys.model.objective import Array
from recsys.model.snapshot import Snapshot
from recsys.training import kernels
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.newcomers import newcomers_to
from recsys.training.ranking import liked_pairs
from recsys.training.trainer import Callback, Run, Trainer
from recsys.training.units import epoch_in_stars, in_stars, in_units


def fit_snapshot(
    train: Ratings,
    hyperparameters: Hyperparameters,
    *,
    validation: Ratings | None = None,
    data_fingerprint: str | None = None,
    callbacks: Sequence[Callback] = (),
    n_threads: int | None = None,
) -> Snapshot:
    """Return the snapshot of the hyperparameters' objective, trained on ``train``.

    Parameters
    ----------
    train : Ratings
        With values for the objective ``rating``; ``ranking`` learns from what is liked in them
        (`recsys.training.ranking.liked_pairs`).
    hyperparameters : Hyperparameters
    validation : Ratings, optional
        Watched for early stopping, never trained on; over the same id maps as ``train``. The
        objective ``ranking`` runs all its epochs.
    data_fingerprint : str, optional
        Of the whole data set, where ``train`` is a part of it.
    callbacks : sequence of Callback
    n_threads : int, optional
        Default: one per core. Never changes a bit of the result.

    Raises
    ------
    DataError
        If there is nothing for the objective to learn from.
    DivergenceError
        If the loss is no longer a finite number.
    """
    kernels.use_threads(n_threads, hyperparameters.batch_size)
    in_unit, settings = in_units(train, hyperparameters)
    watched = None if validation is None else in_units(validation, hyperparameters)[0]
    trainer = Trainer(settings, callbacks)
    # NumPy's own products are small, and their bits must not depend on the number of cores.
    with threadpool_limits(limits=1, user_api="blas"):
        if settings.objective == "ranking":
            run = trainer.fit(liked_pairs(train))
        else:
            run = trainer.fit(in_unit, watched)
    return to_snapshot(run, train, hyperparameters, data_fingerprint or train.fingerprint)


def to_snapshot(
    run: Run, train: Ratings, hyperparameters: Hyperparameters, data_fingerprint: str
) -> Snapshot:
    """Return a finished run's parameters, frozen, with where they came from."""
    model, unit = run.model, hyperparameters.unit
    history = [epoch_in_stars(epoch, unit) for epoch in run.history]
    kept = history[run.kept_epoch - 1]
    is_ranking = hyperparameters.objective == "ranking"
    metrics: dict[str, float | None] = (
        {"train_loss": kept.train_loss} if is_ranking else {"train_rmse": kept.train_rmse}
    )
    metrics["kept_epoch"] = kept.epoch
    if kept.validation_rmse is not None:
        metrics["validation_rmse"] = kept.validation_rmse
    user_factors, user_bias = model.user_side()
    counts = train.counts_by_item.astype(np.int32)
    items = model.item_side(train.item_ids, counts, train.rating_scale)
    user_mean: Array = np.zeros(user_factors.shape[1])
    if is_ranking:
        user_factors, items, user_mean = _centred(user_factors, items)
    items = replace(items, newcomers=newcomers_to(model, train, hyperparameters, user_mean))
    user_factors, user_bias, items = in_stars(user_factors, user_bias, items, unit)
    return Snapshot(
        objective=hyperparameters.objective,
        items=items,
        user_ids=train.user_ids,
        user_factors=user_factors.astype(np.float32),
        user_bias=user_bias.astype(np.float32),
        hyperparameters=hyperparameters.as_dict(),
        data_fingerprint=data_fingerprint,
        metrics=metrics,
        history=tuple(asdict(epoch) for epoch in history),
    )


def _centred(user_factors: Array, items: ItemSide) -> tuple[Array, ItemSide, Array]:
    """Return the same scores, the mean user's in the item bias, users as their difference to it.

    The mean user comes last. A user of whom nothing liked is known has no embedding, and so gets
    what the mean user likes.
    """
    is_known = np.any(user_factors, axis=1)
    mean = user_factors[is_known].mean(axis=0)
    centred = np.where(is_known[:, np.newaxis], user_factors - mean, 0)
    bias = items.item_factors @ mean.astype(np.float32)
    return centred, replace(items, item_bias=bias), mean

"""From ratings to snapshots: what `recsys train` and `recsys evaluate` both call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from recsys.data import Ratings
from recsys.model.item_side import ItemSide
from recsys.model.objective import Array, Model
from recsys.model.snapshot import Snapshot
from recsys.training import kernels
from recsys.training.averaging import Average, fit_members
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.newcomers import newcomers_to
from recsys.training.ranking import liked_pairs
from recsys.training.trainer import Callback, validation_rmse


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
    # NumPy's own products are small, and their bits must not depend on the number of cores.
    with threadpool_limits(limits=1, user_api="blas"):
        if hyperparameters.objective == "ranking":
            average = fit_members(liked_pairs(train), hyperparameters, callbacks=callbacks)
        else:
            average = fit_members(train, hyperparameters, validation, callbacks)
    fingerprint = data_fingerprint or train.fingerprint
    return to_snapshot(average, train, validation, hyperparameters, fingerprint)


def to_snapshot(
    average: Average,
    train: Ratings,
    validation: Ratings | None,
    hyperparameters: Hyperparameters,
    data_fingerprint: str,
) -> Snapshot:
    """Return the parameters of finished runs, averaged and frozen, with where they came from."""
    model = average.model
    is_ranking = hyperparameters.objective == "ranking"
    metrics = _metrics(average, model, train, validation, is_ranking=is_ranking)
    user_factors, user_bias = model.user_side()
    items = model.item_side(train.item_ids, _count_by_item(train), train.rating_scale)
    user_mean: Array = np.zeros(user_factors.shape[1])
    if is_ranking:
        user_factors, items, user_mean = _centred(user_factors, items)
    items = replace(items, newcomers=newcomers_to(model, train, hyperparameters, user_mean))
    return Snapshot(
        objective=hyperparameters.objective,
        items=items,
        user_ids=train.user_ids,
        user_factors=user_factors.astype(np.float32),
        user_bias=user_bias.astype(np.float32),
        hyperparameters=hyperparameters.as_dict(),
        data_fingerprint=data_fingerprint,
        metrics=metrics,
        history=average.history,
    )


def _metrics(
    average: Average, model: Model, train: Ratings, validation: Ratings | None, *, is_ranking: bool
) -> dict[str, float | None]:
    """Return how the training ended: of an average, as it is asked, not the mean of its members."""
    kept = average.kept
    if len(kept) > 1:
        metrics: dict[str, float | None] = {"train_rmse": validation_rmse(model, train, train)}
        scored = validation_rmse(model, train, validation)
    else:
        loss: dict[str, float | None] = {"train_loss": kept[0].train_loss}
        metrics = loss if is_ranking else {"train_rmse": kept[0].train_rmse}
        scored = kept[0].validation_rmse
    metrics["kept_epoch"] = float(np.mean([epoch.epoch for epoch in kept]))
    return metrics if scored is None else metrics | {"validation_rmse": scored}


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


def _count_by_item(train: Ratings) -> NDArray[np.int32]:
    return np.bincount(train.items, minlength=train.n_items).astype(np.int32)

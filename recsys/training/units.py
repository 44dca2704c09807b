"""Ratings of any scale are trained as if they were stars.

Rates, penalties and the spread of the initial embeddings were chosen for ratings that differ from
their mean by about 1, as those from one to five stars do. Others are divided by a unit before the
training, and what was learned is brought back afterwards.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.data import Ratings
from recsys.model.item_side import Head, ItemSide
from recsys.model.newcomers import Newcomers
from recsys.model.objective import Array
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.trainer import Epoch


def in_units(ratings: Ratings, settings: Hyperparameters) -> tuple[Ratings, Hyperparameters]:
    """Return the ratings divided by their unit, and the settings for them."""
    unit = settings.unit
    if unit == 1 or ratings.values is None:
        return ratings, settings
    if settings.y_range is not None:
        low, high = settings.y_range
        settings = replace(settings, y_range=(low / unit, high / unit))
    return replace(ratings, values=ratings.values / np.float32(unit)), settings


def epoch_in_stars(epoch: Epoch, unit: float) -> Epoch:
    """Return what an epoch came to, in the ratings' own scale."""
    validation_rmse = epoch.validation_rmse
    return replace(
        epoch,
        train_loss=epoch.train_loss * unit**2,
        train_rmse=epoch.train_rmse * unit,
        validation_rmse=None if validation_rmse is None else validation_rmse * unit,
    )


def in_stars(
    user_factors: Array, user_bias: Array, items: ItemSide, unit: float
) -> tuple[Array, Array, ItemSide]:
    """Return both halves of a model whose predictions are multiplied by ``unit``.

    Biases and the mean are multiplied by it, and the embeddings of either side by its root, or in
    their stead the last layer of a network. With a ``y_range`` it is only the range: scores are
    on the logit scale. The penalties by which a newcomer is folded in go along; the rating scale is
    in stars already.
    """
    if unit == 1:
        return user_factors, user_bias, items
    newcomers, head = items.newcomers, items.head
    if items.y_range is not None:
        # In (r - r^)^2 / unit^2 + reg |p|^2, the penalty counts unit^2 times as much.
        stronger = newcomers and replace(
            newcomers, reg=newcomers.reg * unit**2, reg_bias=newcomers.reg_bias * unit**2
        )
        low, high = items.y_range
        items = replace(items, y_range=(low * unit, high * unit), newcomers=stronger)
        return user_factors, user_bias, items
    items = replace(items, global_mean=items.global_mean * unit)
    if head is not None:
        last = np.float32(unit)
        grown = Head(
            (*head.weights[:-1], head.weights[-1] * last),
            (*head.biases[:-1], head.biases[-1] * last),
        )
        return user_factors, user_bias, replace(items, head=grown)
    root = np.float32(np.sqrt(unit))
    items = replace(
        items,
        item_factors=items.item_factors * root,
        item_bias=items.item_bias * np.float32(unit),
        newcomers=newcomers and _newcomers_in_stars(newcomers, unit),
    )
    return user_factors * root, user_bias * unit, items


def _newcomers_in_stars(newcomers: Newcomers, unit: float) -> Newcomers:
    """Return what folds newcomers in, given that the embeddings grow by the root of ``unit``.

    In (r/unit - ...)^2 + reg |p/root|^2, the penalty counts ``unit`` times as much.
    """
    root = np.float32(np.sqrt(unit))
    implicit, bias = newcomers.item_implicit, newcomers.item_implicit_bias
    return replace(
        newcomers,
        reg=newcomers.reg * unit,
        user_mean=newcomers.user_mean * root,
        item_implicit=None if implicit is None else implicit * root,
        item_implicit_bias=None if bias is None else bias * np.float32(unit),
    )

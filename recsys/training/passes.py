from __future__ import annotations

import numpy as np

from recsys.model.embedding_dot_bias import EmbeddingDotBias, Tables
from recsys.training import kernels
from recsys.training.batches import Batch, Batches
from recsys.training.compiled import gradient_buffer


class Passes:
    """The compiled passes over a batch, for steps that move every row.

    Parameters
    ----------
    model : EmbeddingDotBias
    batches : Batches
        All that will be passed over: they decide the size of the buffers.
    """

    def __init__(self, model: EmbeddingDotBias, batches: Batches) -> None:
        low, high = model.y_range or (0.0, 0.0)
        # Penalties are of the parameters, not of the tables that the passes read.
        self._objective = kernels.Objective(
            model.global_mean, model.y_range is not None, low, high, reg=0.0, reg_bias=0.0
        )
        dtype = model.user_bias.dtype
        self._delta = np.empty(max(len(batch.values) for batch in batches.batches), dtype)
        self._user_gradient = gradient_buffer(len(model.user_bias), model.user_factors)
        self._item_gradient = gradient_buffer(len(model.item_bias), model.item_factors)

    def squared_error(self, tables: Tables, batch: Batch) -> tuple[float, Tables]:
        """Return the mean of (r - r^)^2 over a batch, and its gradients by the tables, dense."""
        users = kernels.only_read(tables.user_factors, tables.user_bias)
        items = kernels.only_read(tables.item_factors, tables.item_bias)
        arguments = (batch, users, items, self._objective, self._delta)
        kernels.user_pass(*arguments, self._user_gradient)
        kernels.item_pass(*arguments, self._item_gradient)

        n_users, n_items = len(batch.user_rows), len(batch.item_rows)
        gradients = Tables(*(np.zeros_like(table) for table in tables))
        gradients.user_factors[batch.user_rows] = self._user_gradient.factors[:n_users]
        gradients.item_factors[batch.item_rows] = self._item_gradient.factors[:n_items]
        gradients.user_bias[batch.user_rows] = self._user_gradient.bias[:n_users]
        gradients.item_bias[batch.item_rows] = self._item_gradient.bias[:n_items]
        total = float(self._user_gradient.sums[:n_users, 0].sum())
        return total / len(batch.values), gradients

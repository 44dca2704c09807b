from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.model.embedding_dot_bias import EmbeddingDotBias, Tables
from recsys.model.objective import Array, Penalty
from recsys.training import kernels
from recsys.training.batches import Batch, Batches
from recsys.training.compiled import gradients, make_work, objective_of
from recsys.training.row_kernels import Move, Side


class Passes:
    """The compiled passes over a batch, for steps that move every row.

    Parameters
    ----------
    model : EmbeddingDotBias
    batches : Batches
        All that will be passed over: they decide the size of the buffers.
    """

    def __init__(self, model: EmbeddingDotBias, batches: Batches) -> None:
        # Penalties are of the parameters, not of the tables that the passes read.
        self._objective = objective_of(model, Penalty(0.0, 0.0))
        self._work = make_work(batches, model.user_factors)
        self._gradients = [gradients(n, model.user_factors) for n in batches.largest[1:]]
        self._never_stepped = [
            np.zeros(len(bias), np.int64) for bias in (model.user_bias, model.item_bias)
        ]

    def squared_error(self, tables: Tables, batch: Batch) -> tuple[float, Tables]:
        """Return the mean of (r - r^)^2 over a batch, and its gradients by the tables, dense."""
        steps_of_users, steps_of_items = self._never_stepped
        users = _only_read(tables.user_factors, tables.user_bias, steps_of_users)
        items = _only_read(tables.item_factors, tables.item_bias, steps_of_items)
        of_users, of_items = self._gradients
        of_both = self._objective, self._work
        kernels.user_pass(batch, users, items, *of_both, of_users, _STAYING)
        kernels.item_pass(batch, items, *of_both, of_items, _STAYING)

        n_users, n_items = len(batch.user_rows), len(batch.item_rows)
        dense = Tables(*(np.zeros_like(table) for table in tables))
        dense.user_factors[batch.user_rows] = of_users.factors[:n_users]
        dense.item_factors[batch.item_rows] = of_items.factors[:n_items]
        dense.user_bias[batch.user_rows] = of_users.bias[:n_users]
        dense.item_bias[batch.item_rows] = of_items.bias[:n_items]
        return float(of_users.sums[:, 0].sum()) / len(batch.values), dense


# Nothing moves and nothing glides.
_STAYING = Move(0, 0.0, 0.0, np.inf, False, np.zeros(1), np.zeros(1))


def _only_read(factors: Array, bias: Array, last_step: NDArray[np.int64]) -> Side:
    none = np.empty((0, factors.shape[1]), factors.dtype)
    return Side(factors, bias, none, np.empty(0, bias.dtype), np.ones_like(bias), last_step)

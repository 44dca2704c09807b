from __future__ import annotations

import numpy as np

from recsys.model.embedding_dot_bias import EmbeddingDotBias, Tables
from recsys.model.objective import Array, Loss, Penalty
from recsys.training import kernels
from recsys.training.batches import Batch, Batches
from recsys.training.compiled import gradient_buffer
from recsys.training.steps import DenseSteps


class ImplicitSteps(DenseSteps):
    """Momentum SGD on a model with implicit terms.

    The sums over who rated what reach nearly every row from any batch, so every row is stepped,
    as `DenseSteps` has it. The passes over the ratings are compiled; the sums are four sparse
    products per batch, each of the cost of one look at all training ratings. Batches should
    therefore be few and large.

    Parameters
    ----------
    model : EmbeddingDotBias
        With implicit terms.
    penalty : Penalty
    batches : Batches
        All that will be stepped on: they decide the size of the buffers.
    clip : float, optional
        Largest norm of the gradient: a longer one is scaled down to it.
    implicit_rate : float
        What the learning rate is multiplied by for the implicit terms.
    """

    def __init__(
        self,
        model: EmbeddingDotBias,
        penalty: Penalty,
        batches: Batches,
        clip: float | None = None,
        implicit_rate: float = 1.0,
    ) -> None:
        super().__init__(model, penalty, clip, implicit_rate)
        low, high = model.y_range or (0.0, 0.0)
        # The penalties are those of the parameters, not of the tables that the passes read.
        self._objective = kernels.Objective(
            model.global_mean, model.y_range is not None, low, high, reg=0.0, reg_bias=0.0
        )
        dtype = model.user_bias.dtype
        self._delta = np.empty(max(len(batch.values) for batch in batches.batches), dtype)
        self._user_gradient = gradient_buffer(len(model.user_bias), model.user_factors)
        self._item_gradient = gradient_buffer(len(model.item_bias), model.item_factors)

    def _loss_and_gradients(self, batch: Batch) -> tuple[Loss, dict[str, Array]]:
        tables = self._model.tables()
        users = kernels.only_read(tables.user_factors, tables.user_bias)
        items = kernels.only_read(tables.item_factors, tables.item_bias)
        arguments = (batch, users, items, self._objective, self._delta)
        kernels.user_pass(*arguments, self._user_gradient)
        kernels.item_pass(*arguments, self._item_gradient)

        n_users, n_items = len(batch.user_rows), len(batch.item_rows)
        of_tables = Tables(*(np.zeros_like(table) for table in tables))
        of_tables.user_factors[batch.user_rows] = self._user_gradient.factors[:n_users]
        of_tables.item_factors[batch.item_rows] = self._item_gradient.factors[:n_items]
        of_tables.user_bias[batch.user_rows] = self._user_gradient.bias[:n_users]
        of_tables.item_bias[batch.item_rows] = self._item_gradient.bias[:n_items]
        squared_error = float(self._user_gradient.sums[:n_users, 0].sum()) / len(batch.values)

        ratings = (batch.users, batch.items, self._penalty)
        loss = Loss(squared_error, self._model.penalties(*ratings))
        return loss, self._model.gradients_from_tables(of_tables, *ratings)

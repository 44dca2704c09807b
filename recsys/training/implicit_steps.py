from __future__ import annotations

from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.objective import Array, Loss, Penalty
from recsys.training.batches import Batch, Batches
from recsys.training.passes import Passes
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
        self._passes = Passes(model, batches)

    def _loss_and_gradients(self, batch: Batch) -> tuple[Loss, dict[str, Array]]:
        squared_error, of_tables = self._passes.squared_error(self._model.tables(), batch)
        ratings = (batch.users, batch.items, self._penalty)
        loss = Loss(squared_error, self._model.penalties(*ratings))
        return loss, self._model.gradients_from_tables(of_tables, *ratings)

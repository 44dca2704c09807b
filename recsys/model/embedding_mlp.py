from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from recsys.data import IdMap
from recsys.model.item_side import Head, ItemSide
from recsys.model.objective import Array, Penalty, Rows, TensorLoss
from recsys.nn.initialisers import normal
from recsys.nn.layers import Embedding, Linear, Module, mlp
from recsys.nn.losses import squared_error
from recsys.nn.tensor import Tensor, concatenate, no_grad

_BLOCK = 65_536  # pairs predicted at once, which bounds the memory


def embedding_size(n_rows: int) -> int:
    """Return fast.ai's rule of thumb for the length of an embedding, 1 to 600."""
    return max(1, min(600, round(1.6 * math.pow(n_rows, 0.56))))


class EmbeddingMLP(Module):
    """Predicts a rating from both embeddings, laid end to end, by a neural network.

    Neural collaborative filtering (He et al. 2017): ::

        z  = mu + network([p_u, q_i])
        r^ = z, or low + (high - low) * sigmoid(z) with y_range = (low, high)

    The network has ReLU layers of the widths ``hidden`` and one linear output. It has no biases
    of users and items: the embeddings carry them. ``docs/model.md`` says why lists are better
    left to the dot product.

    Parameters
    ----------
    n_users, n_items : int
    n_user_factors, n_item_factors : int
        Lengths of the embeddings; `embedding_size` is the usual choice.
    hidden : sequence of int
        Widths of the hidden layers.
    dropout : float
        Share of hidden activations dropped in training, in [0, 1).
    global_mean : float
        mu. Fixed, not learned. On the logit scale with ``y_range``.
    y_range : (float, float), optional
        Bounds of the sigmoid, in stars.
    init_std : float
        Embeddings start as N(0, init_std^2), layers as He et al. 2015.
    rng : numpy.random.Generator
        Draws the initial parameters, and in training what is dropped.
    dtype : float32 or float64
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        n_user_factors: int,
        n_item_factors: int,
        hidden: Sequence[int],
        *,
        dropout: float = 0.0,
        global_mean: float = 0.0,
        y_range: tuple[float, float] | None = None,
        init_std: float = 0.01,
        rng: np.random.Generator,
        dtype: np.typing.DTypeLike = np.float32,
    ) -> None:
        self.global_mean, self.y_range = global_mean, y_range
        init = partial(normal, std=init_std)
        self.users = Embedding(n_users, n_user_factors, rng=rng, init=init, dtype=dtype)
        self.items = Embedding(n_items, n_item_factors, rng=rng, init=init, dtype=dtype)
        n_inputs = n_user_factors + n_item_factors
        self.network = mlp(n_inputs, hidden, 1, rng=rng, dropout=dropout, dtype=dtype)

    @property
    def user_factors(self) -> Array:
        """Embeddings of the users, (n_users, n_user_factors)."""
        return self.users.weight.data

    @property
    def item_factors(self) -> Array:
        """Embeddings of the items, (n_items, n_item_factors)."""
        return self.items.weight.data

    def user_side(self) -> tuple[Array, Array]:
        """Return the users' embeddings, and zeros for biases."""
        return self.user_factors, np.zeros(len(self.user_factors), self.user_factors.dtype)

    def arrays(self) -> dict[str, Array]:
        """Return each parameter's own array by name."""
        return {name: tensor.data for name, tensor in self.tensors().items()}

    def tensors(self) -> dict[str, Tensor]:
        """Return the parameters, leaves of the autodiff engine."""
        return self.parameters()

    def predict(self, users: Rows, items: Rows) -> Array:
        """Return the predicted ratings r^ of pairs, (n,), not clipped."""
        predicted = np.empty(len(users), self.user_factors.dtype)
        self.train(False)
        with no_grad():
            for start in range(0, len(users), _BLOCK):
                block = slice(start, start + _BLOCK)
                pairs = self.users(users[block]), self.items(items[block])
                predicted[block] = self._predict(*pairs).data
        self.train()
        return predicted

    def tensor_loss(self, users: Rows, items: Rows, values: Array, penalty: Penalty) -> TensorLoss:
        """Return the objective of a batch, in two parts.

        Mean squared error, not halved, and per rating ``reg * (|p_u|^2 + |q_i|^2)``. The layers'
        weights are not penalised: for them there are dropout and AdamW.
        """
        p, q = self.users(users), self.items(items)
        norms = ((p * p).sum(axis=1) + (q * q).sum(axis=1)) * penalty.reg
        return TensorLoss(squared_error(self._predict(p, q), values), norms.mean())

    def item_side(
        self, item_ids: IdMap, item_counts: NDArray[np.int32], rating_scale: tuple[float, float]
    ) -> ItemSide:
        """Return a float32 copy of the items' embeddings and the network, ready to score."""
        linear = [layer for layer in self.network.layers if isinstance(layer, Linear)]
        return ItemSide(
            item_ids=item_ids,
            item_factors=self.item_factors.astype(np.float32),
            item_bias=np.zeros(len(item_ids), np.float32),
            item_counts=item_counts,
            global_mean=self.global_mean,
            y_range=self.y_range,
            rating_scale=rating_scale,
            head=Head(
                tuple(layer.weight.data.astype(np.float32) for layer in linear),
                tuple(layer.bias.data.astype(np.float32) for layer in linear),
            ),
        )

    def _predict(self, p: Tensor, q: Tensor) -> Tensor:
        z = self.network(concatenate([p, q], axis=1)).reshape(-1) + self.global_mean
        if self.y_range is None:
            return z
        low, high = self.y_range
        return z.sigmoid() * (high - low) + low

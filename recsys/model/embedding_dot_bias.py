from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.data import IdMap
from recsys.model.item_side import ItemSide
from recsys.model.objective import Array, Loss, Penalty, Rows, TensorLoss
from recsys.nn.losses import squared_error
from recsys.nn.tensor import Tensor

NAMES = ("user_factors", "item_factors", "user_bias", "item_bias")


class EmbeddingDotBias:
    """Predicts a rating from an embedding and a bias of the user and of the item.

    In the symbols of ``docs/model.md``, the score and the predicted rating are ::

        z  = mu + b_u + b_i + p_u . q_i
        r^ = z                                        without y_range
        r^ = low + (high - low) * sigmoid(z)          with y_range = (low, high)

    This class is the definition, written to be read. It gives the gradient twice: worked out by
    hand in `gradients`, and left to the autodiff engine by `tensor_loss`. The compiled kernels of
    ``recsys.training`` are the same arithmetic. The tests hold all three to each other.

    Parameters
    ----------
    n_users, n_items, n_factors : int
        Numbers of rows, and the length of an embedding.
    global_mean : float
        mu. Fixed, not learned. On the logit scale with ``y_range``.
    y_range : (float, float), optional
        Bounds of the sigmoid, in stars.
    init_std : float
        Embeddings start as N(0, init_std^2); biases start at zero.
    rng : numpy.random.Generator
        Draws the initial embeddings.
    dtype : float32 or float64

    Attributes
    ----------
    user_factors : (n_users, n_factors)
    item_factors : (n_items, n_factors)
    user_bias : (n_users,)
    item_bias : (n_items,)
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        n_factors: int,
        *,
        global_mean: float = 0.0,
        y_range: tuple[float, float] | None = None,
        init_std: float = 0.01,
        rng: np.random.Generator,
        dtype: np.typing.DTypeLike = np.float32,
    ) -> None:
        self.global_mean = global_mean
        self.y_range = y_range
        # Drawn in float64 whatever the dtype, so that both precisions start from the same place.
        self.user_factors: Array = rng.normal(0, init_std, (n_users, n_factors)).astype(dtype)
        self.item_factors: Array = rng.normal(0, init_std, (n_items, n_factors)).astype(dtype)
        self.user_bias: Array = np.zeros(n_users, dtype)
        self.item_bias: Array = np.zeros(n_items, dtype)

        # Leaves of the engine that share the arrays above.
        self._tensors = {name: Tensor(array) for name, array in self.arrays().items()}

    def arrays(self) -> dict[str, Array]:
        """Return each parameter's own array by name."""
        return {name: getattr(self, name) for name in NAMES}

    def tensors(self) -> dict[str, Tensor]:
        """Return the same arrays as leaves of the autodiff engine."""
        return self._tensors

    def predict(self, users: Rows, items: Rows) -> Array:
        """Return the predicted ratings r^ of pairs, not clipped.

        Parameters
        ----------
        users, items : (n,) int

        Returns
        -------
        (n,) of the model's dtype, stars
        """
        return self._link(self._scores(users, items))[0]

    def loss(self, users: Rows, items: Rows, values: Array, penalty: Penalty) -> Loss:
        """Return the objective of a batch.

        It is the mean over the batch's ratings, nothing halved, of ::

            (r - r^)^2 + reg * (|p_u|^2 + |q_i|^2) + reg_bias * (b_u^2 + b_i^2)

        so that a row is penalised once for each of its ratings.
        """
        error = self.predict(users, items) - values
        p, q = self.user_factors[users], self.item_factors[items]
        b_u, b_i = self.user_bias[users], self.item_bias[items]
        norms = penalty.reg * ((p**2).sum(axis=1) + (q**2).sum(axis=1))
        norms += penalty.reg_bias * (b_u**2 + b_i**2)
        return Loss(float(np.mean(error**2)), float(np.mean(norms)))

    def gradients(
        self, users: Rows, items: Rows, values: Array, penalty: Penalty
    ) -> dict[str, Array]:
        """Return the gradient of `loss`'s two parts together, one dense array per parameter.

        Parameters
        ----------
        users, items : (batch_size,) int
        values : (batch_size,) float, stars

        Notes
        -----
        With B ratings in the batch and dr^/dz = (high - low) s (1 - s), or 1 without a range ::

            delta = 2/B (r^ - r) dr^/dz                       dloss/dz
            dp_u  = sum over the user's ratings of delta q_i + 2/B reg p_u
            dq_i  = sum over the item's ratings of delta p_u + 2/B reg q_i
            db    = sum of delta + 2/B reg_bias b
        """
        p, q = self.user_factors[users], self.item_factors[items]
        prediction, slope = self._link(self._scores(users, items))
        scale = 2 / len(values)
        delta = scale * (prediction - values) * slope
        reg, reg_bias = scale * penalty.reg, scale * penalty.reg_bias

        gradient = {name: np.zeros_like(array) for name, array in self.arrays().items()}
        # add.at, not +=: a user or item that occurs twice in the batch counts twice.
        np.add.at(gradient["user_factors"], users, delta[:, None] * q + reg * p)
        np.add.at(gradient["item_factors"], items, delta[:, None] * p + reg * q)
        np.add.at(gradient["user_bias"], users, delta + reg_bias * self.user_bias[users])
        np.add.at(gradient["item_bias"], items, delta + reg_bias * self.item_bias[items])
        return gradient

    def tensor_loss(self, users: Rows, items: Rows, values: Array, penalty: Penalty) -> TensorLoss:
        """Return `loss` computed by the autodiff engine, which then knows the gradients."""
        tensors = self.tensors()
        p, q = tensors["user_factors"].gather(users), tensors["item_factors"].gather(items)
        b_u, b_i = tensors["user_bias"].gather(users), tensors["item_bias"].gather(items)
        prediction = (p * q).sum(axis=1) + b_u + b_i + self.global_mean
        if self.y_range is not None:
            low, high = self.y_range
            prediction = prediction.sigmoid() * (high - low) + low
        norms = ((p * p).sum(axis=1) + (q * q).sum(axis=1)) * penalty.reg
        norms = norms + (b_u * b_u + b_i * b_i) * penalty.reg_bias
        return TensorLoss(squared_error(prediction, values), norms.mean())

    def item_side(
        self, item_ids: IdMap, item_counts: NDArray[np.int32], rating_scale: tuple[float, float]
    ) -> ItemSide:
        """Return a float32 copy of the items' parameters, ready to score (see `ItemSide`)."""
        return ItemSide(
            item_ids=item_ids,
            item_factors=self.item_factors.astype(np.float32),
            item_bias=self.item_bias.astype(np.float32),
            item_counts=item_counts,
            global_mean=self.global_mean,
            y_range=self.y_range,
            rating_scale=rating_scale,
        )

    def _scores(self, users: Rows, items: Rows) -> Array:
        dot: Array = (self.user_factors[users] * self.item_factors[items]).sum(axis=1)
        return self.global_mean + self.user_bias[users] + self.item_bias[items] + dot

    def _link(self, z: Array) -> tuple[Array, Array | float]:
        """Return r^ and dr^/dz."""
        if self.y_range is None:
            return z, 1.0
        low, high = self.y_range
        s = (1 + np.tanh(z / 2)) / 2  # the sigmoid, in a form that does not overflow
        return low + (high - low) * s, (high - low) * s * (1 - s)

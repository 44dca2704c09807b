from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.data import IdMap
from recsys.model.aligned import aligned, aligned_zeros
from recsys.model.implicit import WhoRatedWhat
from recsys.model.item_side import ItemSide
from recsys.model.objective import Array, Loss, Penalty, RatingCounts, Rows, TensorLoss
from recsys.nn.losses import squared_error
from recsys.nn.tensor import Tensor

NAMES = ("user_factors", "item_factors", "user_bias", "item_bias")
IMPLICIT_NAMES = ("user_implicit", "item_implicit", "user_implicit_bias", "item_implicit_bias")


class Tables(NamedTuple):
    """What a prediction looks up; also the loss's gradients with respect to it."""

    user_factors: Array
    """(n_users, n_factors)"""
    item_factors: Array
    """(n_items, n_factors)"""
    user_bias: Array
    """(n_users,)"""
    item_bias: Array
    """(n_items,)"""


class EmbeddingDotBias:
    """Predicts a rating from an embedding and a bias of the user and of the item.

    In the symbols of ``docs/model.md``, the score and the predicted rating are ::

        z  = mu + b_u + b_i + p_u . q_i
        r^ = z                                        without y_range
        r^ = low + (high - low) * sigmoid(z)          with y_range = (low, high)

    With implicit terms, who rated what adds to both sides before they meet ::

        p_u + |N(u)|^(-1/2) * sum over the items j that u rated of y_j          b_u likewise
        q_i + |N(i)|^(-1/2) * sum over the users v who rated i of x_v           b_i likewise

    so that there is still one vector and one bias per user and per item (`tables`).

    This class is the definition, written to be read. It gives the gradient twice: worked out by
    hand in `gradients`, and left to the autodiff engine by `tensor_loss`. The compiled steps of
    ``recsys.training`` are the same arithmetic. The tests hold all three to each other.

    Parameters
    ----------
    n_users, n_items, n_factors : int
        Numbers of rows, and the length of an embedding.
    global_mean : float
        mu. Fixed, not learned. On the logit scale with ``y_range``.
    y_range : (float, float), optional
        Bounds of the sigmoid, in stars.
    init_std : float or (float, float)
        Embeddings start as N(0, init_std^2), users' and items' alike or each as said; everything
        else starts at zero.
    rng : numpy.random.Generator
        Draws the initial embeddings.
    dtype : float32 or float64
    who_rated_what : WhoRatedWhat, optional
        Adds the implicit terms.
    rating_counts : RatingCounts, optional
        Of the training ratings; a penalty with ``n_prior`` asks for them.

    Attributes
    ----------
    user_factors, item_factors : (n_users, n_factors), (n_items, n_factors)
        p and q, before any implicit sum.
    user_bias, item_bias : (n_users,), (n_items,)
    user_implicit, item_implicit : as the factors
        x and y; only with implicit terms.
    user_implicit_bias, item_implicit_bias : as the biases

    References
    ----------
    Koren 2008, "Factorization meets the neighborhood", eq. 15 (SVD++), for the users' sum.
    """

    def __init__(
        self,
        n_users: int,
        n_items: int,
        n_factors: int,
        *,
        global_mean: float = 0.0,
        y_range: tuple[float, float] | None = None,
        init_std: float | tuple[float, float] = 0.01,
        rng: np.random.Generator,
        dtype: np.typing.DTypeLike = np.float32,
        who_rated_what: WhoRatedWhat | None = None,
        rating_counts: RatingCounts | None = None,
    ) -> None:
        self.global_mean = global_mean
        self.y_range = y_range
        self.who_rated_what = who_rated_what
        self._rating_counts = rating_counts
        of_users, of_items = init_std if isinstance(init_std, tuple) else (init_std, init_std)
        self.user_factors: Array = _drawn(rng, of_users, (n_users, n_factors), dtype)
        self.item_factors: Array = _drawn(rng, of_items, (n_items, n_factors), dtype)
        self.user_bias: Array = np.zeros(n_users, dtype)
        self.item_bias: Array = np.zeros(n_items, dtype)
        if who_rated_what is not None:
            self.user_implicit: Array = np.zeros_like(self.user_factors)
            self.item_implicit: Array = np.zeros_like(self.item_factors)
            self.user_implicit_bias: Array = np.zeros_like(self.user_bias)
            self.item_implicit_bias: Array = np.zeros_like(self.item_bias)
        # Leaves of the engine that share the arrays above.
        self._tensors = {name: Tensor(array) for name, array in self.arrays().items()}

    def arrays(self) -> dict[str, Array]:
        """Return each parameter's own array by name."""
        names = NAMES if self.who_rated_what is None else NAMES + IMPLICIT_NAMES
        return {name: getattr(self, name) for name in names}

    def tensors(self) -> dict[str, Tensor]:
        """Return the same arrays as leaves of the autodiff engine."""
        return self._tensors

    def tables(self) -> Tables:
        """Return what a prediction looks up: embeddings and biases, implicit sums added."""
        if self.who_rated_what is None:
            return Tables(self.user_factors, self.item_factors, self.user_bias, self.item_bias)
        by_user, by_item = self.who_rated_what.by_user, self.who_rated_what.by_item
        return Tables(
            self.user_factors + by_user @ self.item_implicit,
            self.item_factors + by_item @ self.user_implicit,
            self.user_bias + by_user @ self.item_implicit_bias,
            self.item_bias + by_item @ self.user_implicit_bias,
        )

    def predict(self, users: Rows, items: Rows) -> Array:
        """Return the predicted ratings r^ of pairs, not clipped.

        Parameters
        ----------
        users, items : (n,) int

        Returns
        -------
        (n,) of the model's dtype, stars
        """
        return self._link(self._scores(self.tables(), users, items))[0]

    def loss(self, users: Rows, items: Rows, values: Array, penalty: Penalty) -> Loss:
        """Return the objective of a batch.

        It is the mean over the batch's ratings, nothing halved, of ::

            (r - r^)^2 + reg (|p_u|^2 + |q_i|^2) + reg_bias (b_u^2 + b_i^2)

        and with implicit terms also of ::

            reg_implicit (|x_u|^2 + |y_i|^2 + the squares of their biases)

        so that a row is penalised once for each of its ratings. With ``n_prior``, the penalties
        of a row that has n training ratings are ``(n + n_prior) / n`` times these: over an epoch
        it is penalised for ``n_prior`` more.
        """
        error = self.predict(users, items) - values
        return Loss(float(np.mean(error**2)), self.penalties(users, items, penalty))

    def penalties(self, users: Rows, items: Rows, penalty: Penalty) -> float:
        """Return the second part of `loss`: the mean of a batch's penalties."""
        total = sum(
            strength * np.dot(counts, (array**2).reshape(len(array), -1).sum(axis=1))
            for _, array, strength, counts in self._penalised(users, items, penalty)
        )
        return float(total / len(users))

    def penalty_weights(self, penalty: Penalty) -> tuple[Array, Array]:
        """Return how often a rating counts in the penalties of its user and of its item.

        Returns
        -------
        (n_users,), (n_items,) float64
        """
        if not penalty.n_prior:
            return np.ones(len(self.user_bias)), np.ones(len(self.item_bias))
        if self._rating_counts is None:
            raise ValueError("a penalty with n_prior, but the model was not told rating_counts")
        return self._rating_counts.penalty_weights(penalty.n_prior)

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

        What the implicit vectors get of this, `gradients_from_tables` says.
        """
        tables = self.tables()
        prediction, slope = self._link(self._scores(tables, users, items))
        delta = 2 / len(values) * (prediction - values) * slope
        of_tables = Tables(*(np.zeros_like(table) for table in tables))
        # add.at, not +=: a user or item that occurs twice in the batch counts twice.
        np.add.at(of_tables.user_factors, users, delta[:, None] * tables.item_factors[items])
        np.add.at(of_tables.item_factors, items, delta[:, None] * tables.user_factors[users])
        np.add.at(of_tables.user_bias, users, delta)
        np.add.at(of_tables.item_bias, items, delta)
        return self.gradients_from_tables(of_tables, users, items, penalty)

    def gradients_from_tables(
        self, of_tables: Tables, users: Rows, items: Rows, penalty: Penalty
    ) -> dict[str, Array]:
        """Return the parameters' gradients, given those of the squared error by the tables.

        A sum hands its gradient to each of its terms ::

            dy_j = sum over the users u who rated j of |N(u)|^(-1/2) dp_u
            dx_v = sum over the items i that v rated of |N(i)|^(-1/2) dq_i

        and the penalty of a row with c ratings in the batch adds 2/B c reg w, times
        (n + n_prior) / n with ``n_prior``.
        """
        gradient = of_tables._asdict()
        if self.who_rated_what is not None:
            to_items = self.who_rated_what.by_user_transposed
            to_users = self.who_rated_what.by_item_transposed
            gradient |= {
                "user_implicit": to_users @ of_tables.item_factors,
                "item_implicit": to_items @ of_tables.user_factors,
                "user_implicit_bias": to_users @ of_tables.item_bias,
                "item_implicit_bias": to_items @ of_tables.user_bias,
            }
        for name, array, strength, counts in self._penalised(users, items, penalty):
            weight = (2 / len(users) * strength * counts).astype(array.dtype)
            gradient[name] = gradient[name] + (weight * array.T).T
        return gradient

    def tensor_loss(self, users: Rows, items: Rows, values: Array, penalty: Penalty) -> TensorLoss:
        """Return `loss` computed by the autodiff engine, which then knows the gradients."""
        own = self.tensors()
        rows = {name: users if name.startswith("user") else items for name in own}
        read = {name: tensor.gather(rows[name]) for name, tensor in own.items()}
        p, q = read["user_factors"], read["item_factors"]
        b = read["user_bias"] + read["item_bias"]
        if self.who_rated_what is not None:
            # Dense on purpose: a product with constants is all that the engine has to know.
            of_users = Tensor(self.who_rated_what.by_user.toarray()[users], False)
            of_items = Tensor(self.who_rated_what.by_item.toarray()[items], False)
            p = p + of_users @ own["item_implicit"]
            q = q + of_items @ own["user_implicit"]
            b = b + of_users @ own["item_implicit_bias"] + of_items @ own["user_implicit_bias"]
        prediction = (p * q).sum(axis=1) + b + self.global_mean
        if self.y_range is not None:
            low, high = self.y_range
            prediction = prediction.sigmoid() * (high - low) + low
        user_weights, item_weights = (w.astype(p.data.dtype) for w in self.penalty_weights(penalty))
        penalties = []
        for name, of_batch in read.items():
            weights = user_weights[users] if name.startswith("user") else item_weights[items]
            weighted = (of_batch**2).T * Tensor(weights, False)
            penalties.append(weighted.sum() * _strength(name, penalty))
        total = sum(penalties[1:], start=penalties[0])
        return TensorLoss(squared_error(prediction, values), total * (1 / len(values)))

    def user_side(self) -> tuple[Array, Array]:
        """Return the users' embeddings and biases, implicit sums added."""
        tables = self.tables()
        return tables.user_factors, tables.user_bias

    def item_side(
        self, item_ids: IdMap, item_counts: NDArray[np.int32], rating_scale: tuple[float, float]
    ) -> ItemSide:
        """Return a float32 copy of the items' half, implicit sums added (see `ItemSide`)."""
        tables = self.tables()
        return ItemSide(
            item_ids=item_ids,
            item_factors=tables.item_factors.astype(np.float32),
            item_bias=tables.item_bias.astype(np.float32),
            item_counts=item_counts,
            global_mean=self.global_mean,
            y_range=self.y_range,
            rating_scale=rating_scale,
        )

    def _scores(self, tables: Tables, users: Rows, items: Rows) -> Array:
        dot: Array = (tables.user_factors[users] * tables.item_factors[items]).sum(axis=1)
        return self.global_mean + tables.user_bias[users] + tables.item_bias[items] + dot

    def _link(self, z: Array) -> tuple[Array, Array | float]:
        """Return r^ and dr^/dz."""
        if self.y_range is None:
            return z, 1.0
        low, high = self.y_range
        s = (1 + np.tanh(z / 2)) / 2  # the sigmoid, in a form that does not overflow
        return low + (high - low) * s, (high - low) * s * (1 - s)

    def _penalised(
        self, users: Rows, items: Rows, penalty: Penalty
    ) -> Iterator[tuple[str, Array, float, Array]]:
        """Yield name, array, strength of its penalty, and how often each row is penalised."""
        of_users, of_items = self.penalty_weights(penalty)
        of_users = of_users * np.bincount(users, minlength=len(of_users))
        of_items = of_items * np.bincount(items, minlength=len(of_items))
        for name, array in self.arrays().items():
            weights = of_users if name.startswith("user") else of_items
            yield name, array, _strength(name, penalty), weights


def _drawn(
    rng: np.random.Generator, std: float, shape: tuple[int, int], dtype: np.typing.DTypeLike
) -> Array:
    if std == 0:
        return aligned_zeros(shape, dtype)
    # In float64 whatever the dtype, so that both precisions start from the same place.
    return aligned(rng.normal(0, std, shape), dtype)


def _strength(name: str, penalty: Penalty) -> float:
    """Return how strongly a parameter is penalised."""
    if name in IMPLICIT_NAMES:
        return penalty.reg_implicit
    return penalty.reg if name.endswith("factors") else penalty.reg_bias

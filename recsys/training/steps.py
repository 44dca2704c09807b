"""What the training loop asks of an optimizer, and two answers that are written to be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from recsys.model.embedding_dot_bias import IMPLICIT_NAMES, EmbeddingDotBias
from recsys.model.objective import Array, Loss, Model, Penalty
from recsys.nn.clip import clip_by_global_norm, global_norm
from recsys.nn.optimizers import OPTIMIZERS, make_optimizer
from recsys.training.batches import Batch

Rates = NDArray[np.float64]


class Step(NamedTuple):
    """What one step saw before it moved."""

    squared_error: float
    """Mean over the batch, stars squared, not halved."""
    penalty: float
    """Mean over the batch."""
    gradient_norm: float
    """Of all gradients as one long vector, before clipping."""


class Steps(Protocol):
    """Moves a model's parameters, in place, one mini-batch at a time."""

    def begin_epoch(self, lr: Rates, momentum: Rates) -> None:
        """Take the learning rate and the momentum of each step of the epoch, (n_batches,)."""

    def step(self, batch: Batch) -> Step:
        """Step once."""

    def end_epoch(self) -> None:
        """Bring every parameter up to date, so that the model may be read."""

    def state(self) -> Mapping[str, Array]:
        """Return, between epochs, all that is remembered besides the parameters."""

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Write what `state` returned back."""


class DenseSteps:
    """The definition of momentum SGD: dense gradients worked out by hand, everything stepped.

    For every parameter ``v = momentum * v + gradient; w -= lr * v`` (heavy ball, Polyak 1964:
    the gradient is not damped by ``1 - momentum``), so a row that a batch leaves untouched keeps
    gliding on its velocity.

    Parameters
    ----------
    model : EmbeddingDotBias
    penalty : Penalty
    clip : float, optional
        Largest norm of the gradient: a longer one is scaled down to it.
    implicit_rate : float
        What the learning rate is multiplied by for the implicit terms.
    row_limit : float, optional
        A row that has more ratings than this in a batch has its gradient scaled down to so many.
    """

    def __init__(
        self,
        model: EmbeddingDotBias,
        penalty: Penalty,
        clip: float | None = None,
        implicit_rate: float = 1.0,
        row_limit: float | None = None,
    ) -> None:
        self._model, self._penalty, self._clip = model, penalty, clip
        self._implicit_rate, self._row_limit = implicit_rate, row_limit
        self._velocity = {name: np.zeros_like(array) for name, array in model.arrays().items()}

    def begin_epoch(self, lr: Rates, momentum: Rates) -> None:
        """See `Steps`."""
        self._plan = iter(zip(lr, momentum, strict=True))

    def step(self, batch: Batch) -> Step:
        """See `Steps`."""
        lr, momentum = next(self._plan)
        loss, gradients = self._loss_and_gradients(batch)
        norm = float(np.sqrt(sum(np.sum(gradient**2) for gradient in gradients.values())))
        scale = clip_scale(norm, self._clip)
        for name, parameter in self._model.arrays().items():
            rate = float(lr) * (self._implicit_rate if name in IMPLICIT_NAMES else 1.0)
            velocity = self._velocity[name]
            velocity *= float(momentum)
            velocity += scale * gradients[name]
            parameter -= rate * velocity
        return Step(*loss, norm)

    def _loss_and_gradients(self, batch: Batch) -> tuple[Loss, dict[str, Array]]:
        ratings = (batch.users, batch.items, batch.values, self._penalty)
        gradients = self._model.gradients(*ratings)
        if self._row_limit is not None:
            for name, gradient in gradients.items():
                rows = batch.users if name.startswith("user") else batch.items
                counts = np.bincount(rows, minlength=len(gradient))
                limited = np.minimum(1, self._row_limit / np.maximum(counts, 1))
                gradients[name] = (limited.astype(gradient.dtype) * gradient.T).T
        return self._model.loss(*ratings), gradients

    def end_epoch(self) -> None:
        """See `Steps`."""

    def state(self) -> Mapping[str, Array]:
        """See `Steps`."""
        return self._velocity

    def load_state(self, state: Mapping[str, Array]) -> None:
        """See `Steps`."""
        for name, velocity in self._velocity.items():
            velocity[...] = state[name]


class EngineSteps:
    """Gradients from the autodiff engine, and any of its optimizers.

    Parameters
    ----------
    model : Model
    penalty : Penalty
    optimizer : str
        A name of `recsys.nn.optimizers.OPTIMIZERS`.
    clip : float, optional
        Largest norm of the gradient: a longer one is scaled down to it.
    """

    def __init__(
        self, model: Model, penalty: Penalty, optimizer: str, clip: float | None = None
    ) -> None:
        self._model, self._penalty, self._clip = model, penalty, clip
        self._tensors = model.tensors()
        self._optimizer = make_optimizer(optimizer, self._tensors, lr=0.0)
        self._momentum_name = momentum_name(optimizer)

    def begin_epoch(self, lr: Rates, momentum: Rates) -> None:
        """See `Steps`."""
        self._plan = iter(zip(lr, momentum, strict=True))

    def step(self, batch: Batch) -> Step:
        """See `Steps`."""
        self._optimizer.lr, momentum = next(self._plan)
        if self._momentum_name:
            setattr(self._optimizer, self._momentum_name, momentum)
        self._optimizer.zero_grad()
        loss = self._model.tensor_loss(batch.users, batch.items, batch.values, self._penalty)
        (loss.squared_error + loss.penalty).backward()
        norm = (
            global_norm(self._tensors)
            if self._clip is None
            else clip_by_global_norm(self._tensors, self._clip)
        )
        self._optimizer.step()
        return Step(loss.squared_error.item(), loss.penalty.item(), norm)

    def end_epoch(self) -> None:
        """See `Steps`."""
        for tensor in self._tensors.values():
            _ = tensor.data  # reading brings rows that still glide up to date

    def state(self) -> Mapping[str, Array]:
        """See `Steps`."""
        return self._optimizer.state()

    def load_state(self, state: Mapping[str, Array]) -> None:
        """See `Steps`."""
        self._optimizer.load_state(state)


def momentum_name(optimizer: str) -> str | None:
    """Return what an optimizer calls its momentum: beta1 in Adam's family, None without one."""
    known = OPTIMIZERS[optimizer].__dataclass_fields__
    return next((name for name in ("momentum", "beta1") if name in known), None)


def clip_scale(norm: float, clip: float | None) -> float:
    """Return what a gradient of this norm is multiplied by, so that it is not above ``clip``."""
    return 1.0 if clip is None or norm <= clip else clip / norm

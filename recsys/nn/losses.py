"""Losses: one number, the mean over the batch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from recsys.errors import UsageError
from recsys.nn.rows import Floats, Gradient
from recsys.nn.tensor import Operand, Tensor, as_tensor, operation


def squared_error(predictions: Tensor, targets: Operand, *, halved: bool = False) -> Tensor:
    """Return the mean of (r^ - r)^2, not halved: its gradient is 2 (r^ - r) / n.

    With ``halved`` half of it, as textbooks have it: the gradient is then (r^ - r) / n.
    """
    _same_shape(predictions, targets)
    loss = ((predictions - targets) ** 2).mean()
    return loss * 0.5 if halved else loss


def huber(predictions: Tensor, targets: Operand, *, delta: float = 1.0) -> Tensor:
    """Return the mean of e^2/2 where |e| <= delta, and of delta (|e| - delta/2) beyond.

    One wild target then pulls no harder than ``delta``. It is the loss for that: clipping the
    error itself would stop its gradient altogether.
    """
    _same_shape(predictions, targets)
    error = predictions - targets
    clipped = error.clip(-delta, delta)
    return (clipped * (error - clipped * 0.5)).mean()


def binary_cross_entropy(logits: Tensor, targets: Operand) -> Tensor:
    """Return the mean of -y log p - (1 - y) log(1 - p), p = sigmoid(z), in nats.

    As softplus(z) - y z, which neither overflows nor takes the logarithm of zero. Its gradient
    is (p - y) / n. In decimal logarithms, divide by log 10.

    ``logits`` are the scores z before the sigmoid, ``targets`` the labels y in [0, 1].
    """
    _same_shape(logits, targets)
    return (logits.softplus() - logits * targets).mean()


def softmax_cross_entropy(logits: Tensor, labels: NDArray[np.integer]) -> Tensor:
    """Return the mean of -log softmax(f)_y, in nats: negative log likelihood of the class.

    ``logits`` (n, n_classes) are the scores f before the softmax, ``labels`` (n,) int the classes.
    """
    labels = np.asarray(labels)
    n, n_classes = logits.shape
    if labels.shape != (n,) or (n and not 0 <= labels.min() <= labels.max() < n_classes):
        raise UsageError(f"labels {labels.shape}; allowed: ({n},) of 0 to {n_classes - 1}")
    each = np.arange(n)
    log_p = logits.log_softmax().data

    def backward(grad: Floats) -> tuple[Gradient, ...]:
        # dL/df_k = p_k - 1[k = y]
        p = np.exp(log_p)
        p[each, labels] -= 1
        return (grad * p / n,)

    return operation(-log_p[each, labels].mean(), (logits,), backward)


def l2(parameters: Iterable[Tensor], reg: float) -> Tensor:
    """Return ``reg`` times the sum of squares, not halved: its gradient is 2 reg w.

    Added to the loss, this is L2 regularisation. Weight decay, an optimizer's, takes lr * decay * w
    off the parameters instead. For plain SGD both are the same where decay = 2 reg; for Adam they
    are not, as this gradient then goes through its scaling.
    """
    return as_tensor(sum((parameter**2).sum() for parameter in parameters)) * reg


def _same_shape(predictions: Tensor, targets: Operand) -> None:
    shape = targets.shape if isinstance(targets, Tensor) else np.shape(targets)
    if shape != predictions.shape:
        # Broadcasting (n, 1) against (n,) would make n^2 errors of n, and no noise about it.
        raise UsageError(f"predictions have shape {predictions.shape}, targets {shape}")

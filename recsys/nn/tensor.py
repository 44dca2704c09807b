"""Reverse-mode automatic differentiation: each operation's backward rule stands beside it.

An operation computes its result and leaves behind a function ``backward(grad)``, which takes the
gradient of the final scalar with respect to the result and returns that with respect to each
operand. `Tensor.backward` calls these functions from the end to the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recsys.nn.rows import Floats, Gradient, RowGradient

Backward = Callable[[Floats], tuple[Gradient, ...]]
Axis = int | tuple[int, ...] | None

_recording: ContextVar[bool] = ContextVar("recording", default=True)


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without remembering how, as predictions want it."""
    token = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(token)


class Tensor:
    """An array that knows how it was computed.

    Parameters
    ----------
    data : array_like
        Kept as it is, not copied, if float32 or float64; anything else becomes float64.
    requires_grad : bool
        Whether `backward` shall leave a gradient here. Plain numbers and arrays that meet a
        tensor in an operation are constants.

    Attributes
    ----------
    grad : ndarray, RowGradient or None
        What `backward` has added up so far; kept by leaves only, which no operation made.
    """

    __slots__ = ("_backward", "_data", "_parents", "before_read", "grad", "requires_grad")
    __array_ufunc__ = None  # array * tensor is the tensor's business

    def __init__(self, data: ArrayLike, requires_grad: bool = True) -> None:
        array = np.asarray(data)
        if array.dtype not in (np.float32, np.float64):
            array = array.astype(np.float64)
        self._data: Floats = array
        self.grad: Gradient | None = None
        self.requires_grad = requires_grad
        self._parents: tuple[Tensor, ...] = ()
        self._backward: Backward | None = None
        # Set by optimizers that owe some rows an update: called with the rows, None for all.
        self.before_read: Callable[[NDArray[np.integer] | None], None] | None = None

    @property
    def data(self) -> Floats:
        """The array itself."""
        if self.before_read is not None:
            self.before_read(None)
        return self._data

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return self._data.shape

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Its type, float32 or float64."""
        return self._data.dtype

    def item(self) -> float:
        """Return the only entry as a number."""
        return float(self.data.item())

    def __repr__(self) -> str:
        return f"Tensor({np.array2string(self.data, threshold=20, separator=', ')})"

    # Going backward

    def backward(self, grad: ArrayLike | None = None) -> None:
        """Add the gradient of this tensor to ``grad`` of every leaf it was computed from.

        What arrives here is ``grad``, of this tensor's shape; 1, if this is a scalar. Raises
        ValueError if it does not fit, or nothing here wants a gradient.
        """
        if not self.requires_grad:
            raise ValueError("backward from a constant: nothing here depends on a parameter")
        if grad is None and self._data.size != 1:
            raise ValueError(f"backward needs a scalar or a gradient; the shape is {self.shape}")
        start = np.ones_like(self._data) if grad is None else np.asarray(grad, self.dtype)
        if start.shape != self.shape:
            raise ValueError(f"the gradient has shape {start.shape}, the tensor {self.shape}")
        arrived: dict[int, Gradient] = {id(self): start}
        for node in reversed(_topological_order(self)):
            gradient = arrived.pop(id(node))
            if node._backward is None:
                own = gradient if isinstance(gradient, RowGradient) else np.array(gradient)
                node.grad = _add(node.grad, own)
                continue
            if isinstance(gradient, RowGradient):
                gradient = gradient.dense()
            for parent, part in zip(node._parents, node._backward(gradient), strict=True):
                if parent.requires_grad:
                    # A node that is used twice gets the sum of what comes back.
                    arrived[id(parent)] = _add(arrived.get(id(parent)), _fit(part, parent))

    # Arithmetic, with NumPy's broadcasting

    def __add__(self, other: Operand) -> Tensor:
        other = as_tensor(other, self.dtype)
        return operation(self.data + other.data, (self, other), lambda grad: (grad, grad))

    def __neg__(self) -> Tensor:
        return operation(-self.data, (self,), lambda grad: (-grad,))

    def __sub__(self, other: Operand) -> Tensor:
        return self + -as_tensor(other, self.dtype)

    def __mul__(self, other: Operand) -> Tensor:
        other = as_tensor(other, self.dtype)
        a, b = self.data, other.data
        return operation(a * b, (self, other), lambda grad: (grad * b, grad * a))

    def __truediv__(self, other: Operand) -> Tensor:
        other = as_tensor(other, self.dtype)
        a, b = self.data, other.data
        return operation(a / b, (self, other), lambda grad: (grad / b, -grad * a / b**2))

    def __pow__(self, k: float) -> Tensor:
        x = self.data
        return operation(x**k, (self,), lambda grad: (grad * k * x ** (k - 1),))

    def __matmul__(self, other: Operand) -> Tensor:
        other = as_tensor(other, self.dtype)
        a, b = self.data, other.data

        def backward(grad: Floats) -> tuple[Gradient, ...]:
            # A vector counts as one row on the left, as one column on the right.
            rows, columns = np.atleast_2d(a), b[:, None] if b.ndim == 1 else b
            grad = grad[..., None] if b.ndim == 1 else grad
            grad = grad[..., None, :] if a.ndim == 1 else grad
            grad_a, grad_b = grad @ columns.swapaxes(-1, -2), rows.swapaxes(-1, -2) @ grad
            return grad_a, grad_b[..., 0] if b.ndim == 1 else grad_b

        return operation(a @ b, (self, other), backward)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Operand) -> Tensor:
        return as_tensor(other, self.dtype) - self

    def __rtruediv__(self, other: Operand) -> Tensor:
        return as_tensor(other, self.dtype) / self

    def __rmatmul__(self, other: Operand) -> Tensor:
        return as_tensor(other, self.dtype) @ self

    # Sums

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the sum over ``axis``, over everything by default."""

        def backward(grad: Floats) -> tuple[Gradient, ...]:
            if axis is not None and not keepdims:
                grad = np.expand_dims(grad, axis)
            return (np.broadcast_to(grad, self.shape),)

        return operation(np.sum(self.data, axis=axis, keepdims=keepdims), (self,), backward)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the mean over ``axis``, over everything by default."""
        total = self.sum(axis, keepdims)
        return total * (total._data.size / self._data.size)

    # Functions of each entry

    def exp(self) -> Tensor:
        """Return e to the power of each entry."""
        y = np.exp(self.data)
        return operation(y, (self,), lambda grad: (grad * y,))

    def log(self) -> Tensor:
        """Return the natural logarithm of each entry."""
        x = self.data
        return operation(np.log(x), (self,), lambda grad: (grad / x,))

    def relu(self) -> Tensor:
        """Return max(0, x); its slope at 0 is taken as 0."""
        x = self.data
        return operation(np.maximum(x, 0), (self,), lambda grad: (grad * (x > 0),))

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent, slope 1 - y^2."""
        y = np.tanh(self.data)
        return operation(y, (self,), lambda grad: (grad * (1 - y * y),))

    def sigmoid(self) -> Tensor:
        """Return 1 / (1 + exp(-x)), slope y (1 - y), which is never above 1/4."""
        y = stable_sigmoid(self.data)
        return operation(y, (self,), lambda grad: (grad * y * (1 - y),))

    def softplus(self) -> Tensor:
        """Return log(1 + exp(x)), which is -log sigmoid(-x); slope sigmoid(x)."""
        x = self.data
        y = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))  # no exp of a large number
        return operation(y, (self,), lambda grad: (grad * stable_sigmoid(x),))

    def clip(self, low: float, high: float) -> Tensor:
        """Return min(max(x, low), high); nothing flows back where the bound was taken."""
        x = self.data
        inside = (x >= low) & (x <= high)
        return operation(np.clip(x, low, high), (self,), lambda grad: (grad * inside,))

    # Functions of a row

    def softmax(self, axis: int = -1) -> Tensor:
        """Return p = exp(x) over its sum along ``axis``; dp_i/dx_j = p_i (1[i=j] - p_j)."""
        return self.log_softmax(axis).exp()

    def log_softmax(self, axis: int = -1) -> Tensor:
        """Return the logarithm of `softmax`, without losing digits on the way."""
        # The softmax does not change when a constant is taken off all: take off the largest.
        shifted = self.data - self.data.max(axis=axis, keepdims=True)
        y = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
        p = np.exp(y)
        return operation(y, (self,), lambda grad: (grad - p * grad.sum(axis, keepdims=True),))

    # Shape and selection

    def gather(self, rows: NDArray[np.integer]) -> Tensor:
        """Return the chosen rows, ``rows.shape + self.shape[1:]``: an embedding's lookup.

        It is the product of one-hot rows with this table, without the multiplications by zero.
        Backward, each output row is added to the table row it came from (`RowGradient`).
        Raises IndexError for a row that is negative or not in the table.
        """
        rows, n = np.asarray(rows), self.shape[0]
        if rows.size and not 0 <= rows.min() <= rows.max() < n:
            raise IndexError(f"rows {rows.min()} to {rows.max()}; allowed: 0 to {n - 1}")
        if self.before_read is not None:
            self.before_read(rows.ravel())

        def backward(grad: Floats) -> tuple[Gradient, ...]:
            values = grad.reshape(rows.size, *self.shape[1:])
            return (RowGradient(rows.ravel(), values, self.shape),)

        return operation(self._data[rows], (self,), backward)

    def reshape(self, *shape: int) -> Tensor:
        """Return the same entries in another shape; one extent may be -1."""
        y = self.data.reshape(shape)
        return operation(y, (self,), lambda grad: (grad.reshape(self.shape),))

    @property
    def T(self) -> Tensor:  # noqa: N802 - NumPy's name
        """The transpose: all axes in reverse order."""
        return operation(self.data.T, (self,), lambda grad: (grad.T,))


Operand = Tensor | ArrayLike


def concatenate(tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
    """Return the tensors joined along ``axis``; backward, each gets its own piece back."""
    ends = np.cumsum([tensor.shape[axis] for tensor in tensors])[:-1]

    def backward(grad: Floats) -> tuple[Gradient, ...]:
        return tuple(np.split(grad, ends, axis=axis))

    joined = np.concatenate([tensor.data for tensor in tensors], axis=axis)
    return operation(joined, tuple(tensors), backward)


def operation(data: Floats, operands: tuple[Tensor, ...], backward: Backward) -> Tensor:
    """Return the tensor ``data`` that remembers its operands and its backward rule.

    ``backward`` takes the gradient with respect to ``data`` and returns one per operand. Where an
    operand was broadcast, its gradient may have the broadcast shape: `Tensor.backward` sums.
    """
    recorded = _recording.get() and any(operand.requires_grad for operand in operands)
    result = Tensor(data, requires_grad=recorded)
    if recorded:
        result._parents, result._backward = operands, backward
    return result


def as_tensor(value: Operand, dtype: Any = None) -> Tensor:
    """Return ``value`` if it is a tensor, else a constant of type ``dtype``.

    Constants take the type of the tensor they meet, so that float32 stays float32.
    """
    return value if isinstance(value, Tensor) else Tensor(np.asarray(value, dtype), False)


def stable_sigmoid(x: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)) without overflow: the exponent is never positive."""
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1, e) / (1 + e))


def _topological_order(end: Tensor) -> list[Tensor]:
    """Return all tensors that ``end`` was computed from, operands before results."""
    order: list[Tensor] = []
    seen: set[int] = set()
    stack = [(end, False)]  # instead of recursion: a graph may be as deep as memory allows
    while stack:
        node, operands_done = stack.pop()
        if operands_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent in node._parents if parent.requires_grad)
    return order


def _add(total: Gradient | None, part: Gradient) -> Gradient:
    return part if total is None else total + part


def _fit(grad: Gradient, tensor: Tensor) -> Gradient:
    """Return ``grad`` in the tensor's shape and type: summed where the tensor was broadcast."""
    if isinstance(grad, RowGradient):
        return grad
    if grad.shape != tensor.shape:
        added = grad.ndim - len(tensor.shape)
        stretched = [added + i for i, n in enumerate(tensor.shape) if n == 1]
        grad = np.sum(grad, axis=(*range(added), *stretched)).reshape(tensor.shape)
    return np.asarray(grad, tensor.dtype)

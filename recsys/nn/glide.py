from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recsys.nn.rows import Floats
from recsys.nn.tensor import Tensor

# Steps after which all rows are brought up to date, so that the log below stays short.
_LOG_LENGTH = 1000


class Glide:
    """Momentum for rows that a step left without gradient, paid when they are next read.

    Under momentum such a row still moves: v *= m; w -= lr v. From step s to step t that is

        w -= v Q,  v *= R,   R = m_{s+1} ... m_t,   Q = sum over i of lr_i m_{s+1} ... m_i

    and Q and R depend on s alone, not on the row. One step adds to all of them: R *= m; Q += lr R.

    Whoever reads the table ``weight`` from now on gets rows that are up to date. ``velocity`` has
    its shape.
    """

    def __init__(self, weight: Tensor, velocity: Floats) -> None:
        self._weight, self._velocity = weight.data, velocity
        self._n_steps = 0  # in the log
        self._settled_at = np.zeros(len(velocity), dtype=np.int32)
        self._left = np.ones(_LOG_LENGTH + 1)  # R for each s
        self._reach = np.zeros(_LOG_LENGTH + 1)  # Q for each s
        weight.before_read = self.settle

    def settle(self, rows: NDArray[np.integer] | None) -> None:
        """Bring ``rows``, by default all, to the last step recorded. Repeated rows do no harm."""
        if rows is None:
            rows = np.flatnonzero(self._settled_at < self._n_steps)
        since = self._settled_at[rows]
        late = since < self._n_steps
        rows, since = rows[late], since[late]
        column = (-1, *[1] * (self._velocity.ndim - 1))
        self._weight[rows] -= self._reach[since].reshape(column) * self._velocity[rows]
        self._velocity[rows] *= self._left[since].reshape(column)
        self._settled_at[rows] = self._n_steps

    def record(self, stepped: NDArray[np.integer], lr: float, momentum: float) -> None:
        """Take note of a step that moved only the rows ``stepped``, which had been settled."""
        self._n_steps += 1
        before = slice(0, self._n_steps)
        self._left[before] *= momentum
        self._reach[before] += lr * self._left[before]
        self._settled_at[stepped] = self._n_steps
        if self._n_steps == _LOG_LENGTH:
            self.settle(None)
            self._n_steps = 0
            self._settled_at[:] = 0
            self._left[:], self._reach[:] = 1, 0

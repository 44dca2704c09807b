from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class EarlyStopping:
    """Where the search for the lowest metric stands; frozen, `observe` returns the next.

    ``monitor.improved`` says: keep a copy of the weights now. ``monitor.should_stop`` says: end,
    and bring that copy back.

    Parameters
    ----------
    patience : int
        Epochs without improvement that are put up with; one more stops.
    min_delta : float
        The metric improves if it falls by more than this.
    best, best_epoch, n_epochs
        The lowest metric so far, its epoch counted from 0, and the epochs observed.
    """

    patience: int = 3
    min_delta: float = 0.0
    best: float = math.inf
    best_epoch: int = -1
    n_epochs: int = 0

    def observe(self, metric: float) -> EarlyStopping:
        """Return the state after an epoch with ``metric``, such as the validation loss."""
        epoch, after = self.n_epochs, replace(self, n_epochs=self.n_epochs + 1)
        if metric < self.best - self.min_delta:  # never for NaN
            after = replace(after, best=metric, best_epoch=epoch)
        return after

    @property
    def improved(self) -> bool:
        """Whether the last epoch was the best."""
        return 0 <= self.best_epoch == self.n_epochs - 1

    @property
    def should_stop(self) -> bool:
        """Whether patience is used up."""
        return self.n_epochs - 1 - self.best_epoch > self.patience

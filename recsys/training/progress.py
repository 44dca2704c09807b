from __future__ import annotations

import sys
from contextlib import ExitStack

from tqdm import tqdm

from recsys.data import Ratings
from recsys.training.trainer import Callback, Run


class ProgressBar(Callback):
    """A line on stderr: epochs, loss, validation RMSE, ratings per second, remaining time.

    Where stderr is not a terminal, nothing is drawn.

    Parameters
    ----------
    n_epochs : int
        Epochs asked for, of each member.
    n_members : int
        Trainings that are averaged; each has a line in turn, which says which one it is.
    """

    def __init__(self, n_epochs: int, n_members: int = 1) -> None:
        self._n_epochs, self._n_members, self._member = n_epochs, n_members, 1
        self._open = ExitStack()

    def on_member(self, member: int) -> None:
        """Take note of which one the next line is of."""
        self._member = member

    def on_start(self, run: Run, train: Ratings) -> None:
        """Open the line."""
        of_members = f" {self._member}/{self._n_members}" if self._n_members > 1 else ""
        bar = tqdm(
            total=self._n_epochs * train.n_ratings,
            initial=run.n_epochs * train.n_ratings,
            desc=f"training{of_members}",
            unit=" ratings",
            unit_scale=True,
            disable=None,
            dynamic_ncols=True,
            leave=False,
            file=sys.stderr,
        )
        self._bar = self._open.enter_context(bar)

    def on_batch(self, run: Run, n_ratings: int) -> None:
        """Move on."""
        self._bar.update(n_ratings)

    def on_epoch(self, run: Run) -> None:
        """Show what the epoch came to."""
        last = run.history[-1]
        shown = {"epoch": f"{last.epoch}/{self._n_epochs}", "loss": f"{last.train_loss:.4f}"}
        if last.validation_rmse is not None:
            shown["rmse"] = f"{last.validation_rmse:.4f}"
        self._bar.set_postfix(shown)

    def on_end(self, run: Run) -> None:
        """Close the line."""
        self.close()

    def close(self) -> None:
        """Close the line of a training that may have failed, so that its error stands alone."""
        self._open.close()

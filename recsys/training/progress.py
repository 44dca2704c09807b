from __future__ import annotations

import sys
from contextlib import ExitStack

from tqdm import tqdm

from recsys.data import Ratings
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.trainer import Callback, Run
from recsys.training.units import epoch_in_stars

_LOOK = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}, {rate_fmt}{postfix}"


class ProgressBar(Callback):
    """A line on stderr: epoch, remaining time, ratings per second, loss, validation RMSE.

    It fits 80 columns.

    Where stderr is not a terminal, nothing is drawn.

    Parameters
    ----------
    hyperparameters : Hyperparameters
        Of the training.
    """

    def __init__(self, hyperparameters: Hyperparameters) -> None:
        self._n_epochs, self._unit = hyperparameters.n_epochs, hyperparameters.unit
        self._open = ExitStack()

    def on_start(self, run: Run, train: Ratings) -> None:
        """Open the line."""
        bar = tqdm(
            total=self._n_epochs * train.n_ratings,
            initial=run.n_epochs * train.n_ratings,
            desc=self._epoch(run),
            bar_format=_LOOK,
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
        last = epoch_in_stars(run.history[-1], self._unit)
        shown = {"loss": f"{last.train_loss:.4f}"}
        if last.validation_rmse is not None:
            shown["rmse"] = f"{last.validation_rmse:.4f}"
        self._bar.set_description_str(self._epoch(run), refresh=False)
        self._bar.set_postfix(shown)

    def on_end(self, run: Run) -> None:
        """Close the line."""
        self.close()

    def close(self) -> None:
        """Close the line of a training that may have failed, so that its error stands alone."""
        self._open.close()

    def _epoch(self, run: Run) -> str:
        return f"epoch {min(run.n_epochs + 1, self._n_epochs)}/{self._n_epochs}"

"""The training loop. `Trainer.fit` is the file's first function and the one to read first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from recsys.data import Ratings
from recsys.errors import DivergenceError
from recsys.model.objective import Array, Model
from recsys.nn.early_stopping import EarlyStopping
from recsys.nn.schedules import Schedule
from recsys.training.batches import Batches
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.setup import cut_batches, initial_model, make_steps
from recsys.training.steps import Steps


class Trainer:
    """Fits a model by mini-batch gradient descent.

    Parameters
    ----------
    hyperparameters : Hyperparameters
        Which model and optimizer, and their settings.
    callbacks : sequence of Callback
        Told of every batch and every epoch: progress, checkpoints.
    make_steps : callable
        Makes the optimizer. Default: what the hyperparameters say, compiled where it can be.
    """

    def __init__(
        self,
        hyperparameters: Hyperparameters,
        callbacks: Sequence[Callback] = (),
        make_steps: Callable[[Model, Batches, Hyperparameters], Steps] = make_steps,
    ) -> None:
        self.hyperparameters = hyperparameters
        self.callbacks = callbacks
        self.make_steps = make_steps

    @np.errstate(over="ignore", invalid="ignore")  # what is no longer finite is looked for below
    def fit(self, train: Ratings, validation: Ratings | None = None) -> Run:
        """Return the finished run: the trained model and its history.

        Parameters
        ----------
        train : Ratings
            With values.
        validation : Ratings, optional
            Scored after each epoch, never trained on; over the same id maps as ``train``.

        Raises
        ------
        DivergenceError
            If the loss or a parameter is no longer a finite number.
        """
        settings = self.hyperparameters
        rng = np.random.default_rng(settings.seed)
        model = initial_model(train, settings, rng)
        batches = cut_batches(train, settings, rng)
        steps = self.make_steps(model, batches, settings)
        n_steps = settings.n_epochs * len(batches)

        run = Run(model, steps, rng)
        for callback in self.callbacks:
            callback.on_start(run, train)
        while not run.is_finished(settings):
            started = time.perf_counter()
            schedule = run.schedule(settings)
            at = run.n_epochs * len(batches) + np.arange(len(batches))
            lrs = schedule.lr(at, n_steps)

            steps.begin_epoch(lrs, schedule.momentum(at, n_steps, settings.momentum))
            squared_error = penalty = gradient_norm = 0.0
            for batch, lr in zip(batches.epoch(rng), lrs, strict=True):
                seen = steps.step(batch)
                if not np.isfinite(seen.squared_error + seen.penalty):
                    raise DivergenceError(settings.objective, run.n_epochs + 1, float(lr))
                squared_error += seen.squared_error * len(batch.values) / train.n_ratings
                penalty += seen.penalty * len(batch.values) / train.n_ratings
                gradient_norm += seen.gradient_norm / len(batches)
                for callback in self.callbacks:
                    callback.on_batch(run, len(batch.values))
            steps.end_epoch()

            epoch = Epoch(
                epoch=run.n_epochs + 1,
                lr=float(lrs.mean()),
                train_loss=squared_error + penalty,
                train_rmse=squared_error**0.5,
                gradient_norm=gradient_norm,
                validation_rmse=validation_rmse(model, train, validation),
                seconds=time.perf_counter() - started,
            )
            run.end_epoch(epoch, settings)
            for callback in self.callbacks:
                callback.on_epoch(run)

        run.keep_best()
        for callback in self.callbacks:
            callback.on_end(run)
        return run


def validation_rmse(model: Model, train: Ratings, validation: Ratings | None) -> float | None:
    """Return the RMSE of predictions clipped to the training scale; None without ratings."""
    if validation is None or validation.values is None or not validation.n_ratings:
        return None
    squared_error = 0.0
    for start in range(0, validation.n_ratings, _BLOCK):
        block = slice(start, start + _BLOCK)
        predicted = model.predict(validation.users[block], validation.items[block])
        error = np.clip(predicted, *train.rating_scale) - validation.values[block]
        squared_error += float(np.sum(error.astype(np.float64) ** 2))
    return float(np.sqrt(squared_error / validation.n_ratings))


_BLOCK = 65_536  # ratings scored at once, which bounds the memory


@dataclass(frozen=True)
class Epoch:
    """What one pass over the ratings came to."""

    epoch: int
    """Counted from 1."""
    lr: float
    """Mean learning rate over the epoch's steps."""
    train_loss: float
    """The objective, penalties included, averaged while the parameters moved."""
    train_rmse: float
    """Root of its first part, stars."""
    gradient_norm: float
    """Mean over the epoch's batches, before clipping."""
    validation_rmse: float | None
    """Stars; None without validation ratings."""
    seconds: float

    def watched(self, metric: Literal["loss", "gradient_norm"]) -> float:
        """Return what an adaptive schedule answers to; the loss is that of validation, if any."""
        if metric == "gradient_norm":
            return self.gradient_norm
        return self.train_loss if self.validation_rmse is None else self.validation_rmse


@dataclass(eq=False)
class Run:
    """A training under way, or finished: what `Trainer.fit` returns.

    Attributes
    ----------
    model : Model
        Up to date at the end of each epoch.
    steps : Steps
        The optimizer, with what it remembers.
    rng : numpy.random.Generator
        Draws everything random.
    history : list of Epoch
    best : dict of arrays
        Copies of the parameters after `best_epoch`, if early stopping watches them.
    """

    model: Model
    steps: Steps
    rng: np.random.Generator
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, Array] = field(default_factory=dict)

    @property
    def n_epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    @property
    def best_epoch(self) -> int | None:
        """The epoch of the lowest validation RMSE, counted from 1; None where there is none."""
        scored = [
            (e.validation_rmse, e.epoch) for e in self.history if e.validation_rmse is not None
        ]
        return min(scored)[1] if scored else None

    @property
    def kept_epoch(self) -> int:
        """The epoch whose parameters the finished model has, counted from 1."""
        return (self.best_epoch if self.best else None) or self.n_epochs

    def schedule(self, settings: Hyperparameters) -> Schedule:
        """Return the schedule, having seen the epochs so far if it is one that watches them."""
        schedule = settings.make_schedule()
        for epoch in self.history:
            if schedule.watches is not None:
                schedule = schedule.observe(epoch.watched(schedule.watches))
        return schedule

    def monitor(self, settings: Hyperparameters) -> EarlyStopping:
        """Return where early stopping stands, having seen the epochs so far."""
        # Stopping after N epochs without improvement puts up with one less.
        monitor = EarlyStopping(patience=max(settings.early_stopping - 1, 0))
        for epoch in self.history:
            if epoch.validation_rmse is not None:
                monitor = monitor.observe(epoch.validation_rmse)
        return monitor

    def is_finished(self, settings: Hyperparameters) -> bool:
        """Say whether all epochs are done, or early stopping has waited long enough."""
        has_waited = settings.early_stopping > 0 and self.monitor(settings).should_stop
        return self.n_epochs >= settings.n_epochs or has_waited

    def end_epoch(self, epoch: Epoch, settings: Hyperparameters) -> None:
        """Take note of an epoch, and of the parameters if they are the best so far."""
        if not all(np.isfinite(array).all() for array in self.model.arrays().values()):
            raise DivergenceError(settings.objective, epoch.epoch, epoch.lr)
        self.history.append(epoch)
        if settings.early_stopping and self.monitor(settings).improved:
            self.best = {name: array.copy() for name, array in self.model.arrays().items()}

    def keep_best(self) -> None:
        """Bring the best epoch's parameters back."""
        for name, array in self.model.arrays().items():
            if name in self.best:
                array[:] = self.best[name]


class Callback:
    """Something that watches a training; every method may be left as it is."""

    def on_start(self, run: Run, train: Ratings) -> None:
        """Before the first epoch."""

    def on_batch(self, run: Run, n_ratings: int) -> None:
        """After each step, on ``n_ratings`` ratings."""

    def on_epoch(self, run: Run) -> None:
        """After each epoch, with the model up to date."""

    def on_end(self, run: Run) -> None:
        """After the last epoch, with the kept parameters."""

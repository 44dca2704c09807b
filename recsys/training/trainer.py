"""The training loop. `Trainer.fit` is the file's first function and the one to read first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from recsys.data import Ratings
from recsys.errors import DataError, DivergenceError, UsageError
from recsys.model.embedding_dot_bias import Array, EmbeddingDotBias, Name, Penalty
from recsys.training.batches import Batches
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.steps import CompiledSteps, Steps


class Trainer:
    """Fits `EmbeddingDotBias` by mini-batch momentum SGD.

    Parameters
    ----------
    hyperparameters : Hyperparameters
    callbacks : sequence of Callback
        Told of every batch and every epoch: progress, checkpoints.
    make_steps : callable
        `CompiledSteps`, or `DenseSteps` for the definition in NumPy.
    """

    def __init__(
        self,
        hyperparameters: Hyperparameters,
        callbacks: Sequence[Callback] = (),
        make_steps: Callable[[EmbeddingDotBias, Batches, Penalty], Steps] = CompiledSteps,
    ) -> None:
        self.hyperparameters = hyperparameters
        self.callbacks = callbacks
        self.make_steps = make_steps

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
            If the loss is no longer a finite number.
        """
        settings = self.hyperparameters
        model_rng, batch_rng = np.random.default_rng(settings.seed).spawn(2)
        model = initial_model(train, settings, model_rng)
        batches = Batches.cut(train, settings.batch_size, batch_rng, settings.dtype)
        steps = self.make_steps(model, batches, settings.penalty)
        schedule, n_steps = settings.make_schedule(), settings.n_epochs * len(batches)

        run = Run(model, steps, batch_rng)
        for callback in self.callbacks:
            callback.on_start(run, train)
        while not run.is_finished(settings):
            started = time.perf_counter()
            at = run.n_epochs * len(batches) + np.arange(len(batches))
            lrs = schedule.lr(at, n_steps)
            momenta = schedule.momentum(at, n_steps, settings.momentum)

            steps.begin_epoch(lrs, momenta)
            squared_error = penalty = 0.0
            for batch, lr in zip(batches.epoch(batch_rng), lrs, strict=True):
                loss = steps.step(batch)
                if not np.isfinite(sum(loss)):
                    raise DivergenceError(run.n_epochs + 1, float(lr))
                share = len(batch.values) / train.n_ratings
                squared_error += loss.squared_error * share
                penalty += loss.penalty * share
                for callback in self.callbacks:
                    callback.on_batch(run, len(batch.values))
            steps.end_epoch()

            epoch = Epoch(
                epoch=run.n_epochs + 1,
                lr=float(lrs.mean()),
                train_loss=squared_error + penalty,
                train_rmse=squared_error**0.5,
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


def initial_model(
    train: Ratings, settings: Hyperparameters, rng: np.random.Generator
) -> EmbeddingDotBias:
    """Return the model before its first step.

    The global mean is that of the training ratings. Rows of users and items that have none are
    zero and stay so: the model says nothing about them.
    """
    if train.values is None:
        raise DataError(
            "implicit feedback cannot train the rating objective",
            path=train.name,
            allowed="a file with a rating column",
        )
    global_mean = float(train.values.mean(dtype=np.float64))
    if settings.y_range is not None:
        low, high = settings.y_range
        if not low < global_mean < high:
            raise UsageError(
                f"y_range is {low:g} to {high:g}, but the mean rating is {global_mean:g}; "
                "allowed: a range that holds the ratings, such as slightly more than their scale"
            )
        share = (global_mean - low) / (high - low)
        global_mean = float(np.log(share / (1 - share)))
    model = EmbeddingDotBias(
        train.n_users,
        train.n_items,
        settings.n_factors,
        global_mean=global_mean,
        y_range=settings.y_range,
        init_std=settings.init_std,
        rng=rng,
        dtype=settings.dtype,
    )
    model.user_factors[np.bincount(train.users, minlength=train.n_users) == 0] = 0
    model.item_factors[np.bincount(train.items, minlength=train.n_items) == 0] = 0
    return model


def validation_rmse(
    model: EmbeddingDotBias, train: Ratings, validation: Ratings | None
) -> float | None:
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
    validation_rmse: float | None
    """Stars; None without validation ratings."""
    seconds: float


@dataclass(eq=False)
class Run:
    """A training under way, or finished: what `Trainer.fit` returns.

    Attributes
    ----------
    model : EmbeddingDotBias
        Up to date at the end of each epoch.
    steps : Steps
        Holds the velocities.
    rng : numpy.random.Generator
        Draws the order of the batches.
    history : list of Epoch
    best : dict of arrays
        Copies of the parameters after `best_epoch`, if early stopping watches them.
    """

    model: EmbeddingDotBias
    steps: Steps
    rng: np.random.Generator
    history: list[Epoch] = field(default_factory=list)
    best: dict[Name, Array] = field(default_factory=dict)

    @property
    def n_epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    @property
    def best_epoch(self) -> int | None:
        """The epoch of the lowest validation RMSE, counted from 1; None where there is none."""
        scored = [(e.validation_rmse, e.epoch) for e in self.history if e.validation_rmse]
        return min(scored)[1] if scored else None

    @property
    def kept_epoch(self) -> int:
        """The epoch whose parameters the finished model has, counted from 1."""
        return (self.best_epoch if self.best else None) or self.n_epochs

    def is_finished(self, settings: Hyperparameters) -> bool:
        """Say whether all epochs are done, or early stopping has waited long enough."""
        waited = self.n_epochs - (self.best_epoch or self.n_epochs)
        patience = settings.early_stopping or settings.n_epochs
        return self.n_epochs >= settings.n_epochs or waited >= patience

    def end_epoch(self, epoch: Epoch, settings: Hyperparameters) -> None:
        """Take note of an epoch, and of the parameters if they are the best so far."""
        if not all(np.isfinite(array).all() for _, array in self.model.parameters()):
            raise DivergenceError(epoch.epoch, epoch.lr)
        self.history.append(epoch)
        if settings.early_stopping and self.best_epoch == epoch.epoch:
            self.best = {name: array.copy() for name, array in self.model.parameters()}

    def keep_best(self) -> None:
        """Bring the best epoch's parameters back."""
        for name, array in self.model.parameters():
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

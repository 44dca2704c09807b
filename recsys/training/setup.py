"""From hyperparameters to a model before its first step, and the optimizer that will move it."""

from __future__ import annotations

import numpy as np

from recsys.data import Ratings
from recsys.errors import DataError, UsageError
from recsys.model.embedding_dot_bias import EmbeddingDotBias
from recsys.model.embedding_mlp import EmbeddingMLP
from recsys.model.objective import Model, RatingCounts
from recsys.training.batches import Batches, run_length
from recsys.training.compiled import CompiledSteps
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.implicit_steps import ImplicitSteps
from recsys.training.ranking import AllPairs, RankingSteps
from recsys.training.rating_defaults import who_rated_what
from recsys.training.steps import EngineSteps, Steps


def initial_model(train: Ratings, settings: Hyperparameters, rng: np.random.Generator) -> Model:
    """Return the model before its first step.

    The global mean is that of the training ratings, and zero in ranking. Rows of users and items
    that have no ratings are zero and stay so: the model says nothing about them. In the plain
    dot product all users start at zero: their first gradients then are those of a regression on
    the random item embeddings, undisturbed by random products, which saves an epoch.

    Raises
    ------
    DataError
        If the ratings have no values.
    UsageError
        If ``y_range`` does not hold their mean.
    """
    n_user_factors, n_item_factors = settings.embedding_sizes(train)
    counts = RatingCounts.of(train)
    is_rating = settings.objective == "rating"
    is_plain = is_rating and not settings.implicit
    global_mean = _global_mean(train, settings.y_range) if is_rating else 0.0
    model: Model
    if settings.model == "dot":
        model = EmbeddingDotBias(
            train.n_users,
            train.n_items,
            n_item_factors,
            global_mean=global_mean,
            y_range=settings.y_range,
            init_std=(0.0, settings.init_std) if is_plain else settings.init_std,
            rng=rng,
            dtype=settings.dtype,
            who_rated_what=who_rated_what(train, settings.dtype) if settings.implicit else None,
            rating_counts=counts,
        )
    else:
        model = EmbeddingMLP(
            train.n_users,
            train.n_items,
            n_user_factors,
            n_item_factors,
            settings.hidden,
            dropout=settings.dropout,
            global_mean=global_mean,
            y_range=settings.y_range,
            init_std=settings.init_std,
            rng=rng,
            dtype=settings.dtype,
        )
    model.user_factors[counts.users == 0] = 0
    model.item_factors[counts.items == 0] = 0
    return model


def cut_batches(train: Ratings, settings: Hyperparameters, rng: np.random.Generator) -> Batches:
    """Return the mini-batches, laid out so that the rows of each stay in cache."""
    run = 1
    if settings.model == "dot":
        row_bytes = settings.embedding_sizes(train)[0] * np.dtype(settings.dtype).itemsize
        run = run_length(
            train.n_users, settings.batch_size, row_bytes, settings.lr, settings.momentum
        )
    return Batches.cut(train, settings.batch_size, rng, settings.dtype, run)


def make_steps(model: Model, batches: Batches, settings: Hyperparameters) -> Steps:
    """Return the optimizer: compiled for momentum SGD on the dot product, else the engine's."""
    if isinstance(model, EmbeddingDotBias) and settings.objective == "ranking":
        users, items = (
            np.concatenate([getattr(batch, name) for batch in batches])
            for name in ("users", "items")
        )
        shape = (len(model.user_factors), len(model.item_factors))
        objective = AllPairs.of(users, items, shape, settings.unobserved, settings.reg)
        return RankingSteps(model, objective, batches, settings.clip)
    if isinstance(model, EmbeddingDotBias) and settings.optimizer in ("momentum", "sgd"):
        if settings.implicit:
            rate = settings.implicit_rate
            return ImplicitSteps(model, settings.penalty, batches, settings.clip, rate)
        return CompiledSteps(model, settings.penalty, batches, settings.clip, settings.row_limit)
    return EngineSteps(model, settings.penalty, settings.optimizer, settings.clip)


def _global_mean(train: Ratings, y_range: tuple[float, float] | None) -> float:
    """Return the mean rating, or the logit that the sigmoid range takes to it."""
    if train.values is None:
        raise DataError(
            "implicit feedback cannot train the rating objective",
            path=train.name,
            allowed="a file with a rating column",
        )
    mean = float(train.values.mean(dtype=np.float64))
    if y_range is None:
        return mean
    low, high = y_range
    if not low < mean < high:
        raise UsageError(
            f"y_range is {low:g} to {high:g}, but the mean rating is {mean:g}; "
            "allowed: a range that holds the ratings, such as slightly more than their scale"
        )
    share = (mean - low) / (high - low)
    return float(np.log(share / (1 - share)))

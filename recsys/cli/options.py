"""The options that `train` and `evaluate` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from recsys.training.hyperparameters import HYPERPARAMETER_NAMES, SCHEDULE_NAMES, Hyperparameters


def _setting(
    name: str, kind: Any, text: str, default: str | None = None, **more: Any
) -> Callable[..., Any]:
    """Return the option of a hyperparameter; not given, it is None, and its default is chosen."""
    shown = default or str(getattr(Hyperparameters, name))
    flag = f"--{name.replace('_', '-')}"
    return click.option(flag, type=kind, help=text, show_default=shown, **more)


_OPTIONS = (
    click.option(
        "--objective", type=click.Choice(["rating"]), default="rating", help="What to learn."
    ),
    _setting("n_factors", int, "Length of an embedding."),
    _setting("n_epochs", int, "Passes over the ratings."),
    _setting("batch_size", int, "Ratings per step.", "by the data"),
    _setting("lr", float, "Highest learning rate.", "by the data"),
    _setting("momentum", float, "Of the heavy ball."),
    _setting("reg", float, "L2 penalty of embeddings, per rating."),
    _setting("reg_bias", float, "L2 penalty of biases, per rating."),
    _setting("init_std", float, "Spread of the initial embeddings."),
    _setting(
        "y_range", (float, float), "Bounds of a sigmoid, in stars.", "none", metavar="LOW HIGH"
    ),
    _setting("schedule", click.Choice(SCHEDULE_NAMES), "How the learning rate goes."),
    _setting("early_stopping", int, "Epochs of patience; 0 is endless.", metavar="EPOCHS"),
    _setting("dtype", click.Choice(["float32", "float64"]), "Of the arithmetic."),
    _setting("seed", int, "Of everything random."),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        show_default="all cores",
        help="How many; no result depends on it.",
    ),
)


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give ``command`` the options of a training."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given_hyperparameters(options: dict[str, Any]) -> dict[str, Any]:
    """Return those of the options that are hyperparameters; None where not given."""
    return {name: options[name] for name in HYPERPARAMETER_NAMES}

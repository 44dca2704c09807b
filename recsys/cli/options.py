"""The options that `train` and `evaluate` share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from recsys.training.hyperparameters import HYPERPARAMETER_NAMES, SCHEDULE_NAMES, Hyperparameters

_Command = TypeVar("_Command", bound=Callable[..., Any])


def training_options(*, early_stopping: int) -> Callable[[_Command], _Command]:
    """Return what gives a command the options of a training.

    Parameters
    ----------
    early_stopping : int
        The command's default of it.
    """
    options = (
        click.option(
            "--objective", type=click.Choice(["rating"]), default="rating", help="What to learn."
        ),
        _setting("n_factors", int, "Length of an embedding."),
        _setting("n_epochs", int, "Passes over the ratings."),
        _chosen("batch_size", int, "Ratings per step.", "by the data"),
        _chosen("lr", float, "Highest learning rate.", "by the data"),
        _setting("momentum", float, "v = momentum * v + gradient."),
        _setting("reg", float, "L2 penalty of embeddings, per rating."),
        _setting("reg_bias", float, "L2 penalty of biases, per rating."),
        _setting("init_std", float, "Spread of the initial embeddings."),
        _chosen(
            "y_range", (float, float), "Keep predictions between these stars by a sigmoid.",
            "no sigmoid", metavar="LOW HIGH",
        ),
        _setting("schedule", click.Choice(SCHEDULE_NAMES), "How the learning rate changes."),
        _setting(
            "early_stopping", int, "Stop after so many epochs without a better RMSE; 0 never.",
            early_stopping, metavar="EPOCHS",
        ),
        _setting("dtype", click.Choice(["float32", "float64"]), "Precision of the arithmetic."),
        _setting("seed", click.IntRange(min=0), "Of everything random."),
        click.option(
            "--threads", type=click.IntRange(min=1), show_default="all cores",
            help="To train on; no result depends on it.",
        ),
    )  # fmt: skip

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _setting(
    name: str, kind: Any, text: str, default: Any = None, **more: Any
) -> Callable[[_Command], _Command]:
    """Return the option of a hyperparameter, with the default that it has by itself."""
    default = getattr(Hyperparameters, name) if default is None else default
    return click.option(_flag(name), type=kind, default=default, help=text, **more)


def _chosen(
    name: str, kind: Any, text: str, default: str, **more: Any
) -> Callable[[_Command], _Command]:
    """Return the option of a hyperparameter that is None when not given, and then chosen."""
    return click.option(_flag(name), type=kind, show_default=default, help=text, **more)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def given_hyperparameters(options: dict[str, Any]) -> dict[str, Any]:
    """Return those of the options that are hyperparameters; None where not given."""
    return {name: options[name] for name in HYPERPARAMETER_NAMES}

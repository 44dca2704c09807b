"""The options that the commands that train share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click
from click.types import OptionHelpExtra

from recsys.nn.optimizers import OPTIMIZERS
from recsys.nn.schedules import SCHEDULES
from recsys.training.hyperparameters import HYPERPARAMETER_NAMES, Hyperparameters

_Command = TypeVar("_Command", bound=Callable[..., Any])


def training_options(command: _Command) -> _Command:
    """Give a command the options of a training but those of its pace and of its objective."""
    return _with_options(
        command,
        _setting("model", click.Choice(["dot", "mlp"]), "Dot product, or neural network."),
        _setting("n_factors", int, "Length of an embedding."),
        _setting("hidden", WIDTHS, "Widths of the network's hidden layers.", "100,50 with mlp"),
        _setting("dropout", float, "Share of hidden activations dropped.", "0.4 with mlp"),
        _setting("batch_size", int, "Ratings per step.", "by the data"),
        _setting("optimizer", click.Choice(list(OPTIMIZERS)), "What moves the parameters."),
        _setting("momentum", float, "v = momentum * v + gradient; beta1 of Adam's family."),
        _setting("clip", float, "Largest norm of the gradient.", "no clipping"),
        _setting(
            "row_limit", float, "Ratings of a user or item that count in a step.", "by the data"
        ),
        _setting("reg", float, "L2 penalty of embeddings, per rating."),
        _setting("reg_bias", float, "L2 penalty of biases, per rating."),
        click.option(
            "--implicit/--no-implicit", default=None, show_default="up to 2M ratings",
            help="Let who rated what enter the embeddings.",
        ),
        _setting("reg_implicit", float, "L2 penalty of implicit terms, per rating."),
        _setting("n_prior", float, "Ratings that penalties count beside a row's own."),
        _setting("init_std", float, "Spread of the initial embeddings."),
        _setting(
            "y_range", (float, float), "Keep predictions between these stars by a sigmoid.",
            "no sigmoid", metavar="LOW HIGH",
        ),
        _setting("dtype", click.Choice(["float32", "float64"]), "Precision of the arithmetic."),
        _setting("seed", click.IntRange(min=0), "Of everything random."),
        click.option(
            "--threads", type=click.IntRange(min=1), show_default="all cores",
            help="To train on; no result depends on it.",
        ),
    )  # fmt: skip


def objective_options(command: _Command) -> _Command:
    """Give a command the options of what to learn."""
    return _with_options(
        command,
        click.option(
            "--objective", type=click.Choice(["rating", "ranking", "both"]), default="both",
            help="Learn stars, the order of lists, or both. With both, the settings are for the "
            "stars; the lists share the length, the precision and the seed.",
        ),
        unobserved_option,
    )  # fmt: skip


def unobserved_option(command: _Command) -> _Command:
    """Give a command the option of the ranking objective alone."""
    return _setting(
        "unobserved", float, "Weight of all pairs, the liked ones weighing 1; of lists only."
    )(command)


def pace_options(*, early_stopping: int) -> Callable[[_Command], _Command]:
    """Return what gives a command the options of how long and how fast to train.

    Parameters
    ----------
    early_stopping : int
        The command's default of it, to be shown.
    """
    return lambda command: _with_options(
        command,
        _setting("n_epochs", int, "Passes over the ratings."),
        _setting("lr", float, "Highest learning rate.", "by the data"),
        _setting("schedule", click.Choice(list(SCHEDULES)), "How the learning rate changes."),
        _setting(
            "early_stopping", int, "Stop after so many epochs without a better RMSE; 0 never.",
            str(early_stopping), metavar="EPOCHS",
        ),
    )  # fmt: skip


def _with_options(command: _Command, *options: Callable[[_Command], _Command]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


class _Widths(click.ParamType[tuple[int, ...]]):
    name = "N,N,..."

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> tuple[int, ...]:
        try:
            return tuple(int(width) for width in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of widths such as 100,50", param, context)


WIDTHS = _Widths()


def _setting(
    name: str, kind: Any, text: str, default: str | None = None, **more: Any
) -> Callable[[_Command], _Command]:
    """Return the option of a hyperparameter.

    Not given, it is None: `Hyperparameters.choose` knows the default, and that nobody asked.
    """
    shown = str(getattr(Hyperparameters, name)) if default is None else default
    return click.option(
        f"--{name.replace('_', '-')}",
        type=kind,
        show_default=shown,
        help=text,
        cls=_Setting,
        **more,
    )


class _Setting(click.Option):
    """Shows the default, which click is not told of, as if it were."""

    def get_help_extra(self, context: click.Context) -> OptionHelpExtra:
        extra = super().get_help_extra(context)
        if "default" in extra:
            extra["default"] = extra["default"].removeprefix("(").removesuffix(")")
        return extra


def given_hyperparameters(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the options that are hyperparameters; None where not given."""
    return {name: options.get(name) for name in HYPERPARAMETER_NAMES}

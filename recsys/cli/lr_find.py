from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from recsys.analysis.lr_plot import plot_lr_curve
from recsys.cli.folders import LR_CURVES, beside_database
from recsys.cli.options import given_hyperparameters, training_options
from recsys.cli.output import json_option, note, print_json, print_table, say
from recsys.cli.tell import read_and_tell
from recsys.cli.training import check_ranges
from recsys.data.split import held_out
from recsys.errors import UsageError
from recsys.nn.lr_finder import exponential_rates
from recsys.training import kernels
from recsys.training.hyperparameters import Hyperparameters
from recsys.training.lr_curves import keep_curve
from recsys.training.lr_find import sweep

_ROWS = 12


@click.command()
@click.option(
    "--data", metavar="NAME|PATH", show_default="the embedded set", help="Ratings to train on."
)
@click.option("--start", type=float, show_default="lr / 1000", help="Smallest rate.")
@click.option("--end", type=float, show_default="100 lr", help="Largest rate.")
@click.option("--steps", type=click.IntRange(min=10), default=200, help="Rates, a batch at each.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Picture to write.")
@training_options
@json_option
@click.pass_obj
def lr_find(
    database_url: str,
    /,
    data: str | None,
    start: float | None,
    end: float | None,
    steps: int,
    plot: Path | None,
    threads: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Show the loss against the learning rate, and suggest a rate.

    One mini-batch at each of many growing rates, from the initial parameters on, until the
    smoothed loss is four times its lowest. The suggestion is where it falls most steeply. The
    objective is that of ratings. The curve is kept beside the database, for the report of a version
    of the same ratings and settings.
    """
    check_ranges(options)
    _check(start, end)
    ratings = read_and_tell(data)
    train = ratings.select(~held_out(ratings))
    hyperparameters = Hyperparameters.choose(train, **given_hyperparameters(options))
    kernels.use_threads(threads, hyperparameters.batch_size)

    usual = hyperparameters.lr
    lowest = usual / 1000 if start is None else start
    rates = exponential_rates(lowest, usual * 100 if end is None else end, steps)
    curve = sweep(train, hyperparameters, rates)
    try:
        folder = beside_database(database_url, LR_CURVES)
        keep_curve(folder, curve, ratings.fingerprint, hyperparameters.as_dict())
    except OSError as error:
        note(f"the curve is not kept for the report: {error.filename}: {error.strerror}")
    if plot is not None:
        plot_lr_curve(plot, curve)
        note(f"the curve is drawn in {plot}")
    if as_json:
        print_json(
            {
                "suggestion": curve.suggestion,
                "default": usual,
                "batch_size": hyperparameters.batch_size,
                "momentum": hyperparameters.momentum,
                "rates": curve.rates.tolist(),
                "losses": curve.losses.tolist(),
                "smoothed": curve.smoothed.tolist(),
            }
        )
        return
    shown = range(0, len(curve.rates), max(1, len(curve.rates) // _ROWS))
    print_table(
        [[f"{curve.rates[n]:.3g}", curve.losses[n], curve.smoothed[n]] for n in shown],
        ["rate", "loss", "smoothed"],
        numbers={0},
    )
    suggested = (
        "none: the loss never falls" if curve.suggestion is None else f"{curve.suggestion:.3g}"
    )
    say(
        f"\nSuggestion: {suggested}, for {hyperparameters.optimizer} with batches of "
        f"{hyperparameters.batch_size:,}; the default here is {usual:.3g}."
    )


def _check(start: float | None, end: float | None) -> None:
    for name, rate in (("--start", start), ("--end", end)):
        if rate is not None and not 0 < rate < math.inf:
            raise UsageError(f"{name} is {rate:g}; allowed: a finite rate above 0")
    if start is not None and end is not None and start >= end:
        raise UsageError(f"--start is {start:g} and --end {end:g}; allowed: a higher --end")

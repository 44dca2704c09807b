from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from recsys.cli.folders import beside_database
from recsys.cli.options import (
    given_hyperparameters,
    pace_options,
    training_options,
    unobserved_option,
)
from recsys.cli.output import json_option, note, print_json
from recsys.cli.tell import read_and_tell
from recsys.cli.tell_search import (
    command_of,
    draw_search,
    print_search,
    search_as_json,
    tell_search,
)
from recsys.data.split import held_out
from recsys.errors import RecsysError, UsageError
from recsys.training.search_parts import cut_validation

if TYPE_CHECKING:
    from recsys.training.tune import Search


@click.command(short_help="Search better hyperparameters on a part of the training ratings.")
@click.option(
    "--data", metavar="NAME|PATH", show_default="the embedded set",
    help="Ratings to search on, less the held-out tenth.",
)  # fmt: skip
@click.option(
    "--train", metavar="PATH", help="Training ratings to search on, all of them, instead."
)
@click.option(
    "--objective", type=click.Choice(["rating", "ranking"]), default="rating",
    help="Search for stars, or for the order of lists.",
)  # fmt: skip
@click.option(
    "--trials", type=click.IntRange(min=1), default=50,
    help="Trials of the study, those of earlier runs included.",
)  # fmt: skip
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), show_default="no limit",
    help="Begin no trial after so many minutes of this run.",
)  # fmt: skip
@click.option(
    "--study", metavar="NAME", show_default="by the data and the settings",
    help="What to call the search, or which one to go on with.",
)  # fmt: skip
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Picture to write.")
@unobserved_option
@training_options
@pace_options(early_stopping=0)
@json_option
@click.pass_obj
def tune(
    database_url: str,
    /,
    data: str | None,
    train: str | None,
    objective: Literal["rating", "ranking"],
    trials: int,
    minutes: float | None,
    study: str | None,
    plot: Path | None,
    threads: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Search better hyperparameters on a part of the training ratings.

    The ratings that train holds out are never looked at. Each trial trains on nine tenths of the
    others and is scored on the last; the first is the defaults. What is given is not searched.
    Stopped or killed, the same command goes on. Needs Optuna: pip install 'recsys[tune]'.
    """
    search_class = _import_search()
    if data and train:
        raise UsageError("--data holds a tenth out, --train does not; give one")

    ratings = read_and_tell(train or data)
    known = ratings if train else ratings.select(~held_out(ratings))
    fixed = given_hyperparameters({**options, "objective": objective})
    parts = cut_validation(known, fixed["seed"] or 0)
    path = beside_database(database_url, "tune.db")
    search = search_class(parts, fixed, path, study)
    tell_search(search, trials)
    try:
        search.run(trials, seconds=minutes and 60 * minutes, n_threads=threads)
    except KeyboardInterrupt:
        note(f"stopped; the same command goes on after {len(search.trials)} trials")
    if not search.ranked:
        raise RecsysError(
            f"none of {len(search.trials)} trials came to a score; run the command again, "
            "or lower --lr"
        )
    if plot is not None:
        draw_search(plot, search)
        note(f"the search is drawn in {plot}")
    command = command_of(search, train, data)
    if as_json:
        print_json(search_as_json(search, command))
    else:
        print_search(search, command)


def _import_search() -> type[Search]:
    try:
        from recsys.training.tune import Search
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise RecsysError(
            "recsys tune needs Optuna, which is not installed: pip install 'recsys[tune]'"
        ) from error
    return Search

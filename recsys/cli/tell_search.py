"""How `tune` tells of a search: a table, the line to type, JSON, and a picture."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from recsys.analysis.search_plot import plot_search
from recsys.cli.output import note, print_table

if TYPE_CHECKING:  # these load Optuna
    from recsys.training.study import Trial
    from recsys.training.tune import Search

_ROWS = 10


def tell_search(search: Search, n_trials: int) -> None:
    """Say what is about to be searched."""
    train, validation = search.parts
    note(
        f"study {search.study}: training on {train.n_ratings:,} ratings, scored by "
        f"{search.metric} on {validation.n_ratings:,} others"
    )
    note(f"searching {', '.join(search.space)}")
    n_done = len(search.trials)
    if n_done:
        note(f"{n_done} of {n_trials} trials are done already")


def print_search(search: Search, command: str) -> None:
    """Print the defaults and the best trials, what they differ by, and the line to type."""
    trials, ranked = search.trials, search.ranked
    best = [trial for trial in ranked if trial.number][:_ROWS]
    rows = [
        [trial.number, trial.score, *map(_shown, _searched(search, trial).values())]
        for trial in (trials[0], *best)
    ]
    headers = [name.replace("_", "\n") for name in search.space]
    print_table(rows, ["trial", search.metric, *headers], numbers=range(1, len(headers) + 2))
    outcomes = Counter(trial.outcome for trial in trials)
    click.echo(
        f"\n{len(trials)} trials: {outcomes['complete']} complete, {outcomes['pruned']} pruned, "
        f"{outcomes['diverged']} diverged. Trial 0 is the defaults."
    )
    gain = search.gain()
    if gain is None:
        click.echo("The defaults came to no score. The best:")
    elif not ranked[0].number:
        click.echo("Nothing was better than the defaults.")
    else:
        low, high = gain.interval
        click.echo(
            f"Trial {ranked[0].number} less the defaults: {gain.value:+.4f} {search.metric} "
            f"[{low:+.4f}, {high:+.4f}], 95 % over users."
        )
    click.echo(f"\n  {command}")


def search_as_json(search: Search, command: str) -> dict[str, Any]:
    """Return a search as JSON types: the best, what it gains, the line to type, every trial."""
    train, validation = search.parts
    gain = search.gain()
    return {
        "study": search.study,
        "data": train.name,
        "objective": search.defaults.objective,
        "metric": search.metric,
        "n_train": train.n_ratings,
        "n_validation": validation.n_ratings,
        "fixed": search.fixed,
        "best": _as_json(search, search.ranked[0]),
        "gain": gain and {"value": gain.value, **gain.interval._asdict()},
        "command": command,
        "trials": [_as_json(search, trial) for trial in search.trials],
    }


def draw_search(path: Path, search: Search) -> None:
    """Write a picture of a search (`plot_search`)."""
    trials = search.trials
    plot_search(
        path,
        search.metric,
        np.array([np.nan if trial.score is None else trial.score for trial in trials]),
        {
            name: np.array([_searched(search, trial)[name] for trial in trials], np.float64)
            for name in search.space
        },
        lower_is_better=search.metric == "rmse",
    )


def command_of(search: Search, train: str | None, data: str | None) -> str:
    """Return the line that trains with the best settings; of --train, the one that tests them."""
    if train:
        words = ["recsys", "evaluate", "--train", train, "--test", "TEST"]
    else:
        words = ["recsys", "train", *(["--data", data] if data else [])]
    best = search.ranked[0].hyperparameters
    if train or best["objective"] == "ranking":
        words += ["--objective", best["objective"]]
    named = {*search.fixed, *(search.space if search.ranked[0].number else ())} - {"objective"}
    for name, value in best.items():
        if name in named:
            words += _option(name, value)
    return shlex.join(words)


def _option(name: str, value: Any) -> list[str]:
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag if value else flag.replace("--", "--no-", 1)]
    if name == "y_range":
        return [flag, *map(str, value)]
    return [flag, ",".join(map(str, value)) if isinstance(value, list) else str(value)]


def _shown(value: float) -> str:
    return f"{value:.3g}".removeprefix("0")  # so that eight columns fit 80 characters


def _searched(search: Search, trial: Trial) -> dict[str, float]:
    return {name: trial.hyperparameters[name] for name in search.space}


def _as_json(search: Search, trial: Trial) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "outcome": trial.outcome,
        "score": trial.score,
        "seconds": trial.seconds,
        "hyperparameters": _searched(search, trial),
    }

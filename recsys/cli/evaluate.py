from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import click
import numpy as np
from click.core import ParameterSource
from numpy.typing import NDArray

from recsys.cli.options import objective_options, pace_options, training_options
from recsys.cli.output import json_option, note, print_json
from recsys.cli.tell import evaluate_shown, metrics_of, read_and_tell, tell_unknown
from recsys.cli.tell_comparison import compared_as_json, print_comparison
from recsys.cli.training import check_ranges, choose, fit
from recsys.data import Ratings
from recsys.data.split import (
    held_out,
    k_folds,
    split_by_rating,
    split_by_time,
    split_by_user,
    split_last,
)
from recsys.errors import UsageError
from recsys.evaluation.comparison import Comparison
from recsys.evaluation.evaluate import Evaluation
from recsys.evaluation.predictor import Predictor
from recsys.evaluation.protocols import sampled_negatives as score_among_negatives
from recsys.model.baselines import BASELINES, LIST_BASELINES, fit_baselines
from recsys.model.served import Served
from recsys.training.hyperparameters import HYPERPARAMETER_NAMES, Hyperparameters

Split = Callable[[Ratings, float, np.random.Generator], NDArray[np.bool_]]
_SPLITS: dict[str, Split] = {
    "rating": split_by_rating,
    "user": split_by_user,
    "time": lambda ratings, fraction, _: split_by_time(ratings, fraction),
    "last": lambda ratings, _, __: split_last(ratings),
}
# The seed is also that of the split.
_OF_TRAINING = {*HYPERPARAMETER_NAMES, "threads"} - {"seed"}


class Fold(NamedTuple):
    """One training set, and what it is scored on."""

    train: Ratings
    test: Ratings


@click.command()
@click.option("--train", metavar="PATH", help="Ratings to train on.")
@click.option("--test", metavar="PATH", help="Ratings to score on.")
@click.option(
    "--data", metavar="NAME|PATH", show_default="the embedded set", help="Ratings to split."
)
@click.option("--folds", type=click.IntRange(min=2), help="Cross-validate --data.")
@click.option(
    "--holdout", type=click.FloatRange(0, 1, min_open=True, max_open=True),
    show_default="0.1", help="Score on this share of --data.",
)  # fmt: skip
@click.option(
    "--split", type=click.Choice(list(_SPLITS)), default="rating",
    help="Hold out ratings at random, a share of each user's, the newest, or each user's last.",
)  # fmt: skip
@click.option(
    "--baseline", type=click.Choice([*BASELINES, *LIST_BASELINES]), help="Score this one instead."
)
@click.option(
    "--sampled-negatives", type=click.IntRange(min=1), metavar="N",
    help="Also rank each held-out item among N others, to compare with published tables.",
)  # fmt: skip
@objective_options
@training_options
@pace_options(early_stopping=0)
@json_option
def evaluate(
    train: str | None,
    test: str | None,
    data: str | None,
    folds: int | None,
    holdout: float | None,
    split: str,
    baseline: str | None,
    sampled_negatives: int | None,
    threads: int | None,
    as_json: bool,
    objective: str,
    **options: Any,
) -> None:
    """Train, score on held-out ratings, and store nothing.

    Either --train and --test, or --data (default: the embedded set) with --folds or --holdout.
    """
    _check(train, test, data, folds, holdout, split)
    if sampled_negatives and not (train or split == "last"):
        raise UsageError("--sampled-negatives ranks one item of each user: with --split last")
    check_ranges(options)
    if baseline:
        _refuse_training_options(baseline)
    options["early_stopping"] = options["early_stopping"] or 0
    seed = options["seed"] or Hyperparameters.seed
    if train and test:
        parts = iter([Fold(read_and_tell(train), read_and_tell(test))])
    else:
        rng = np.random.default_rng(seed)
        parts = _split(read_and_tell(data), folds, holdout or 0.1, split, rng)

    results: list[dict[str, Any]] = []
    name, comparison = baseline or "model", Comparison()
    for part in parts:
        if baseline:
            started = time.perf_counter()
            predictor: Predictor = {**BASELINES, **LIST_BASELINES}[baseline](part.train)
        else:
            fold, validation = _keep_validation(part, options)
            chosen = choose(fold.train, options, objective)
            started = time.perf_counter()
            predictor = Served.of(fit(fold.train, chosen, validation=validation, n_threads=threads))
        seconds = time.perf_counter() - started
        fitted = {name: predictor} | ({} if baseline else _baselines(part))
        scored = {n: _score(n, p, part, sampled_negatives, seed) for n, p in fitted.items()}
        comparison.add(scored)
        tell_unknown(scored[name])
        results.append(
            {
                "n_train": part.train.n_ratings,
                "n_test": part.test.n_ratings,
                **metrics_of(scored[name]),
                "train_seconds": seconds,
            }
        )

    if as_json:
        several = {"folds": results} if len(results) > 1 else {}
        compared = compared_as_json(comparison)
        told = None if baseline else objective
        print_json({"objective": told, **_mean(results), **compared, **several})
    else:
        print_comparison(comparison)


def _check(
    train: str | None, test: str | None, data: str | None,
    folds: int | None, holdout: float | None, split: str,
) -> None:  # fmt: skip
    if bool(train) != bool(test):
        raise UsageError("--train and --test go together")
    if train and (data or folds or holdout or split != "rating"):
        raise UsageError(
            "--train and --test are a split: without --data, --folds, --holdout, --split"
        )
    if folds and holdout:
        raise UsageError("--folds and --holdout are two ways to split; give one")
    if holdout and split == "last":
        raise UsageError("--split last holds out one rating of each user; without --holdout")
    if folds and split != "rating":
        raise UsageError("--folds splits by rating; --split goes with --holdout")


def _refuse_training_options(baseline: str) -> None:
    """Refuse what was typed for a training that there is none of.

    In the environment or a file the same settings are there for other calls too.
    """
    context = click.get_current_context()
    typed = [
        max(option.opts, key=len)
        for option in context.command.params
        if option.name in _OF_TRAINING
        and context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
    ]
    if typed:
        raise UsageError(
            f"--baseline {baseline} is not trained; it goes without {', '.join(typed)}"
        )


def _split(
    ratings: Ratings, folds: int | None, holdout: float, split: str, rng: np.random.Generator
) -> Iterator[Fold]:
    if folds is None:
        is_test = _SPLITS[split](ratings, holdout, rng)
        yield Fold(ratings.select(~is_test), ratings.select(is_test))
        return
    fold_of = k_folds(ratings, folds, rng)
    for number in range(folds):
        note(f"fold {number + 1} of {folds}")
        yield Fold(ratings.select(fold_of != number), ratings.select(fold_of == number))


def _keep_validation(part: Fold, options: dict[str, Any]) -> tuple[Fold, Ratings | None]:
    """Take validation ratings out of the training part, if early stopping is asked for.

    By default all epochs run on all training ratings: their number was found beforehand, and
    the test ratings must not choose it.
    """
    if not options["early_stopping"]:
        return part, None
    is_validation = held_out(part.train)
    note(f"early stopping watches {is_validation.sum():,} of the training ratings")
    return part._replace(train=part.train.select(~is_validation)), part.train.select(is_validation)


def _baselines(part: Fold) -> dict[str, Predictor]:
    """Return what the model is compared with, less what the data is too large for."""
    fitted, refused = fit_baselines(part.train)
    for name, refusal in refused.items():
        note(f"{name} is left out: {refusal}")
    return {**fitted}


def _score(
    name: str, predictor: Predictor, part: Fold, n_negatives: int | None, seed: int
) -> Evaluation:
    scored = evaluate_shown(name, predictor, part.train, part.test)
    if n_negatives is None:
        return scored
    rng = np.random.default_rng(seed)
    sampled = score_among_negatives(predictor, part.train, part.test, rng, n_negatives)
    return replace(scored, by_user={**scored.by_user, **sampled})


def _mean(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean of each number over the folds that have it, null where none has."""
    if len(results) == 1:
        return results[0]
    numbers = {name: [r[name] for r in results if r[name] is not None] for name in results[0]}
    return {name: _mean_of(values) if values else None for name, values in numbers.items()}


def _mean_of(values: list[float]) -> float:
    return values[0] if len(set(values)) == 1 else float(np.mean(values))

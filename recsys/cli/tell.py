"""What `train` and `evaluate` both say of the data, the settings and the scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from recsys.cli.bars import evaluating
from recsys.cli.output import note, print_table
from recsys.data import Ratings
from recsys.data.readers import read
from recsys.data.relevance import is_relevant
from recsys.evaluation.evaluate import Evaluation, evaluate, score_names
from recsys.evaluation.predictor import Predictor
from recsys.training.hyperparameters import Hyperparameters

# The scores of the first table; the others stand in a second one, for the width of a terminal.
MAIN_SCORES = score_names()[:6]


def read_and_tell(source: str | Path | None) -> Ratings:
    """Read ratings, and say what they are and what was done to them."""
    reading = read(source, progress=True)
    ratings = reading.ratings
    low, high = ratings.rating_scale
    scale = "no rating values" if ratings.is_implicit else f"{low:g} to {high:g} stars"
    note(
        f"{ratings.name}: {ratings.n_ratings:,} ratings of {ratings.n_items:,} items "
        f"by {ratings.n_users:,} users, {scale}"
    )
    for remark in reading.notes:
        note(f"note: {remark}")
    return ratings


def tell_choice(train: Ratings, hyperparameters: Hyperparameters) -> None:
    """Say what is about to be trained, with the batch size and the rate that the data got."""
    what = f"{hyperparameters.model} on {train.n_ratings:,} ratings"
    if hyperparameters.objective == "ranking":
        what = f"for lists on {is_relevant(train).sum():,} liked pairs"
    note(
        f"training {what} with {hyperparameters.optimizer}: batches of "
        f"{hyperparameters.batch_size:,}, learning rate {hyperparameters.lr:.3g}"
    )


def evaluate_shown(what: str, predictor: Predictor, train: Ratings, test: Ratings) -> Evaluation:
    """Return the scores of ``predictor``, under a progress bar that names ``what`` it is."""
    with evaluating(what) as progress:
        return evaluate(predictor, train, test, progress=progress)


def tell_unknown(scored: Evaluation) -> None:
    """Say how many held-out ratings are of users or items that training has never seen."""
    if scored.n_unknown_users or scored.n_unknown_items:
        note(
            f"of {scored.n_test:,} held-out ratings, {scored.n_unknown_users:,} are of users and "
            f"{scored.n_unknown_items:,} of items without training ratings; their bias and "
            "embedding count as zero"
        )


def metrics_of(scored: Evaluation) -> dict[str, float | None]:
    """Return the scores by the names that they have in JSON and in the store.

    None is what there was nothing to score on: no rating values, no relevant held-out item.
    """
    return {name: None if math.isnan(score) else score for name, score in scored.scores().items()}


def print_scores(
    scores: Mapping[str, Mapping[str, float | None]], names: Sequence[str] = MAIN_SCORES
) -> None:
    """Print a line of each predictor's scores, those of ``names``."""
    rows = [[predictor, *(of[name] for name in names)] for predictor, of in scores.items()]
    print_table(rows, ["", *names])

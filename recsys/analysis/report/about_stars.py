"""What the report says about predicted stars: each function returns one section.

Or None, where the version or its data cannot have one.
"""

from __future__ import annotations

import numpy as np

from recsys.analysis.report.page import Block, Section, Text
from recsys.analysis.report.scores import OURS, Scores
from recsys.analysis.report.standings import (
    INTERVALS,
    difference_table,
    meant,
    score_figure,
    score_table,
)
from recsys.model.intervals import LEVEL


def no_scores_section() -> Section:
    """Return why nothing is said about how good the version is."""
    return Section(
        "How good it is",
        (
            Text(
                "Not measured: either no rating is held out, or this version was trained on "
                "ratings that should have been. recsys train holds out a tenth of the ratings; "
                "the report of a version that it has trained says how well they are predicted."
            ),
        ),
    )


def stars_section(scores: Scores) -> Section | None:
    """Return the errors of predicted stars, beside those of simpler models."""
    names = scores.predict_stars
    if OURS not in names:
        return None
    test, served = scores.test, scores.served
    known = np.bincount(scores.train.items, minlength=test.n_items)[test.items] > 0
    shown = {"rmse": "RMSE", "mae": "MAE"}
    about = (
        f"Measured on {test.n_ratings:,} ratings by {len(np.unique(test.users)):,} users that were "
        "held out: chosen by a hash of user and item, the same for every version, and never "
        f"trained on. For {(~known).sum():,} of them there is no training rating of the item."
    )
    if served.rating and served.rating.hyperparameters.get("early_stopping"):
        about += (
            " Early stopping chose the epoch by these same ratings, which flatters this version a "
            "little; the baselines choose nothing."
        )
    note = (
        "RMSE is the root of the mean squared error, MAE the mean absolute error; both are in "
        f"stars, and better when lower. {INTERVALS} {meant(names)}"
    )
    return Section(
        "Predicted stars against baselines",
        (
            Text(about),
            score_figure(scores, names, "rmse", "held-out RMSE (stars), lower is better"),
            score_table("Errors on held-out ratings, in stars", scores, names, shown),
            *difference_table(scores, names, shown),
            *_width(scores),
            Text(note, is_note=True),
        ),
    )


def _width(scores: Scores) -> tuple[Block, ...]:
    """Return how wide the intervals around predicted stars are."""
    rating, test = scores.served.rating, scores.test
    if rating is None or rating.items.intervals is None:
        return ()
    users, items = test.rows_in(scores.train)
    counts = np.bincount(scores.train.users, minlength=scores.train.n_users)
    low, high = rating.items.intervals.bounds(
        rating.predict(users, items), rating.item_counts[items], counts[users]
    )
    return (
        Text(
            f"A single prediction is less sure than the mean: the interval that holds {LEVEL:.0%} "
            f"of the ratings predicted alike is {np.mean(high - low):.2f} stars wide on average."
        ),
    )

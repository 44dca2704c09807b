"""What the report says about the data and the training: each function returns one section."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from recsys.analysis.report import plots
from recsys.analysis.report.page import Block, Figure, Section, Table, Text, columns, pairs
from recsys.data import Ratings
from recsys.model.snapshot import Catalogue, Snapshot

# What `Snapshot.metrics` says of the training itself, not of the ratings held out of it.
_OF_TRAINING = {
    "kept_epoch": "Epoch whose parameters were kept",
    "train_rmse": "RMSE on the training ratings, penalties left out",
    "validation_rmse": "Held-out RMSE of that epoch",
}


def data_section(snapshot: Snapshot, catalogue: Catalogue, ratings: Ratings | None) -> Section:
    """Return how much there is, how it was rated, and how unevenly."""
    counts = catalogue.n_ratings
    n_users = snapshot.n_users if ratings is None else ratings.n_users
    n_rated, n_ratings = int((counts > 0).sum()), int(counts.sum())
    rows = [
        ("Users", f"{n_users:,}"),
        ("Items", f"{len(counts):,}"),
        ("Items with ratings", f"{n_rated:,}"),
        ("Ratings", f"{n_ratings:,}"),
        ("Density", density(n_ratings, n_users, n_rated)),
    ]
    if n_rated:
        rows.append(("Ratings of the median item", f"{np.median(counts[counts > 0]):,.0f}"))
    if ratings is not None and ratings.n_ratings:
        by_user = np.bincount(ratings.users)
        rows.append(("Ratings of the median user", f"{np.median(by_user[by_user > 0]):,.0f}"))
        if ratings.timestamps is not None:
            first, last = (_day(t) for t in (ratings.timestamps.min(), ratings.timestamps.max()))
            rows.append(("Rated between", f"{first} and {last}"))
    blocks: list[Block] = []
    values = None if ratings is None else ratings.values
    if values is not None and len(values):
        low, high = snapshot.items.rating_scale
        rows += [
            ("Rating scale", f"{low:g} to {high:g}"),
            ("Mean rating", f"{values.mean(dtype=np.float64):.2f}"),
        ]
        levels, frequency = np.unique(values, return_counts=True)
        commonest = levels[np.argmax(frequency)]
        share = frequency.max() / len(values)
        blocks.append(
            Figure(
                "rating-histogram",
                plots.rating_histogram(values),
                f"Bar chart of the ratings given; {commonest:g} is the commonest.",
                f"How often each rating was given. The commonest is {commonest:g}, "
                f"{share:.0%} of all.",
            )
        )
    if n_rated:
        tenth = np.sort(counts)[::-1][: -(-n_rated // 10)].sum() / n_ratings
        blocks.append(
            Figure(
                "popularity",
                plots.popularity_curve(counts),
                "Line chart of the ratings of each item, from the most rated to the least.",
                f"The tenth of the items with the most ratings has {tenth:.0%} of all ratings. "
                "Both scales are logarithmic.",
            )
        )
    return Section("Data", (pairs("What the model was given", rows), *blocks))


def training_section(snapshot: Snapshot) -> Section:
    """Return the settings, where the numbers come from, and the learning curves."""
    settings = [(name, _setting(value)) for name, value in snapshot.hyperparameters.items()]
    origin = [
        ("Objective", snapshot.objective),
        ("Length of a user's embedding", f"{snapshot.items.n_user_factors}"),
        ("Length of an item's embedding", f"{snapshot.items.n_factors}"),
        *(
            (label, f"{score:.4g}")
            for key, label in _OF_TRAINING.items()
            if (score := snapshot.metrics.get(key)) is not None
        ),
        ("Fingerprint of the data", snapshot.data_fingerprint[:16]),
        ("Hash of the snapshot", snapshot.content_hash[:16]),
    ]
    blocks: list[Block] = [pairs("Where the numbers come from", origin)]
    if settings:
        blocks.append(pairs("Settings", settings))
    if not snapshot.history:
        blocks.append(Text("No learning curve: this snapshot was stored without its history."))
        return Section("Training", tuple(blocks))
    rmse = [
        (entry["validation_rmse"], entry["epoch"])
        for entry in snapshot.history
        if entry.get("validation_rmse") is not None
    ]
    caption = f"{len(snapshot.history)} epochs."
    if rmse:
        lowest, epoch = min(rmse)
        caption += f" The held-out RMSE is lowest in epoch {epoch}: {lowest:.4f} stars."
    blocks.append(
        Figure(
            "learning-curves",
            plots.learning_curves(snapshot.history),
            f"Line chart of the training loss{' and the held-out RMSE' if rmse else ''} by epoch.",
            caption,
        )
    )
    return Section("Training", tuple(blocks))


def accuracy_section(
    snapshot: Snapshot, baselines: Mapping[str, Mapping[str, float | None]]
) -> Section:
    """Return the held-out scores beside those of the baselines."""
    scored = {
        name: {key: score for key, score in metrics.items() if key not in _OF_TRAINING}
        for name, metrics in {"this model": snapshot.metrics, **baselines}.items()
    }
    known = [
        key
        for key in dict.fromkeys(key for metrics in scored.values() for key in metrics)
        if any(metrics.get(key) is not None for metrics in scored.values())
    ]
    if not known:
        nothing = "How accurate this model is was not measured: no ratings were held out."
        return Section("Accuracy", (Text(nothing),))
    rows = tuple(
        (name, *(_score(metrics.get(key)) for key in known)) for name, metrics in scored.items()
    )
    table = Table(
        "Scores on ratings that the training never saw; rmse and mae in stars",
        columns("Model", *(f">{key}" for key in known)),
        rows,
    )
    return Section("Accuracy", (table,))


def density(n_ratings: int, n_users: int, n_items: int) -> str:
    """Return which part of all pairs of user and item is rated, in words."""
    share = n_ratings / (n_users * n_items) if n_users and n_items else 0.0
    return f"{share:.2%}" if share >= 0.0001 else f"{share * 1e6:.3g} in a million"


def _day(timestamp: np.int64) -> str:
    return datetime.fromtimestamp(int(timestamp), UTC).date().isoformat()


def _setting(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.4f}"

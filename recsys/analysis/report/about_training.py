"""What the report says about the training: each function returns one section."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recsys import __version__
from recsys.analysis.report import plots
from recsys.analysis.report.page import Block, Figure, Section, Table, Text, columns, pairs
from recsys.data import Ratings
from recsys.model.snapshot import Snapshot
from recsys.nn.lr_finder import LRCurve

_LEARNS = {"rating": "predicts stars", "ranking": "orders lists"}


def training_section(snapshots: Sequence[Snapshot]) -> Section:
    """Return the learning curves of each of a version's objectives."""
    blocks: list[Block] = []
    for snapshot in snapshots:
        what = f"The objective {snapshot.objective} ({_LEARNS[snapshot.objective]})"
        if not snapshot.history:
            blocks.append(Text(f"{what}: no learning curve was stored with this version."))
            continue
        kept = snapshot.metrics.get("kept_epoch")
        picture = plots.learning_curves(
            snapshot.history,
            None if kept is None else int(kept),
            in_stars=snapshot.objective == "rating",
        )
        blocks.append(
            Figure(
                f"learning-curves-{snapshot.objective}",
                picture,
                f"Line chart of the training of the objective {snapshot.objective} by epoch.",
                f"{what}, {len(snapshot.history)} epochs. {_course(snapshot)}",
            )
        )
    return Section("Learning curves", tuple(blocks))


def lr_section(curve: LRCurve, hyperparameters: Mapping[str, Any]) -> Section:
    """Return what the learning-rate finder saw on the ratings that the version was trained on."""
    lr, first = hyperparameters["lr"], curve.smoothed[0]
    best = int(np.nanargmin(curve.smoothed))
    found = "The smoothed loss never falls, so that no rate is suggested."
    if curve.suggestion is not None:
        times = lr / curve.suggestion
        found = (
            f"The smoothed loss falls most steeply at {curve.suggestion:.3g} and is lowest, at "
            f"{curve.smoothed[best]:.3g} after {first:.3g}, at {curve.rates[best]:.3g}. This "
            f"version was trained with up to {lr:.3g}, {times:.2g} times the steepest."
        )
    about = (
        "recsys lr-find trained one mini-batch at each of "
        f"{len(curve.rates)} growing rates, from the initial parameters on, with the settings of "
        "the objective rating but the rate itself. A good rate lies where the loss falls, well "
        "before it rises."
    )
    return Section(
        "Learning-rate finder",
        (
            Text(about),
            Figure(
                "learning-rate-finder",
                plots.lr_curve(curve, lr),
                "Line chart of the loss of a mini-batch over the learning rate.",
                f"{found} The horizontal scale is logarithmic.",
            ),
        ),
    )


def settings_section(
    snapshots: Sequence[Snapshot], ratings: Ratings, stored: Sequence[tuple[str, str]]
) -> Section:
    """Return the settings of each objective, and the fingerprints of what went in and came out.

    ``stored`` is what else is known of the version: name and value.
    """
    names = dict.fromkeys(name for snapshot in snapshots for name in snapshot.hyperparameters)
    settings = tuple(
        (name, *(_setting(snapshot.hyperparameters.get(name, "")) for snapshot in snapshots))
        for name in names
        if name != "objective"
    )
    sizes = [
        (
            f"Length of the embeddings, {snapshot.objective}",
            f"{snapshot.items.n_user_factors} (user), {snapshot.items.n_factors} (item)",
        )
        for snapshot in snapshots
    ]
    prints = [
        *((f"Fingerprint of {ratings.name} (SHA-256)", fingerprint)
          for fingerprint in dict.fromkeys(each.data_fingerprint for each in snapshots)),
        *((f"Hash of the {each.objective} embeddings (SHA-256)", each.content_hash)
          for each in snapshots),
        ("Report written by", f"recsys {__version__}"),
    ]  # fmt: skip
    blocks: list[Block] = [
        Text(
            "The same data with the same settings give the same embeddings, bit for bit on the "
            "same kind of machine; the hashes tell whether they are. docs/model.md and "
            "recsys train --help say what each setting does."
        ),
        pairs("What was trained, and from what", [*stored, *sizes, *prints]),
    ]
    if settings:
        heads = (f">{snapshot.objective}" for snapshot in snapshots)
        blocks.append(Table("Settings by objective", columns("", *heads), settings))
    return Section("Settings and fingerprints", tuple(blocks))


def _course(snapshot: Snapshot) -> str:
    """Return how a training went: where the held-out error was lowest, or how the loss fell."""
    rmse = [
        (entry["validation_rmse"], entry)
        for entry in snapshot.history
        if entry.get("validation_rmse") is not None
    ]
    if rmse:
        lowest, entry = min(rmse, key=lambda pair: pair[0])
        told = f"The held-out RMSE is lowest in epoch {entry['epoch']}, at {lowest:.3f} stars"
        own = entry.get("train_rmse")
        if own is None:
            return f"{told}."
        return (
            f"{told}; on the training ratings it is {own:.3f} by then. The gap, "
            f"{lowest - own:.3f}, is what does not carry over to ratings never seen."
        )
    losses = [entry["train_loss"] for entry in snapshot.history]
    fall = losses[0] - losses[-1]
    told = f"The loss went from {losses[0]:.3g} to {losses[-1]:.3g}"
    if len(losses) < 8 or fall <= 0:
        return f"{told}."
    late = (losses[-1 - len(losses) // 4] - losses[-1]) / fall
    return f"{told}; the last quarter of the epochs brought {late:.0%} of the fall."


def _setting(value: Any) -> str:
    if value is None or value == []:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from recsys.analysis.report import drawing, write_report
from recsys.data import IdMap, Ratings
from recsys.data.split import held_out
from recsys.model.snapshot import Snapshot
from recsys.nn.lr_finder import LRCurve

N_USERS, N_ITEMS = 40, 60


@pytest.fixture(scope="session")
def make_version(make_items):
    """A version's snapshots, with planted factors and biases, and all ratings of its data."""

    def make(
        *,
        titles=None,
        history=True,
        metrics=True,
        implicit=False,
        n_items=N_ITEMS,
        objectives=("rating",),
    ):
        rng = np.random.default_rng(7)
        pairs = np.argwhere(rng.random((N_USERS, n_items)) < 0.8).astype(np.int32)
        users, rated = pairs[:, 0].copy(), pairs[:, 1].copy()
        bias = np.linspace(-1, 1, n_items)
        factors = rng.normal(size=(n_items, 4)) * [3, 2, 1, 0.5]
        values = np.clip(np.round(3.5 + bias[rated] + rng.normal(0, 0.5, len(rated))), 1, 5)
        items, catalogue = make_items(bias, np.zeros(n_items), factors=factors, titles=titles)
        user_ids = IdMap(f"u{row}" for row in range(N_USERS))
        ratings = Ratings(
            "planted",
            user_ids,
            catalogue.item_ids,
            users,
            rated,
            None if implicit else values.astype(np.float32),
            np.arange(len(rated), dtype=np.int64) + 1_000_000_000,
            catalogue.metadata,
        )
        counts = np.bincount(rated[~held_out(ratings)], minlength=n_items).astype(np.int32)
        snapshot = Snapshot(
            objective="rating",
            items=replace(items, item_counts=counts),
            user_ids=user_ids,
            user_factors=np.zeros((N_USERS, 4), np.float32),
            user_bias=np.zeros(N_USERS, np.float32),
            hyperparameters={"n_factors": 4, "lr": 0.1, "schedule": "one-cycle", "y_range": None},
            data_fingerprint="ab" * 32,
            metrics={"rmse": 0.9, "mae": 0.7, "kept_epoch": 5} if metrics else {},
            history=tuple(
                {"epoch": e, "lr": 0.1, "train_loss": 2 / e, "validation_rmse": 1 / e, "seconds": 1}
                for e in range(1, 6)
            )
            if history
            else (),
        )
        return [replace(snapshot, objective=objective) for objective in objectives], ratings

    return make


@pytest.fixture(scope="session")
def lr_curve():
    """A loss that falls from 1 to .5, most steeply at a rate of .03, and then climbs."""
    losses = np.array([1.0, 0.9, 0.5, 4.0])
    return LRCurve(np.array([0.001, 0.01, 0.1, 1.0]), losses, losses, 0.03)


@contextmanager
def _quickly():
    """Draw small, and for light surroundings alone: drawing takes most of a report's time."""
    render, light = drawing._render, [b""]

    def render_light(size, paint, theme):
        if theme is drawing.LIGHT:
            light[0] = render(size, paint, theme)
        return light[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "DPI", 30)
        patch.setattr(drawing, "_render", render_light)
        yield


@pytest.fixture
def quick_plots():
    """Plots are small, and in dark what they are in light."""
    with _quickly():
        yield


@pytest.fixture(scope="session")
def written(make_version, lr_curve, tmp_path_factory):
    """The HTML file of a version with both objectives, the learning-rate finder's curve beside."""
    version = make_version(objectives=("rating", "ranking"))
    with _quickly():
        page, *_ = write_report(*version, tmp_path_factory.mktemp("sent"), lr_curve=lr_curve)
    return page

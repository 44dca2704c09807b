"""A version as a bundle, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from recsys import __version__
from recsys.data import IdMap, ItemMetadata, Ratings
from recsys.errors import DataError
from recsys.model.intervals import StarIntervals
from recsys.model.item_side import Head, ItemSide
from recsys.model.newcomers import Newcomers
from recsys.model.snapshot import Snapshot
from recsys.store.exchange.bundle import Array, Bundle

LAYOUT = 1
"""Grows when a file of today could no longer be read."""

_RATINGS = {"users": "<i4", "items": "<i4", "values": "<f4", "timestamps": "<i8"}


class Content(NamedTuple):
    """What a bundle holds.

    Attributes
    ----------
    ratings : Ratings
        Of the data set; without its ratings where `has_ratings` is false.
    has_ratings : bool
    fingerprint : str
        Of the data set, as it was stored: that of its ratings in the order of their file.
    snapshots : tuple of Snapshot
    """

    ratings: Ratings
    has_ratings: bool
    fingerprint: str
    snapshots: tuple[Snapshot, ...]


def pack(content: Content) -> Bundle:
    """Return a version as a bundle."""
    ratings, metadata = content.ratings, content.ratings.metadata
    arrays = dict(_ratings_arrays(ratings)) if content.has_ratings else {}
    for snapshot in content.snapshots:
        arrays |= {f"{snapshot.objective}/{name}": a for name, a in _snapshot_arrays(snapshot)}
    manifest = {
        "layout": LAYOUT,
        "recsys": __version__,
        "data_set": {
            "name": ratings.name,
            "fingerprint": content.fingerprint,
            "has_ratings": content.has_ratings,
            "user_ids": list(ratings.user_ids),
            "item_ids": list(ratings.item_ids),
            "titles": list(metadata.titles),
            "years": list(metadata.years),
            "genres": [list(genres) for genres in metadata.genres],
        },
        "snapshots": [_described(snapshot) for snapshot in content.snapshots],
        "arrays": sorted(arrays),
    }
    return Bundle(manifest, arrays)


def unpack(bundle: Bundle) -> Content:
    """Return the version that a bundle holds, each snapshot compared with its content hash.

    Raises
    ------
    DataError
        If it is of a newer layout, or not what was exported.
    """
    manifest = bundle.manifest
    if manifest.get("layout") != LAYOUT:
        raise DataError(
            "this version was exported by another recsys than this one can read",
            value=manifest.get("layout"),
            allowed=f"layout {LAYOUT}",
        )
    try:
        data_set = manifest["data_set"]
        ratings = _ratings(data_set, bundle.arrays)
        snapshots = tuple(
            _snapshot(described, data_set["fingerprint"], ratings, bundle.arrays)
            for described in manifest["snapshots"]
        )
        return Content(ratings, data_set["has_ratings"], data_set["fingerprint"], snapshots)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"something of the version is missing or misshapen: {error!r}") from error


def _ratings_arrays(ratings: Ratings) -> Iterator[tuple[str, Array]]:
    for name, dtype in _RATINGS.items():
        if (array := getattr(ratings, name)) is not None:
            yield f"ratings/{name}", array.astype(dtype)


def _ratings(data_set: Mapping[str, Any], arrays: Mapping[str, Array]) -> Ratings:
    found = {name: arrays.get(f"ratings/{name}") for name in _RATINGS}
    if not data_set["has_ratings"]:
        found["users"] = found["items"] = np.empty(0, np.int32)
    return Ratings(
        name=data_set["name"],
        user_ids=IdMap(data_set["user_ids"]),
        item_ids=IdMap(data_set["item_ids"]),
        metadata=ItemMetadata(
            tuple(data_set["titles"]),
            tuple(data_set["years"]),
            tuple(tuple(genres) for genres in data_set["genres"]),
        ),
        **found,  # type: ignore[arg-type]  # Ratings checks what is None and what is not
    )


def _described(snapshot: Snapshot) -> dict[str, Any]:
    items = snapshot.items
    return {
        "objective": snapshot.objective,
        "content_hash": snapshot.content_hash,
        "global_mean": items.global_mean,
        "y_range": items.y_range,
        "rating_scale": items.rating_scale,
        "n_layers": 0 if items.head is None else len(items.head.weights),
        "newcomers": None if items.newcomers is None else dict(items.newcomers.strengths),
        "intervals": None if items.intervals is None else dict(items.intervals.as_dict()),
        "hyperparameters": dict(snapshot.hyperparameters),
        "metrics": dict(snapshot.metrics),
        "history": [dict(epoch) for epoch in snapshot.history],
    }


def _snapshot_arrays(snapshot: Snapshot) -> Iterator[tuple[str, Array]]:
    items = snapshot.items
    yield "user_factors", snapshot.user_factors.astype("<f4")
    yield "user_bias", snapshot.user_bias.astype("<f4")
    yield "item_factors", items.item_factors.astype("<f4")
    yield "item_bias", items.item_bias.astype("<f4")
    yield "item_counts", items.item_counts.astype("<i4")
    if items.newcomers is not None:
        for name, array, _ in items.newcomers.arrays(items.n_items, items.n_factors):
            yield name, array.astype("<f4")
    if items.head is not None:
        layers = zip(items.head.weights, items.head.biases, strict=True)
        for number, (weight, bias) in enumerate(layers):
            yield f"layer{number}_weight", weight.astype("<f4")
            yield f"layer{number}_bias", bias.astype("<f4")


def _snapshot(
    described: Mapping[str, Any], fingerprint: str, ratings: Ratings, arrays: Mapping[str, Array]
) -> Snapshot:
    objective = described["objective"]
    own = {
        name.removeprefix(f"{objective}/"): array
        for name, array in arrays.items()
        if name.startswith(f"{objective}/")
    }
    intervals = described["intervals"]
    snapshot = Snapshot(
        objective=objective,
        items=ItemSide(
            item_ids=ratings.item_ids,
            item_factors=own["item_factors"],
            item_bias=own["item_bias"],
            item_counts=own["item_counts"],
            global_mean=described["global_mean"],
            y_range=described["y_range"],
            rating_scale=described["rating_scale"],
            head=_head(own, described["n_layers"]),
            newcomers=_newcomers(own, described["newcomers"]),
            intervals=None if intervals is None else StarIntervals.from_dict(intervals),
        ),
        user_ids=ratings.user_ids,
        user_factors=own["user_factors"],
        user_bias=own["user_bias"],
        hyperparameters=described["hyperparameters"],
        data_fingerprint=fingerprint,
        metrics=described["metrics"],
        history=tuple(described["history"]),
    )
    if snapshot.content_hash != described["content_hash"]:
        raise DataError(
            f"the {objective} snapshot is not what was exported",
            value=snapshot.content_hash,
            allowed=described["content_hash"],
        )
    return snapshot


def _head(own: Mapping[str, Array], n_layers: int) -> Head | None:
    if not n_layers:
        return None
    return Head(
        tuple(own[f"layer{number}_weight"] for number in range(n_layers)),
        tuple(own[f"layer{number}_bias"] for number in range(n_layers)),
    )


def _newcomers(own: Mapping[str, Array], strengths: Mapping[str, float] | None) -> Newcomers | None:
    if strengths is None:
        return None
    return Newcomers(
        **strengths,
        user_mean=own["user_mean"],
        item_implicit=own.get("item_implicit"),
        item_implicit_bias=own.get("item_implicit_bias"),
    )

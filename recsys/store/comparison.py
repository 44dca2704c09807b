"""Two stored versions side by side, by what is stored of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from recsys.model.snapshot import Objective
from recsys.store.registry import SnapshotInfo, VersionInfo


@dataclass(frozen=True)
class MetricPair:
    """A stored metric of two versions.

    Attributes
    ----------
    before, after : float or None
        None where a version does not have it.
    difference : float or None
        ``after - before``; None unless both have it, on the same held-out ratings.
    """

    before: float | None
    after: float | None
    difference: float | None


@dataclass(frozen=True)
class ObjectivePair:
    """One objective of two versions.

    Attributes
    ----------
    objective : 'rating' or 'ranking'
    metrics : mapping of str to MetricPair
    settings : mapping of str to (object, object)
        The hyperparameters that differ, before and after; None where a version has no such.
    is_same : bool
        Whether both hold the same parameters, bit for bit.
    """

    objective: Objective
    metrics: Mapping[str, MetricPair]
    settings: Mapping[str, tuple[Any, Any]]
    is_same: bool


@dataclass(frozen=True)
class VersionComparison:
    """What is stored of two versions, side by side.

    Attributes
    ----------
    before, after : VersionInfo
    same_ratings : bool
        Whether both are of the same ratings, and so hold out the same ones: without that their
        metrics are of different tests and no difference of them means anything.
    objectives : tuple of ObjectivePair
        Those that both have.
    """

    before: VersionInfo
    after: VersionInfo
    same_ratings: bool
    objectives: tuple[ObjectivePair, ...]


def compare_versions(before: VersionInfo, after: VersionInfo) -> VersionComparison:
    """Return two versions side by side: their metrics, and the settings that differ."""
    same_ratings = before.data_set.fingerprint == after.data_set.fingerprint
    others = {snapshot.objective: snapshot for snapshot in after.snapshots}
    return VersionComparison(
        before,
        after,
        same_ratings,
        tuple(
            _pair(snapshot, others[snapshot.objective], same_ratings)
            for snapshot in before.snapshots
            if snapshot.objective in others
        ),
    )


def _pair(before: SnapshotInfo, after: SnapshotInfo, same_ratings: bool) -> ObjectivePair:
    settings = (
        (name, (before.hyperparameters.get(name), after.hyperparameters.get(name)))
        for name in _names(before.hyperparameters, after.hyperparameters)
    )
    return ObjectivePair(
        objective=before.objective,
        metrics={
            name: _metric_pair(before.metrics.get(name), after.metrics.get(name), same_ratings)
            for name in _names(before.metrics, after.metrics)
        },
        settings={name: (one, other) for name, (one, other) in settings if one != other},
        is_same=before.content_hash == after.content_hash,
    )


def _metric_pair(before: float | None, after: float | None, same_ratings: bool) -> MetricPair:
    if before is None or after is None or not same_ratings:
        return MetricPair(before, after, None)
    return MetricPair(before, after, after - before)


def _names(one: Iterable[str], other: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*one, *other]))

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from flask import Response

from api.backend import backend
from api.page.drawing import Scale
from api.page.site import pages, query_as, render
from api.schemas.models import ModelsQuery, TwoVersions
from recsys.analysis.drift import Drift, measure_drift
from recsys.errors import RecsysError
from recsys.store import (
    StoreSource,
    VersionInfo,
    compare_versions,
    get_alias,
    get_version,
    list_versions,
)

CHAMPION = "champion"
N_MOVED = 15
MIN_RATINGS = 20


class Curve(NamedTuple):
    """One curve of a training, in percent of its frame; the top is the largest value."""

    name: str
    points: str
    first: float
    last: float
    low: float
    n_epochs: int


@pages.get("/models")
def show_models() -> Response:
    """Show the stored versions, and which is served."""
    query, engine = query_as(ModelsQuery), backend().engine
    versions = list_versions(engine, limit=query.limit + 1, before=query.cursor)
    shown = versions[: query.limit]
    champion = StoreSource(engine).champion()
    return render(
        "models.html",
        rows=[(version, _metrics(version)) for version in shown],
        older=shown[-1].model_id if len(versions) > query.limit else None,
        champion=None if champion is None else get_alias(engine, CHAMPION),
        failure=backend().serving.failure,
    )


@pages.get("/models/<model_ref>")
def show_model(model_ref: str) -> Response:
    """Show one version: what it was trained on and how, and how that went."""
    version = get_version(backend().engine, model_ref)
    curves = [(found, list(_curves(found.history))) for found in version.snapshots]
    return render("model.html", version=version, snapshots=curves)


@pages.get("/models/compare")
def show_comparison() -> Response:
    """Show two versions side by side, and which films moved between them."""
    query, engine = query_as(TwoVersions), backend().engine
    before, after = get_version(engine, query.from_), get_version(engine, query.to)
    drift, refused = _drift(before.model_id, after.model_id)
    return render(
        "comparison.html",
        compared=compare_versions(before, after),
        drift=drift,
        refused=refused,
        moved=() if drift is None else drift.items[:N_MOVED],
    )


def _drift(before: int, after: int) -> tuple[Drift | None, str | None]:
    source = StoreSource(backend().engine)
    try:
        pairs = [
            (source.item_side(each, "rating"), source.catalogue(each)) for each in (before, after)
        ]
        return measure_drift(*pairs, min_ratings=MIN_RATINGS), None
    except RecsysError as error:
        return None, str(error)


def _metrics(version: VersionInfo) -> dict[str, float | None]:
    """Return stars' metrics of the rating embeddings, lists' of what orders the lists."""
    found = {snapshot.objective: snapshot.metrics for snapshot in version.snapshots}
    stars: Mapping[str, Any] = found.get("rating", {})
    lists: Mapping[str, Any] = found.get("ranking", stars)
    return {"rmse": stars.get("rmse"), "mae": stars.get("mae")} | {
        name: lists.get(name) for name in ("ndcg@10", "recall@10", "coverage@10")
    }


def _curves(history: Sequence[Mapping[str, Any]]) -> Iterator[Curve]:
    names = {"train_loss": "training loss", "validation_rmse": "held-out RMSE"}
    for key, name in names.items():
        known = [(row["epoch"], row[key]) for row in history if row.get(key) is not None]
        if len(known) < 2:
            continue
        values = [value for _, value in known]
        across = Scale(known[0][0], known[-1][0])
        down = Scale(min(values), max(values))
        points = " ".join(f"{across.at(x):.2f},{100 - down.at(y):.2f}" for x, y in known)
        yield Curve(name, points, values[0], values[-1], min(values), known[-1][0])

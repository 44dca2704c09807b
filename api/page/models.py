from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from flask import Response

from api.backend import backend, recommender
from api.page.drawing import Scale
from api.page.site import pages, query_as, render
from api.readings import LIST_LENGTH, moved
from api.schemas.models import ModelsQuery, TwoVersions
from recsys.errors import NoModelError, RecsysError
from recsys.store import (
    StoreSource,
    VersionInfo,
    compare_versions,
    get_alias,
    get_version,
    list_versions,
)

CHAMPION = "champion"
N_MOVED = 10
MIN_RATINGS = 20


class Curve(NamedTuple):
    """One curve of a training, in percent of its frame; the top is the largest value."""

    name: str
    points: str
    first: float
    last: float
    low: float
    high: float
    first_epoch: int
    last_epoch: int


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
        served=_served(),
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
    """Show two versions side by side."""
    query, engine = query_as(TwoVersions), backend().engine
    before, after = get_version(engine, query.from_), get_version(engine, query.to)
    return render("comparison.html", compared=compare_versions(before, after))


@pages.get("/models/compare/drift")
def show_drift() -> Response:
    """Show which films moved between two versions, and how much of people's lists is the same."""
    query, engine = query_as(TwoVersions), backend().engine
    before, after = (get_version(engine, ref).model_id for ref in (query.from_, query.to))
    found, refused = None, None
    try:
        found = moved(engine, before, after, MIN_RATINGS)
    except RecsysError as error:
        refused = str(error)
    return render(
        "drift.html",
        before=before,
        after=after,
        found=found,
        refused=refused,
        length=LIST_LENGTH,
        n_moved=N_MOVED,
    )


def _served() -> int | None:
    try:
        return recommender().model_id
    except NoModelError:
        return None


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
        yield Curve(
            name=name,
            points=points,
            first=values[0],
            last=values[-1],
            low=min(values),
            high=max(values),
            first_epoch=known[0][0],
            last_epoch=known[-1][0],
        )

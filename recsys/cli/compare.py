from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple

import click
from sqlalchemy import Engine

from recsys import store
from recsys.analysis.drift import Drift, measure_drift
from recsys.analysis.overlap import list_overlap
from recsys.cli.output import json_option, note, print_json, print_table, say
from recsys.errors import NotFoundError
from recsys.store import ObjectivePair, StoreSource, VersionComparison

MIN_RATINGS = 20
N_USERS = 100
_N_MOVED = 5


class _Moved(NamedTuple):
    items: Drift
    list_overlap: float | None


@click.command()
@click.argument("before")
@click.argument("after", default="champion")
@json_option
@click.pass_obj
def compare(database_url: str, /, before: str, after: str, as_json: bool) -> None:
    """Compare two versions: scores, settings, and what moved.

    Each is an id or an alias. Scores are those on the ratings that each held out.
    """
    engine = store.open_database(database_url)
    store.prepare(engine)
    compared = store.compare_versions(
        store.get_version(engine, before), store.get_version(engine, after)
    )
    try:
        moved = _drift(engine, compared)
    except NotFoundError as error:
        note(f"What moved cannot be said: {error}")
        moved = None
    if as_json:
        print_json(_as_json(compared, moved))
        return
    for pair in compared.objectives:
        _print_objective(pair)
    if not compared.same_ratings:
        click.echo("They are of different ratings, and so are their scores.")
    if moved is not None:
        _print_drift(moved)


def _drift(engine: Engine, compared: VersionComparison) -> _Moved:
    source, ids = StoreSource(engine), (compared.before.model_id, compared.after.model_id)
    before, after = ((source.item_side(i, "rating"), source.catalogue(i)) for i in ids)
    found = measure_drift(before, after, min_ratings=MIN_RATINGS)
    return _Moved(found, list_overlap(source, *ids, store.sample_users(engine, ids[1], N_USERS)))


def _as_json(compared: VersionComparison, moved: _Moved | None) -> dict[str, Any]:
    drift = None
    if moved is not None:
        drift = {
            **asdict(moved.items),
            "list_overlap": moved.list_overlap,
            "items": [asdict(item) for item in moved.items.items[:_N_MOVED]],
        }
    return {
        "before": compared.before.model_id,
        "after": compared.after.model_id,
        "same_ratings": compared.same_ratings,
        "objectives": [
            asdict(pair)
            | {"settings": {n: {"before": b, "after": a} for n, (b, a) in pair.settings.items()}}
            for pair in compared.objectives
        ],
        "drift": drift,
    }


def _print_objective(pair: ObjectivePair) -> None:
    rows: list[list[Any]] = [
        [name, found.before, found.after, found.difference]
        for name, found in pair.metrics.items()
        if found.before is not None or found.after is not None
    ]
    print_table(rows, [pair.objective, "before", "after", "difference"])
    click.echo()
    if pair.is_same:
        click.echo("The embeddings are the same, bit for bit.\n")
    elif pair.settings:
        settings = [
            [name, str(before), str(after)] for name, (before, after) in pair.settings.items()
        ]
        print_table(settings, ["setting", "before", "after"], [None, 30, 30])
        click.echo()


def _print_drift(moved: _Moved) -> None:
    items, lists = moved
    say(
        f"Of {items.n_items:,} items with {MIN_RATINGS} or more ratings in both, the embeddings "
        f"agree to {items.alignment:.3f} once turned; "
        f"{items.neighbour_overlap:.0%} of the {items.n_neighbours} nearest of an item are the same"
        + ("." if lists is None else f", and {lists:.0%} of a user's list.")
    )
    rows = [
        [item.label, item.distance, item.rank_before, item.rank_after]
        for item in items.items[:_N_MOVED]
    ]
    click.echo()
    print_table(rows, ["moved farthest", "distance", "rank before", "after"], [45])

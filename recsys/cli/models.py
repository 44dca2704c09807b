from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from recsys import store
from recsys.cli.compare import compare
from recsys.cli.exchange import export, import_
from recsys.cli.output import json_option, note, print_json, print_pairs, print_table
from recsys.model.snapshot import Objective
from recsys.store import VersionInfo


@click.group()
def models() -> None:
    """List, compare, promote, export and prune the stored versions."""


for command in (compare, export, import_):
    models.add_command(command)


@models.command("list")
@json_option
@click.pass_obj
def list_(database_url: str, /, as_json: bool) -> None:
    """List the versions, newest first."""
    versions = store.list_versions(_open(database_url))
    if as_json:
        print_json({"items": [_in_short(version) for version in versions]})
        return
    if not versions:
        note("No version is stored yet: recsys train")
        return
    print_table(
        [
            [
                version.model_id,
                f"{version.created_at:%Y-%m-%d %H:%M}",
                version.data_set.name,
                _score(version, "rating", "rmse"),
                _score(version, "ranking", "ndcg@10"),
                ", ".join(version.aliases),
            ]
            for version in versions
        ],
        ["id", "created (UTC)", "data", "rmse", "ndcg@10", "aliases"],
        [None, None, 15],
    )


@models.command()
@click.argument("version", default="champion")
@json_option
@click.pass_obj
def show(database_url: str, /, version: str, as_json: bool) -> None:
    """Show the data, settings, scores and epochs of VERSION.

    VERSION is an id or an alias.
    """
    found = store.get_version(_open(database_url), version)
    if as_json:
        print_json(_as_dict(found))
        return
    data = found.data_set
    click.echo(f"version {found.model_id}  {', '.join(found.aliases)}".rstrip())
    click.echo(f"created {found.created_at:%Y-%m-%d %H:%M} UTC")
    click.echo(
        f"data    {data.name}: {data.n_ratings:,} ratings, {data.n_users:,} users, "
        f"{data.n_items:,} items\n        fingerprint {data.fingerprint[:16]}"
    )
    for snapshot in found.snapshots:
        click.echo(f"\n{snapshot.objective}  content hash {snapshot.content_hash[:16]}\n")
        print_pairs(snapshot.hyperparameters)
        click.echo()
        print_pairs(snapshot.metrics)
        if snapshot.intervals is not None:
            n_ratings = snapshot.intervals["n_ratings"]
            click.echo(f"\nintervals of stars calibrated on {n_ratings:,} held-out ratings")
        click.echo()
        columns = ["epoch", "lr", "train_loss", "validation_rmse", "seconds"]
        print_table([[row[name] for name in columns] for row in snapshot.history], columns)


@models.command()
@click.argument("model_id", type=int)
@click.option("--alias", default="champion", help="What to point to it.")
@click.pass_obj
def promote(database_url: str, /, model_id: int, alias: str) -> None:
    """Point an alias to the version MODEL_ID.

    The champion is the version that is served.
    """
    store.promote(_open(database_url), model_id, alias)
    click.echo(f"{alias} is version {model_id}.")


@models.command()
@click.option("--alias", default="champion", help="What to move back.")
@click.pass_obj
def rollback(database_url: str, /, alias: str) -> None:
    """Point an alias to the version that it pointed to before."""
    model_id = store.rollback(_open(database_url), alias).model_id
    click.echo(f"{alias} is version {model_id} again.")


@models.command()
@click.option(
    "--keep", type=click.IntRange(min=0), default=3, show_default=True,
    help="So many of the newest versions.",
)  # fmt: skip
@json_option
@click.pass_obj
def prune(database_url: str, /, keep: int, as_json: bool) -> None:
    """Remove old versions, and data sets of which no version is left.

    Versions that an alias points to, or that a rollback would lead to, are kept too. Feedback is
    not of a version and stays.
    """
    pruned = store.prune(_open(database_url), keep)
    if as_json:
        print_json(asdict(pruned))
        return
    for what, ids in (("version", pruned.model_ids), ("data set", pruned.data_set_ids)):
        for removed in ids:
            click.echo(f"Removed {what} {removed}.")
    if not pruned.model_ids:
        click.echo("There is no version to remove.")


def _score(version: VersionInfo, objective: Objective, name: str) -> float | None:
    """Return a score as the version is served: of this objective, or of the only one."""
    by_objective = {snapshot.objective: snapshot for snapshot in version.snapshots}
    return by_objective.get(objective, version.snapshots[0]).metrics.get(name)


def _open(database_url: str) -> Any:
    engine = store.open_database(database_url)
    store.prepare(engine)
    return engine


def _as_dict(version: VersionInfo) -> dict[str, Any]:
    return {**asdict(version), "created_at": version.created_at.isoformat()}


def _in_short(version: VersionInfo) -> dict[str, Any]:
    listed = _as_dict(version)
    for snapshot in listed["snapshots"]:
        del snapshot["history"], snapshot["intervals"]
    return listed

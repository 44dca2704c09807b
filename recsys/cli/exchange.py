from __future__ import annotations

from pathlib import Path

import click

from recsys import store
from recsys.store.exchange import FORMATS, export_version, import_version


@click.command()
@click.argument("version")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_name", type=click.Choice(list(FORMATS)), default="npz", help="How to write."
)
@click.option(
    "--without-ratings",
    is_flag=True,
    help="Leave out the ratings; it can then be imported only where they are.",
)
@click.pass_obj
def export(
    database_url: str, /, version: str, out: Path, format_name: str, without_ratings: bool
) -> None:
    """Write VERSION to OUT, a new file or folder.

    VERSION is an id or an alias. Of npz and safetensors OUT is a file; of parquet, word2vec and
    projector it is a folder.
    """
    engine = store.open_database(database_url)
    store.prepare(engine)
    found = store.get_version(engine, version)
    export_version(engine, found.model_id, out, format_name, ratings=not without_ratings)
    click.echo(f"Version {found.model_id} is in {out}.")


@click.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.pass_obj
def import_(database_url: str, /, path: Path) -> None:
    """Store the version that was exported to PATH, bit for bit.

    The format is told by what is there. All of it is checked before anything is stored, and
    nothing is promoted.
    """
    engine = store.open_database(database_url)
    store.prepare(engine)
    version = store.get_version(engine, import_version(engine, path))
    objectives = " and ".join(snapshot.objective for snapshot in version.snapshots)
    click.echo(
        f"Version {version.model_id} is stored: {objectives}, trained on {version.data_set.name}."
    )

from __future__ import annotations

from pathlib import Path

import click

from recsys import store


@click.group()
def db() -> None:
    """Look after the database: its schema, and a copy of it."""


@db.command()
@click.pass_obj
def upgrade(database_url: str) -> None:
    """Bring the database to the newest schema."""
    engine = store.open_database(database_url)
    store.upgrade(engine)
    click.echo(f"The schema is at {store.current(engine)[1]}.")


@db.command()
@click.pass_obj
def current(database_url: str) -> None:
    """Show the schema's revision and the newest one."""
    revision, head = store.current(store.open_database(database_url))
    click.echo(f"{revision or 'empty'} (newest: {head})")


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(database_url: str, /, file: Path) -> None:
    """Copy the database into the new FILE, while it is in use.

    The copy is checked, and whole or not there.
    """
    store.backup(store.open_database(database_url), file)
    click.echo(f"{file} is a copy of {file.stat().st_size:,} bytes.")

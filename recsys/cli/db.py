from __future__ import annotations

import click

from recsys import store


@click.group()
def db() -> None:
    """Look after the schema of the database."""


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

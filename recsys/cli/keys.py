from __future__ import annotations

import click
from sqlalchemy import Engine

from recsys import store
from recsys.cli.output import note, print_table


@click.group()
def keys() -> None:
    """Make, list and revoke API keys, which writes over HTTP need."""


@keys.command()
@click.argument("name")
@click.pass_obj
def create(database_url: str, /, name: str) -> None:
    """Print a new key for NAME, this once: only its hash is stored."""
    key = store.create_key(_open(database_url), name)
    note("Keep it now: it cannot be shown again.")
    click.echo(key)


@keys.command("list")
@click.pass_obj
def list_(database_url: str, /) -> None:
    """List the keys' names, oldest first."""
    found = store.list_keys(_open(database_url))
    if not found:
        note("There is no key yet: recsys keys create NAME")
        return
    print_table(
        [
            [
                key.name,
                f"{key.created_at:%Y-%m-%d %H:%M}",
                "" if key.revoked_at is None else f"{key.revoked_at:%Y-%m-%d %H:%M}",
            ]
            for key in found
        ],
        ["name", "created (UTC)", "revoked (UTC)"],
    )


@keys.command()
@click.argument("name")
@click.pass_obj
def revoke(database_url: str, /, name: str) -> None:
    """Make the key of NAME worthless, at once and for good."""
    store.revoke_key(_open(database_url), name)
    click.echo(f"The key {name} is revoked.")


def _open(database_url: str) -> Engine:
    engine = store.open_database(database_url)
    store.prepare(engine)
    return engine

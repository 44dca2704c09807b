from __future__ import annotations

import click

from api import Config, server
from recsys import store
from recsys.cli.folders import beside_database
from recsys.cli.output import note


@click.command()
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, help="0 picks a free one.")
@click.option("--workers", type=click.IntRange(min=1), default=2, help="Processes that answer.")
@click.pass_obj
def serve(database_url: str, /, host: str, port: int, workers: int) -> None:
    """Serve the champion over HTTP with gunicorn."""
    engine = store.open_database(database_url)
    store.prepare(engine)
    if store.StoreSource(engine).champion() is None:
        note("there is no champion yet; requests get 503 until: recsys train")
    engine.dispose()
    config = Config(database_url=database_url, cache_dir=beside_database(database_url, "cache"))
    server.serve(config, host=host, port=port, workers=workers)

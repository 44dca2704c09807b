from __future__ import annotations

import logging.config
import re
from collections.abc import Callable

import click

from api import Config, server
from api.logs import LogFormat, logging_config
from api.rate_limit import parse_rates
from recsys import store
from recsys.cli.config import settings
from recsys.cli.folders import beside_database
from recsys.cli.output import note, print_table

logger = logging.getLogger(__name__)

# As a browser writes one; a pattern, as of all subdomains, is none.
_ORIGIN = re.compile(
    r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE
)


def _rates(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return what can be counted by."""
    try:
        if value is not None:
            parse_rates(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None
    return value


def _origins(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Return origins as browsers write them."""
    for value in values:
        if value != "*" and not _ORIGIN.fullmatch(value):
            raise click.BadParameter(
                f"{value!r} is not an origin; allowed: such as https://shop.example, or *",
                context,
                parameter,
            )
    return values


@click.command()
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, help="0 picks a free one.")
@click.option("--workers", type=click.IntRange(min=1), default=2, help="Processes that answer.")
@click.option(
    "--threads", type=click.IntRange(min=1), default=4,
    help="Per worker: as many slow clients are waited for at a time.",
)  # fmt: skip
@click.option("--reads-need-key", is_flag=True, help="Ask for a key on reads too.")
@click.option(
    "--proxies", type=click.IntRange(min=0), default=0,
    help="Reverse proxies in front whose X-Forwarded headers are believed.",
)  # fmt: skip
@click.option(
    "--cors-origin", metavar="ORIGIN", multiple=True, callback=_origins,
    help="Web site whose pages may use the answers; may be repeated.",
)  # fmt: skip
@click.option(
    "--rate-limit", metavar="RATE", callback=_rates,
    help="Requests per key or address, such as 100/minute.",
)  # fmt: skip
@click.option(
    "--max-body", type=click.IntRange(min=1), default=1_048_576,
    help="Bytes that a request's body may have.",
)  # fmt: skip
@click.option(
    "--log-format", type=click.Choice(["plain", "json"]), default="plain",
    help="A line of text or a JSON object per request.",
)  # fmt: skip
@click.option(
    "--show-config", is_flag=True, allow_from_autoenv=False, show_default=False,
    help="Print all settings and where each comes from, and exit.",
)  # fmt: skip
@click.pass_context
def serve(
    context: click.Context,
    /,
    host: str,
    port: int,
    workers: int,
    threads: int,
    reads_need_key: bool,
    proxies: int,
    cors_origin: tuple[str, ...],
    rate_limit: str | None,
    max_body: int,
    log_format: LogFormat,
    show_config: bool,
) -> None:
    """Serve the champion over HTTP with gunicorn."""
    if show_config:
        print_table(settings(context), ["setting", "value", "from"])
        return
    database_url = context.obj
    engine = store.open_database(database_url)
    store.prepare(engine)
    tell: Callable[[str], None] = note
    if log_format == "json":
        logging.config.dictConfig(logging_config(log_format))
        tell = logger.warning
    if store.StoreSource(engine).champion() is None:
        tell("there is no champion yet; requests get 503 until: recsys train")
    if not store.has_keys(engine):
        tell(
            "there is no API key: writes are taken from this machine only: recsys keys create NAME"
        )
    engine.dispose()
    config = Config(
        database_url=database_url,
        cache_dir=beside_database(database_url, "cache"),
        reads_need_key=reads_need_key,
        n_proxies=proxies,
        cors_origins=cors_origin,
        rate_limit=rate_limit,
        max_body=max_body,
    )
    server.serve(
        config, host=host, port=port, workers=workers, threads=threads, log_format=log_format
    )

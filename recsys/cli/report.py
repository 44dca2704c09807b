from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from recsys import store
from recsys.analysis.report import write_report
from recsys.cli.output import note
from recsys.cli.tell import metrics_of
from recsys.data.split import held_out
from recsys.evaluation.evaluate import evaluate
from recsys.model.baselines import BASELINES


@click.command()
@click.argument("version", default="champion")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/report"),
    help="Folder to write to.",
)
@click.pass_obj
def report(database_url: str, /, version: str, out: Path) -> None:
    """Write a report on what the embeddings of VERSION learned.

    VERSION is an id or an alias. The report is one HTML file, a Markdown twin and PNG plots.
    """
    engine = store.open_database(database_url)
    store.prepare(engine)
    found = store.get_version(engine, version)
    snapshot = store.load_snapshot(engine, found.model_id, "rating")
    ratings = store.load_ratings(engine, found.data_set.data_set_id)

    is_held_out = held_out(ratings)
    train, test = ratings.select(~is_held_out), ratings.select(is_held_out)
    note(f"writing the report of version {found.model_id} to {out}")
    page = write_report(
        snapshot,
        store.StoreSource(engine).catalogue(found.model_id),
        ratings,
        out,
        baselines={
            name: metrics_of(evaluate(baseline(train), train, test))
            for name, baseline in BASELINES.items()
        },
        model_id=found.model_id,
        written_at=datetime.now(UTC),
    )
    click.echo(page)

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from recsys import store
from recsys.analysis.report import write_report
from recsys.cli.bars import scoring
from recsys.cli.folders import LR_CURVES, beside_database
from recsys.cli.output import note
from recsys.model.snapshot import Snapshot
from recsys.nn.lr_finder import LRCurve
from recsys.training.lr_curves import kept_curve


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
    """Write a report on what VERSION learned, and how good it is.

    VERSION is an id or an alias. The report is one HTML file, a Markdown twin and PNG plots.
    """
    engine = store.open_database(database_url)
    store.prepare(engine)
    found = store.get_version(engine, version)
    snapshots = [
        store.load_snapshot(engine, found.model_id, snapshot.objective)
        for snapshot in found.snapshots
    ]
    ratings = store.load_ratings(engine, found.data_set.data_set_id)
    note(f"writing the report of version {found.model_id} to {out}")
    with scoring() as progress:
        files = write_report(
            snapshots,
            ratings,
            out,
            lr_curve=_lr_curve(database_url, snapshots),
            model_id=found.model_id,
            stored_at=found.created_at,
            written_at=datetime.now(UTC),
            progress=progress,
        )
    page, twin, *pictures = files
    click.echo(f"{page}  {_size(page)}, opens anywhere by itself")
    click.echo(
        f"{twin}  {_size(twin)}, shows the {len(pictures)} PNG beside it, {_size(*pictures)}"
    )


def _lr_curve(database_url: str, snapshots: list[Snapshot]) -> LRCurve | None:
    """Return what the learning-rate finder saw before the training; None if it was not asked."""
    folder = beside_database(database_url, LR_CURVES)
    curves = (
        kept_curve(folder, snapshot.data_fingerprint, snapshot.hyperparameters)
        for snapshot in snapshots
    )
    return next((curve for curve in curves if curve is not None), None)


def _size(*paths: Path) -> str:
    n_bytes = sum(path.stat().st_size for path in paths)
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.0f} kB"

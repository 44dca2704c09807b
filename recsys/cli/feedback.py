from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from sqlalchemy import Engine

from recsys import store
from recsys.cli.output import json_option, note, print_json, print_pairs
from recsys.data import Ratings
from recsys.data.feedback import FeedbackEntry, rating_flaw
from recsys.data.feedback_files import read_feedback, write_feedback
from recsys.data.merge import merge
from recsys.errors import DataError, NotFoundError
from recsys.store import VersionInfo

_N_TOLD = 10  # mistakes of a file

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_data_set = click.option(
    "--data-set", metavar="NAME", show_default="the champion's", help="Name of the data."
)
_new_items = click.option(
    "--new-items", is_flag=True, help="Also take ratings of items that the data do not have."
)


@click.group()
def feedback() -> None:
    """Count, export and import ratings that came in after a training."""


@feedback.command()
@_file
@_data_set
@click.pass_obj
def export(database_url: str, /, file: Path, data_set: str | None) -> None:
    """Write the feedback to FILE, CSV or Parquet by its name.

    What was taken back is in it too. `recsys feedback import` reads it.
    """
    engine = _open(database_url)
    name = _version(engine, data_set).data_set.name
    entries = store.load_feedback(engine, name).entries
    write_feedback(file, entries)
    click.echo(f"{len(entries):,} rows of feedback on {name} are in {file}.")


@feedback.command("import")
@_file
@_data_set
@_new_items
@click.pass_obj
def import_(database_url: str, /, file: Path, data_set: str | None, new_items: bool) -> None:
    """Take the feedback in FILE in, all of it or nothing.

    FILE is CSV or Parquet by its name, with columns user_id and item_id and, where there are any,
    rating, timestamp and is_erased.
    """
    engine = _open(database_url)
    version = _version(engine, data_set)
    entries = _read(file, _check(engine, version, new_items))
    store.save_feedback(engine, version.data_set.name, entries)
    click.echo(f"{len(entries):,} rows of feedback on {version.data_set.name} were taken in.")


@feedback.command()
@_data_set
@json_option
@click.pass_obj
def info(database_url: str, /, data_set: str | None, as_json: bool) -> None:
    """Count the feedback, and what the version was not trained on."""
    engine = _open(database_url)
    version = _version(engine, data_set)
    entries = store.load_feedback(engine, version.data_set.name).entries
    told = {
        "data_set": version.data_set.name,
        "n_users": len({entry.user_id for entry in entries}),
        "n_ratings": sum(not entry.is_erased for entry in entries),
        "n_erased": sum(entry.is_erased for entry in entries),
        "model_id": version.model_id,
        "n_newer": store.count_newer_feedback(engine, version.model_id),
    }
    if as_json:
        print_json(told)
    else:
        print_pairs({name.removeprefix("n_"): value for name, value in told.items()})


def merge_and_tell(
    engine: Engine, ratings: Ratings, *, only_erasures: bool = False
) -> tuple[Ratings, int]:
    """Merge the stored feedback on data of this name in, and say so.

    Parameters
    ----------
    engine : Engine
    ratings : Ratings
    only_erasures : bool
        Leave out what was taken back, and add nothing.

    Returns
    -------
    merged : Ratings
    revision : int
        Of the feedback that they hold all of; 0 if there is none.
    """
    entries, revision = store.load_feedback(engine, ratings.name)
    if only_erasures:
        # What they do not hold is newer than they are, whenever it was written.
        entries, revision = [entry for entry in entries if entry.is_erased], 0
    if not entries:
        return ratings, revision
    merged = merge(ratings, entries)
    n_erased = sum(entry.is_erased for entry in entries)
    note(
        f"feedback: {len(entries) - n_erased:,} ratings merged in, {n_erased:,} taken back; now "
        f"{merged.n_ratings:,} ratings of {merged.n_items:,} items by {merged.n_users:,} users"
    )
    if not merged.n_ratings:
        raise DataError(
            f"everything in {ratings.name} was taken back: there is nothing to train on"
        )
    return merged, revision


def _open(database_url: str) -> Engine:
    engine = store.open_database(database_url)
    store.prepare(engine)
    return engine


def _version(engine: Engine, data_set: str | None) -> VersionInfo:
    """Return the newest version of the data of a name, or the champion."""
    if data_set is None:
        return store.get_version(engine, "champion")
    versions = store.list_versions(engine)
    found = next((version for version in versions if version.data_set.name == data_set), None)
    if found is None:
        known = ", ".join(sorted({version.data_set.name for version in versions})) or "none yet"
        raise NotFoundError(f"no version was trained on {data_set!r}; known: {known}")
    return found


def _check(
    engine: Engine, version: VersionInfo, new_items: bool
) -> Callable[[FeedbackEntry], str | None]:
    """Return what says why an entry cannot stand among the data of a version."""
    data = version.data_set
    known = store.StoreSource(engine).catalogue(version.model_id).item_ids

    def check(entry: FeedbackEntry) -> str | None:
        if entry.is_erased:
            return None
        if entry.item_id not in known and not new_items:
            return f"item {entry.item_id!r} is not in {data.name}; allowed with --new-items"
        return rating_flaw(entry.value, data.rating_scale, is_implicit=data.is_implicit)

    return check


def _read(file: Path, check: Callable[[FeedbackEntry], str | None]) -> list[FeedbackEntry]:
    entries: list[FeedbackEntry] = []
    mistakes: list[DataError] = []
    for found in read_feedback(file, check):
        if isinstance(found, DataError):
            mistakes.append(found)
        else:
            entries.append(found)
    if not mistakes:
        return entries
    for mistake in mistakes[1:_N_TOLD]:
        note(f"also: {mistake}")
    if len(mistakes) > _N_TOLD:
        note(f"and {len(mistakes) - _N_TOLD:,} more")
    raise mistakes[0]

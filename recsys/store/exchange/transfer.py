from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from sqlalchemy import Engine

from recsys.errors import DataError, NotFoundError, UsageError
from recsys.store.data_sets import find_same_data_set, load_ratings, save_data_set
from recsys.store.exchange.bundle import Bundle
from recsys.store.exchange.content import Content, pack, unpack
from recsys.store.exchange.formats import FORMATS, Format, format_of
from recsys.store.registry import get_version
from recsys.store.versions import load_snapshot, save_version


def export_version(
    engine: Engine, model_id: int, path: Path, format_name: str = "npz", *, ratings: bool = True
) -> None:
    """Write a version to ``path``, whole or not at all.

    Parameters
    ----------
    engine : Engine
    model_id : int
    path : Path
        A file, or a folder for ``parquet``, ``word2vec`` and ``projector``; there must be none.
    format_name : str
        One of `FORMATS`.
    ratings : bool
        Whether the ratings of the data set come along. Without them it can be imported only where
        the data set is.

    Raises
    ------
    NotFoundError
        If there is no such version.
    UsageError
        If something is there already, or there is no such format.
    StoreError
        If what is stored is damaged.
    """
    if format_name not in FORMATS:
        raise UsageError(f"there is no format {format_name!r}; allowed: {', '.join(FORMATS)}")
    _refuse_existing(path)
    version = get_version(engine, model_id)
    bundle = pack(
        Content(
            load_ratings(engine, version.data_set.data_set_id),
            ratings,
            version.data_set.fingerprint,
            tuple(load_snapshot(engine, model_id, s.objective) for s in version.snapshots),
        )
    )
    _write(FORMATS[format_name], path, bundle)


def import_version(engine: Engine, path: Path) -> int:
    """Return the ``model_id`` of a new version that is the one exported to ``path``, bit for bit.

    Its data set is the stored one of the same name, ratings and titles, or is stored with it.
    Everything is checked before anything is stored; nothing is promoted.

    Raises
    ------
    DataError
        If what is there is damaged or no exported version.
    NotFoundError
        If the ratings did not come along and the data set is not stored.
    """
    try:
        content = unpack(format_of(path).read(path))
    except DataError as error:
        raise error if error.path else DataError(str(error), path=path) from error
    ratings = content.ratings
    if content.has_ratings:
        data_set_id = save_data_set(engine, ratings, fingerprint=content.fingerprint)
        return save_version(engine, data_set_id, content.snapshots)
    found = find_same_data_set(engine, ratings.name, content.fingerprint, ratings.metadata)
    if found is None:
        raise NotFoundError(
            f"{path} came without the ratings of {ratings.name!r}, and that data set is not in "
            "this database; export the version with its ratings"
        )
    return save_version(engine, found, content.snapshots)


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise UsageError(f"{path} is there already; name a new file or folder")


def _write(how: Format, path: Path, bundle: Bundle) -> None:
    """Write beside ``path`` and put it there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        written = draft / path.name
        if how.is_folder:
            written.mkdir()
        how.write(written, bundle)
        _refuse_existing(path)
        written.rename(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)

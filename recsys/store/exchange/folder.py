"""A folder with a file for each table, and one for all that the tables' format has no place for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from recsys.errors import DataError
from recsys.store.exchange.bundle import Array, Bundle, Table
from recsys.store.exchange.manifest import MANIFEST, from_arrays, read_manifest, to_arrays
from recsys.store.exchange.npz import read_arrays, write_arrays

REST = "version.npz"

TableWriter = Callable[[Path, Bundle, Table], list[str]]
TableReader = Callable[[Path, Table], Mapping[str, Array]]


def write_folder(folder: Path, bundle: Bundle, write_table: TableWriter) -> None:
    """Write a bundle into an empty folder.

    Parameters
    ----------
    folder : Path
    bundle : Bundle
    write_table : callable
        Writes one table into the folder and returns the names of the arrays that it has written.
    """
    written = {name for table in bundle.tables() for name in write_table(folder, bundle, table)}
    rest = {name: array for name, array in to_arrays(bundle).items() if name not in written}
    write_arrays(folder / REST, rest)


def read_folder(folder: Path, read_table: TableReader) -> Bundle:
    """Return the bundle in a folder.

    Parameters
    ----------
    folder : Path
    read_table : callable
        Returns the arrays of one table by their names in the bundle.

    Raises
    ------
    DataError
        If a file is missing or damaged, or not what was exported.
    """
    arrays = read_arrays(folder / REST)
    manifest, _ = read_manifest(folder / REST, arrays)
    try:
        tables = Bundle(manifest, {}).tables()
    except (KeyError, TypeError) as error:
        raise DataError(f"{MANIFEST} lacks something: {error!r}", path=folder / REST) from error
    for table in tables:
        try:
            arrays |= read_table(folder, table)
        except FileNotFoundError as error:
            raise DataError(
                f"a file of the exported version is missing: {error.filename}", path=folder
            ) from None
    return from_arrays(folder, arrays)

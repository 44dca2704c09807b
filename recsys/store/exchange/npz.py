from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.lib.npyio import NpzFile

from recsys.errors import DataError
from recsys.store.exchange.bundle import Array, Bundle
from recsys.store.exchange.manifest import from_arrays, to_arrays


def write(path: Path, bundle: Bundle) -> None:
    """Write a bundle as NumPy's npz: an array by each name, the manifest as its bytes."""
    write_arrays(path, to_arrays(bundle))


def read(path: Path) -> Bundle:
    """Return the bundle in an npz file.

    Raises
    ------
    DataError
        If the file is damaged or no exported version.
    """
    return from_arrays(path, read_arrays(path))


def write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write arrays as NumPy's npz."""
    with path.open("wb") as file:  # a name alone would get the ending .npz
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(path: Path) -> dict[str, Array]:
    """Return the arrays in an npz file, the manifest's bytes among them.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    try:
        # Opened here: NumPy leaves a file open that it cannot read.
        with path.open("rb") as file, NpzFile(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (BadZipFile, EOFError, ValueError, KeyError, NotImplementedError, zlib.error) as error:
        raise DataError(f"this is damaged, or no npz file: {error}", path=path) from error

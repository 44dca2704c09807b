from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import DataError
from recsys.store.exchange.bundle import Array, Bundle, Table
from recsys.store.exchange.folder import read_folder, write_folder


def write(path: Path, bundle: Bundle) -> None:
    """Write a bundle as a folder of Parquet files, one for the users and items of each objective.

    Each row has an id and, of an item, what is known of it; embeddings are lists of float32.
    """
    write_folder(path, bundle, _write_table)


def read(path: Path) -> Bundle:
    """Return the bundle in a folder of Parquet files.

    Raises
    ------
    DataError
        If a file is missing or damaged, or not what was exported.
    """
    return read_folder(path, _read_table)


def _write_table(folder: Path, bundle: Bundle, table: Table) -> list[str]:
    columns = {"item_id" if table.of_items else "user_id": pa.array(bundle.ids(table), pa.string())}
    if table.of_items:
        known = bundle.manifest["data_set"]
        columns["title"] = pa.array(known["titles"], pa.string())
        columns["year"] = pa.array(known["years"], pa.int64())
        columns["genres"] = pa.array(known["genres"], pa.list_(pa.string()))
    for column, name in table.arrays.items():
        columns[column] = _column(bundle.arrays[name])
    pq.write_table(pa.table(columns), _file(folder, table))
    return list(table.arrays.values())


def _read_table(folder: Path, table: Table) -> Mapping[str, Array]:
    path = _file(folder, table)
    with path.open("rb") as file:
        try:
            found = pq.ParquetFile(file).read(columns=list(table.arrays))
            return {name: _array(found.column(column)) for column, name in table.arrays.items()}
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise DataError(f"this is damaged, or no Parquet file: {error}", path=path) from error


def _file(folder: Path, table: Table) -> Path:
    return folder / f"{table.name}.parquet"


def _column(array: Array) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(array).reshape(-1))
    return flat if array.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, array.shape[1])


def _array(column: pa.ChunkedArray) -> Array:
    if not pa.types.is_fixed_size_list(column.type):
        return np.asarray(column.to_numpy())
    flat = column.combine_chunks().flatten().to_numpy()
    return np.asarray(flat.reshape(len(column), column.type.list_size))

"""Parquet files."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.readers.columns import by_name
from recsys.data.readers.files import File
from recsys.errors import DataError

MAGIC = b"PAR1"


def read_table(file: File, wanted: Mapping[str, str] | None = None) -> pa.Table:
    """Return the columns of the roles present, called by their role.

    Raises
    ------
    DataError
        If the file is corrupt, or has no user or item column.
    """
    with file.open() as stream:
        # A Parquet file is read from its end, which a stream out of an archive cannot do.
        source = stream if stream.seekable() and not file.member else pa.BufferReader(stream.read())
        try:
            parquet = pq.ParquetFile(source)
            names = parquet.schema_arrow.names
            positions = by_name(names, wanted, path=file.shown).positions()
            chosen = [names[place] for place in positions.values()]
            table = parquet.read(columns=chosen)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise DataError(
                "the Parquet file is truncated or corrupt", path=file.shown, value=str(error)
            ) from error
    if not table.num_rows:
        raise DataError("no ratings in it", path=file.shown, allowed="a row for each rating")
    return table.select(chosen).rename_columns(list(positions))

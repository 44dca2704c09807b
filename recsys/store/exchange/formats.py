from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import DataError
from recsys.store.exchange import npz, parquet, projector, safetensors, word2vec
from recsys.store.exchange.bundle import Bundle
from recsys.store.exchange.folder import REST


@dataclass(frozen=True)
class Format:
    """A way to write a version.

    Attributes
    ----------
    write : callable
        Writes a bundle to a path: a new file, or an empty folder that is there.
    read : callable
        Returns the bundle at a path.
    is_folder : bool
    """

    write: Callable[[Path, Bundle], None]
    read: Callable[[Path], Bundle]
    is_folder: bool


FORMATS = {
    "npz": Format(npz.write, npz.read, is_folder=False),
    "safetensors": Format(safetensors.write, safetensors.read, is_folder=False),
    "parquet": Format(parquet.write, parquet.read, is_folder=True),
    "word2vec": Format(word2vec.write, word2vec.read, is_folder=True),
    "projector": Format(projector.write, projector.read, is_folder=True),
}

# Every version has a table of users.
_TABLES = {
    "*.users.parquet": "parquet",
    "*.users.txt": "word2vec",
    "*.users.vectors.tsv": "projector",
}


def format_of(path: Path) -> Format:
    """Return the format of what was exported to ``path``, told by what is there.

    Raises
    ------
    DataError
        If it is none of `FORMATS`.
    """
    if path.is_dir():
        found = [name for pattern, name in _TABLES.items() if any(path.glob(pattern))]
        if len(found) != 1 or not (path / REST).exists():
            raise DataError(
                f"this folder is no exported version: it needs {REST} and one kind of tables",
                path=path,
                allowed=", ".join(_TABLES),
            )
        return FORMATS[found[0]]
    with path.open("rb") as file:
        head = file.read(9)
    if head.startswith(b"PK"):
        return FORMATS["npz"]
    if head.endswith(b"{"):  # behind eight bytes that say how long the JSON is
        return FORMATS["safetensors"]
    raise DataError(
        "this is damaged, or no exported version: it begins as neither npz nor safetensors do",
        path=path,
    )

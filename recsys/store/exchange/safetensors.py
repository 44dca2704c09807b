from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from recsys.errors import DataError
from recsys.store.exchange.bundle import Bundle
from recsys.store.exchange.manifest import from_arrays, to_arrays


def write(path: Path, bundle: Bundle) -> None:
    """Write a bundle as safetensors: a tensor by each name, the manifest as its bytes.

    The format's own place for text ends at 100 MB, which the ids of many users would fill.
    """
    # The library's own way to write a file leaves it readable to nobody else.
    path.write_bytes(save(to_arrays(bundle), metadata={"format": "recsys"}))


def read(path: Path) -> Bundle:
    """Return the bundle in a safetensors file.

    Raises
    ------
    DataError
        If the file is damaged or no exported version.
    """
    try:
        arrays = load_file(path)
    except (SafetensorError, ValueError, KeyError) as error:
        raise DataError(f"this is damaged, or no safetensors file: {error}", path=path) from error
    return from_arrays(path, arrays)

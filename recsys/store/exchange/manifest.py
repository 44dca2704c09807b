"""The manifest as an array of bytes, for formats that know nothing but arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recsys.errors import DataError
from recsys.store.exchange.bundle import Array, Bundle

MANIFEST = "manifest.json"


def to_arrays(bundle: Bundle) -> dict[str, Array]:
    """Return a bundle's arrays, with its manifest and its digest among them."""
    content = json.dumps({**bundle.manifest, "digest": bundle.digest}).encode()
    return {**bundle.arrays, MANIFEST: np.frombuffer(content, np.uint8)}


def read_manifest(path: Path, arrays: Mapping[str, Array]) -> tuple[dict[str, Any], str]:
    """Return the manifest among arrays and the digest of the bundle that it is of.

    Raises
    ------
    DataError
        If there is none.
    """
    if MANIFEST not in arrays:
        raise DataError(f"this is no exported version: it has no {MANIFEST}", path=path)
    try:
        manifest = json.loads(np.asarray(arrays[MANIFEST], np.uint8).tobytes())
        return manifest, manifest.pop("digest")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{MANIFEST} cannot be read: {error!r}", path=path) from error


def from_arrays(path: Path, arrays: Mapping[str, Array]) -> Bundle:
    """Return the bundle that `to_arrays` made these of.

    Raises
    ------
    DataError
        If there is no manifest, or the digest is not that of what is there.
    """
    manifest, expected = read_manifest(path, arrays)
    bundle = Bundle(manifest, {name: array for name, array in arrays.items() if name != MANIFEST})
    if bundle.digest != expected:
        raise DataError(
            "this is not what was exported: it was damaged or changed",
            path=path,
            value=bundle.digest,
            allowed=f"{expected}, the SHA-256 of what was",
        )
    return bundle

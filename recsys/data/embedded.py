"""The set that travels with the code."""

from __future__ import annotations

import hashlib
from pathlib import Path

from recsys import resources
from recsys.errors import DataError

NAME = "ml-latest-small"


def folder() -> Path:
    """Return where the embedded set lies, its files checked against their SHA-256.

    Raises
    ------
    DataError
        If a file is not what it was.
    FileNotFoundError
        If the installation is broken.
    """
    found = resources.find(f"data/{NAME}")
    check(found)
    return found


def check(found: Path) -> None:
    """Check the files of a folder against its ``SHA256SUMS``.

    Raises
    ------
    DataError
        If a file is missing or is not what it was.
    """
    for line in (found / "SHA256SUMS").read_text(encoding="ascii").splitlines():
        expected, name = line.split()
        path = found / name
        if not path.is_file():
            raise DataError("the file is missing", path=path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != expected:
            raise DataError(
                "the file was changed", path=path, value=digest, allowed=f"SHA-256 {expected}"
            )

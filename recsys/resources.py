"""Where the files that travel with the code lie: the embedded data and the migrations."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def find(name: str) -> Path:
    """Return the folder ``name`` of this checkout, or of the installed package.

    Parameters
    ----------
    name : str
        ``"migrations"`` or ``"data/ml-latest-small"``.

    Raises
    ------
    FileNotFoundError
        If neither has it: the installation is broken.
    """
    for root in (_PACKAGE / "_resources", _PACKAGE.parent):
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(f"{name} is missing from this installation of recsys; reinstall it")

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url

LR_CURVES = "lr-find"
"""The folder of the learning-rate finder's curves."""


def beside_database(database_url: str, name: str) -> Path:
    """Return the folder ``name`` beside an SQLite file; under ``var`` for another database."""
    url = make_url(database_url)
    is_file = url.get_backend_name() == "sqlite" and url.database
    return (Path(str(url.database)).parent if is_file else Path("var")) / name

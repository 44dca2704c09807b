"""Where data sets and versions are kept: SQLite by default, and what a server reads of it."""

from recsys.store.data_sets import load_ratings, save_data_set
from recsys.store.database import open_database
from recsys.store.drafts import sweep
from recsys.store.registry import (
    DataSetInfo,
    SnapshotInfo,
    VersionInfo,
    get_version,
    list_versions,
    promote,
    rollback,
)
from recsys.store.schema import current, prepare, upgrade
from recsys.store.source import StoreSource
from recsys.store.versions import load_snapshot, save_version

__all__ = [
    "DataSetInfo",
    "SnapshotInfo",
    "StoreSource",
    "VersionInfo",
    "current",
    "get_version",
    "list_versions",
    "load_ratings",
    "load_snapshot",
    "open_database",
    "prepare",
    "promote",
    "rollback",
    "save_data_set",
    "save_version",
    "sweep",
    "upgrade",
]

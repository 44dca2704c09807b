"""Where data sets and versions are kept: SQLite by default, and what a server reads of it."""

from recsys.store.aliases import RESERVED_ALIASES, AliasInfo, get_alias, promote, rollback
from recsys.store.backup import backup
from recsys.store.comparison import (
    MetricPair,
    ObjectivePair,
    VersionComparison,
    compare_versions,
)
from recsys.store.data_sets import load_ratings, sample_users, save_data_set
from recsys.store.database import open_database
from recsys.store.drafts import sweep
from recsys.store.feedback import (
    StoredFeedback,
    count_newer_feedback,
    forget_user,
    load_feedback,
    save_feedback,
)
from recsys.store.keys import KeyInfo, create_key, find_key, has_keys, list_keys, revoke_key
from recsys.store.prune import Pruned, prune
from recsys.store.registry import (
    DataSetInfo,
    SnapshotInfo,
    VersionInfo,
    get_data_set,
    get_version,
    list_versions,
)
from recsys.store.schema import current, prepare, upgrade
from recsys.store.source import StoreSource
from recsys.store.versions import load_snapshot, save_version

__all__ = [
    "RESERVED_ALIASES",
    "AliasInfo",
    "DataSetInfo",
    "KeyInfo",
    "MetricPair",
    "ObjectivePair",
    "Pruned",
    "SnapshotInfo",
    "StoreSource",
    "StoredFeedback",
    "VersionComparison",
    "VersionInfo",
    "backup",
    "compare_versions",
    "count_newer_feedback",
    "create_key",
    "current",
    "find_key",
    "forget_user",
    "get_alias",
    "get_data_set",
    "get_version",
    "has_keys",
    "list_keys",
    "list_versions",
    "load_feedback",
    "load_ratings",
    "load_snapshot",
    "open_database",
    "prepare",
    "promote",
    "prune",
    "revoke_key",
    "rollback",
    "sample_users",
    "save_data_set",
    "save_feedback",
    "save_version",
    "sweep",
    "upgrade",
]

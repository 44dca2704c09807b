"""What the service answers about its versions and itself."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from recsys.client.answers import Page


class DataSet(TypedDict):
    """What a version was trained on; held-out ratings are included."""

    name: str
    fingerprint: str
    n_users: int
    n_items: int
    n_ratings: int
    rating_scale: list[float]
    is_implicit: bool


class StoredSnapshot(TypedDict):
    """The embeddings of one objective."""

    objective: str
    n_factors: int
    n_user_factors: int
    hyperparameters: dict[str, Any]
    metrics: dict[str, float | None]
    content_hash: str


class TrainedSnapshot(StoredSnapshot):
    """The embeddings of one objective, with how their training went."""

    history: list[dict[str, Any]]


class Version(TypedDict):
    """What tells one stored version from others."""

    model_id: int
    created_at: str
    aliases: list[str]
    data_set: DataSet


class Model(Version):
    """A stored version."""

    snapshots: list[StoredSnapshot]


class ModelDetail(Version):
    """A stored version, with how its training went."""

    snapshots: list[TrainedSnapshot]


class ModelList(Page[Model]):
    """Stored versions, newest first; ``model_id`` is the champion's, if there is one."""

    model_id: int | None


class Alias(TypedDict):
    """A name that points to a version."""

    alias: str
    model_id: int
    revision: int


class MetricPair(TypedDict):
    """A metric of two versions, on the ratings that each held out."""

    before: float | None
    after: float | None
    difference: float | None


class SettingPair(TypedDict):
    """A hyperparameter that differs between two versions."""

    before: Any
    after: Any


class ComparedObjective(TypedDict):
    """One objective of two versions."""

    objective: str
    is_same: bool
    metrics: dict[str, MetricPair]
    settings: dict[str, SettingPair]


class Comparison(TypedDict):
    """Two versions side by side."""

    before: Model
    after: Model
    same_ratings: bool
    objectives: list[ComparedObjective]


class Health(TypedDict):
    """That the process answers."""

    status: Literal["ok"]


class Readiness(TypedDict):
    """What is being served."""

    status: Literal["ready"]
    model_id: int
    failure: str | None

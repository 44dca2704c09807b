from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from recsys.store import VersionInfo

REF_PATTERN = r"^([1-9][0-9]{0,17}|[a-z][a-z0-9_-]{0,63})$"


class ModelPath(BaseModel):
    """The path of one version."""

    model_config = ConfigDict(protected_namespaces=())

    model_ref: str = Field(
        pattern=REF_PATTERN,
        description="A version's id, or an alias.",
        json_schema_extra={"example": "champion"},
    )


class _Stored(BaseModel):
    model_config = ConfigDict(from_attributes=True, protected_namespaces=())


class DataSet(_Stored):
    """What a version was trained on; held-out ratings are included."""

    name: str
    fingerprint: str = Field(description="SHA-256 of all ratings.")
    n_users: int
    n_items: int
    n_ratings: int
    rating_scale: tuple[float, float] = Field(description="Smallest and largest rating.")
    is_implicit: bool


class StoredSnapshot(_Stored):
    """The embeddings of one objective."""

    objective: str = Field(examples=["rating"])
    n_factors: int = Field(description="Length of an item's embedding.")
    n_user_factors: int = Field(description="Length of a user's.")
    hyperparameters: dict[str, Any]
    metrics: dict[str, float | None] = Field(description="On the held-out ratings.")
    content_hash: str = Field(description="SHA-256 of everything that decides a prediction.")


class _Version(_Stored):
    model_id: int
    created_at: datetime = Field(description="When its storing began, UTC.")
    aliases: list[str] = Field(description="The names that point to it.")
    data_set: DataSet


class Model(_Version):
    """A stored version."""

    snapshots: list[StoredSnapshot]


class TrainedSnapshot(StoredSnapshot):
    """The embeddings of one objective, with how their training went."""

    history: list[dict[str, Any]] = Field(description="One entry per epoch.")


class ModelDetail(_Version):
    """A stored version, with how its training went."""

    snapshots: list[TrainedSnapshot]


class ModelList(BaseModel):
    """All stored versions, newest first."""

    model_config = ConfigDict(protected_namespaces=())

    items: list[Model]
    model_id: int | None = Field(description="The champion; null before the first promotion.")
    next: str | None = Field(description="Always null: the list is whole.")


def model_list(versions: list[VersionInfo]) -> ModelList:
    """Return the registry as the answer shows it."""
    champion = (version.model_id for version in versions if "champion" in version.aliases)
    return ModelList(
        items=[Model.model_validate(version) for version in versions],
        model_id=next(champion, None),
        next=None,
    )

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.schemas.common import LARGEST, Body, Limit, Parameters, whole
from recsys.store import RESERVED_ALIASES, ObjectivePair, VersionComparison, VersionInfo

REF_PATTERN = r"^([1-9][0-9]{0,17}|[a-z][a-z0-9_-]{0,63})$"

_NOT_PROTECTED = ConfigDict(protected_namespaces=())

Ref = Annotated[str, Field(pattern=REF_PATTERN, description="A version's id, or an alias.")]
ModelId = Annotated[int, Field(strict=True, ge=1, le=LARGEST), BeforeValidator(whole)]
Revision = Annotated[
    int,
    Field(
        strict=True,
        ge=0,
        le=LARGEST,
        description="Move the alias only from this revision, 0 if there is none yet; else 409.",
    ),
    BeforeValidator(whole),
]


def _not_reserved(alias: str) -> str:
    if alias in RESERVED_ALIASES:
        raise PydanticCustomError("reserved", "reserved; choose another name")
    return alias


class ModelsQuery(Parameters):
    """Which page of the versions."""

    limit: Limit = 20
    cursor: int | None = Field(
        default=None,
        ge=1,
        le=LARGEST,
        description="From `next` of the page before: only versions older than this one.",
    )


class TwoVersions(Parameters):
    """Two versions, of which the second is read as what came of the first."""

    from_: Ref = Field(alias="from", json_schema_extra={"example": "1"})
    to: Ref = Field(json_schema_extra={"example": "champion"})


class ModelPath(BaseModel):
    """The path of one version."""

    model_config = _NOT_PROTECTED

    model_ref: Ref = Field(json_schema_extra={"example": "champion"})


class AliasPath(BaseModel):
    """The path of one alias."""

    alias: Annotated[str, AfterValidator(_not_reserved)] = Field(
        pattern=r"^[a-z][a-z0-9_-]{0,63}$",
        description="`champion` is what is served. Reserved, and no alias: "
        + ", ".join(f"`{name}`" for name in RESERVED_ALIASES)
        + ".",
        json_schema_extra={"example": "champion", "not": {"enum": list(RESERVED_ALIASES)}},
    )


class Promotion(Body):
    """What an alias is to point to."""

    model_config = _NOT_PROTECTED

    model_id: ModelId = Field(description="Any version, also of another data set.")
    expected_revision: Revision | None = None


class Rollback(Body):
    """From where an alias is to be moved back."""

    expected_revision: Revision | None = None


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
    """Stored versions, newest first."""

    model_config = _NOT_PROTECTED

    items: list[Model]
    model_id: int | None = Field(description="The champion; null before the first promotion.")
    next: str | None = Field(description="Where the list goes on; null on the last page.")


class Alias(_Stored):
    """A name that points to a version."""

    alias: str
    model_id: int
    revision: int = Field(description="Grows by one with each promotion or rollback.")


class MetricPair(_Stored):
    """A metric of two versions, on the ratings that each held out."""

    before: float | None
    after: float | None
    difference: float | None = Field(
        description="After less before; null unless both held out the same ratings."
    )


class SettingPair(BaseModel):
    """A hyperparameter that differs between two versions."""

    before: Any = Field(description="Null where there is none.")
    after: Any = Field(description="Null where there is none.")


class ComparedObjective(BaseModel):
    """One objective of two versions."""

    objective: str = Field(examples=["rating"])
    is_same: bool = Field(description="Whether the parameters are the same, bit for bit.")
    metrics: dict[str, MetricPair]
    settings: dict[str, SettingPair] = Field(description="Those that differ.")


class Comparison(BaseModel):
    """Two versions side by side."""

    before: Model
    after: Model
    same_ratings: bool = Field(
        description="Whether both are of the same ratings, and so held out the same ones."
    )
    objectives: list[ComparedObjective] = Field(description="Those that both versions have.")


def comparison(compared: VersionComparison) -> Comparison:
    """Return a comparison as the answer shows it."""
    return Comparison(
        before=Model.model_validate(compared.before),
        after=Model.model_validate(compared.after),
        same_ratings=compared.same_ratings,
        objectives=[_objective(pair) for pair in compared.objectives],
    )


def model_list(
    versions: list[VersionInfo], champion: int | None, following: str | None
) -> ModelList:
    """Return one page of the registry as the answer shows it."""
    items = [Model.model_validate(version) for version in versions]
    return ModelList(items=items, model_id=champion, next=following)


def _objective(pair: ObjectivePair) -> ComparedObjective:
    return ComparedObjective(
        objective=pair.objective,
        is_same=pair.is_same,
        metrics={name: MetricPair.model_validate(found) for name, found in pair.metrics.items()},
        settings={
            name: SettingPair(before=before, after=after)
            for name, (before, after) in pair.settings.items()
        },
    )

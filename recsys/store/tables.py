"""The tables. Migrations make them (`migrations/versions`); a test holds the two equal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from recsys.store.base import Base, Revision


class Draft:
    """A row whose parts are written in chunks: nothing reads it before it is complete.

    Attributes
    ----------
    is_complete : bool
        Set by the last commit.
    touched_at : datetime
        When its writer last wrote, which tells a slow writer from a killed one.
    """

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-4)
    created_at: Mapped[datetime] = mapped_column(sort_order=-3)
    touched_at: Mapped[datetime] = mapped_column(sort_order=-2)
    is_complete: Mapped[bool] = mapped_column(sort_order=-1)


class DataSet(Draft, Base):
    """Ratings that versions were trained on, told apart by what they hold."""

    __tablename__ = "data_sets"

    name: Mapped[str]
    fingerprint: Mapped[str] = mapped_column(String(64))
    metadata_fingerprint: Mapped[str] = mapped_column(String(64))
    n_users: Mapped[int]
    n_items: Mapped[int]
    n_ratings: Mapped[int]
    rating_min: Mapped[float]
    rating_max: Mapped[float]
    is_implicit: Mapped[bool]
    has_timestamps: Mapped[bool]
    feedback_revision: Mapped[int] = mapped_column(Revision, server_default=text("0"))
    """The newest write of feedback that the ratings hold; 0 where none was merged in."""

    __table_args__ = (
        # Two writers may draft the same data set; only one of them may complete it.
        Index(
            "uq_data_sets_content",
            "name",
            "fingerprint",
            "metadata_fingerprint",
            unique=True,
            sqlite_where=text("is_complete"),
            postgresql_where=text("is_complete"),
        ),
        {"sqlite_autoincrement": True},
    )


class Item(Base):
    """One item of a data set."""

    __tablename__ = "items"

    data_set_id: Mapped[int] = mapped_column(
        ForeignKey(DataSet.id, ondelete="CASCADE"), primary_key=True
    )
    item_row: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[str] = mapped_column(String(255))
    title: Mapped[str | None]
    year: Mapped[int | None]
    genres: Mapped[list[str]]
    n_ratings: Mapped[int]
    mean_rating: Mapped[float | None]

    __table_args__ = (UniqueConstraint("data_set_id", "item_id"),)


class RatedItems(Base):
    """All that one user of a data set is known to have rated, ascending by item row."""

    __tablename__ = "rated_items"

    data_set_id: Mapped[int] = mapped_column(
        ForeignKey(DataSet.id, ondelete="CASCADE"), primary_key=True
    )
    user_row: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(String(255))
    n_ratings: Mapped[int]
    item_rows: Mapped[bytes]
    """Little-endian int32."""
    rating_values: Mapped[bytes | None]
    """Little-endian float32; null for implicit feedback."""
    timestamps: Mapped[bytes | None]
    """Little-endian int64, seconds since 1970; null where there are none."""

    __table_args__ = (UniqueConstraint("data_set_id", "user_id"),)


class Model(Draft, Base):
    """A version: one training run."""

    __tablename__ = "models"

    data_set_id: Mapped[int] = mapped_column(ForeignKey(DataSet.id), index=True)

    # An id is never given twice: a server knows a version by it.
    __table_args__ = ({"sqlite_autoincrement": True},)


class SnapshotRow(Base):
    """One objective of a version, apart from its embeddings."""

    __tablename__ = "snapshots"

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey(Model.id, ondelete="CASCADE"))
    objective: Mapped[str] = mapped_column(String(16))
    n_factors: Mapped[int]
    """Length of an item's embedding."""
    n_user_factors: Mapped[int]
    n_layers: Mapped[int]
    """Of the network; 0 for the dot product."""
    global_mean: Mapped[float]
    y_min: Mapped[float | None]
    y_max: Mapped[float | None]
    rating_min: Mapped[float]
    rating_max: Mapped[float]
    hyperparameters: Mapped[dict[str, Any]]
    metrics: Mapped[dict[str, Any]]
    content_hash: Mapped[str] = mapped_column(String(64))
    items_hash: Mapped[str | None] = mapped_column(String(64))
    """`ItemSide.content_hash`; null in a version stored before there was this column."""
    newcomers: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """`Newcomers.strengths`; null where nobody can be folded in."""
    user_mean: Mapped[bytes | None]
    """Of `Newcomers`; little-endian float32."""
    intervals: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """`StarIntervals.as_dict`; null where none were calibrated."""

    __table_args__ = (
        UniqueConstraint("model_id", "objective"),
        {"sqlite_autoincrement": True},
    )


class Epoch(Base):
    """What training reported of one epoch of a snapshot."""

    __tablename__ = "epochs"

    snapshot_id: Mapped[int] = mapped_column(
        ForeignKey(SnapshotRow.id, ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    report: Mapped[dict[str, Any]]


class Layer(Base):
    """One layer of a snapshot's network."""

    __tablename__ = "layers"

    snapshot_id: Mapped[int] = mapped_column(
        ForeignKey(SnapshotRow.id, ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    n_inputs: Mapped[int]
    n_outputs: Mapped[int]
    weight: Mapped[bytes]
    """Little-endian float32, one input's weights after the other's."""
    bias: Mapped[bytes]
    """Little-endian float32."""


# Not a number and the infinities fail it on SQLite and on Postgres.
_FINITE = "abs(bias) < 3.5e38"


class UserEmbedding(Base):
    """One user's row of a snapshot."""

    __tablename__ = "user_embeddings"

    snapshot_id: Mapped[int] = mapped_column(
        ForeignKey(SnapshotRow.id, ondelete="CASCADE"), primary_key=True
    )
    user_row: Mapped[int] = mapped_column(primary_key=True)
    bias: Mapped[float]
    factors: Mapped[bytes]
    """Little-endian float32."""

    __table_args__ = (CheckConstraint(_FINITE, "bias_finite"), {"sqlite_with_rowid": False})


class ItemEmbedding(Base):
    """One item's row of a snapshot."""

    __tablename__ = "item_embeddings"

    snapshot_id: Mapped[int] = mapped_column(
        ForeignKey(SnapshotRow.id, ondelete="CASCADE"), primary_key=True
    )
    item_row: Mapped[int] = mapped_column(primary_key=True)
    n_ratings: Mapped[int]
    """Training ratings of the item."""
    bias: Mapped[float]
    factors: Mapped[bytes]
    """Little-endian float32."""
    implicit_bias: Mapped[float | None]
    """`Newcomers.item_implicit_bias`; null without implicit terms."""
    implicit_factors: Mapped[bytes | None]
    """`Newcomers.item_implicit`; little-endian float32."""

    __table_args__ = (CheckConstraint(_FINITE, "bias_finite"), {"sqlite_with_rowid": False})


class Alias(Base):
    """A name that points to a version, such as ``champion``."""

    __tablename__ = "aliases"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey(Model.id), index=True)
    revision: Mapped[int]
    """Grows by one with each move."""


class Promotion(Base):
    """A promotion, kept so that it can be rolled back."""

    __tablename__ = "promotions"

    alias: Mapped[str] = mapped_column(ForeignKey(Alias.name, ondelete="CASCADE"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey(Model.id, ondelete="CASCADE"), index=True)
    promoted_at: Mapped[datetime]
    rolled_back_at: Mapped[datetime | None]


class ApiKey(Base):
    """A key that allows to write, known by its hash alone."""

    __tablename__ = "api_keys"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256, hexadecimal."""
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

"""Data sets, versions and their embeddings, aliases.

Revision: 0001
Follows: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "data_sets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("metadata_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("n_users", sa.Integer(), nullable=False),
        sa.Column("n_items", sa.Integer(), nullable=False),
        sa.Column("n_ratings", sa.Integer(), nullable=False),
        sa.Column("rating_min", sa.Double(), nullable=False),
        sa.Column("rating_max", sa.Double(), nullable=False),
        sa.Column("is_implicit", sa.Boolean(), nullable=False),
        sa.Column("has_timestamps", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_sets")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_data_sets_content",
        "data_sets",
        ["name", "fingerprint", "metadata_fingerprint"],
        unique=True,
        sqlite_where=sa.text("is_complete"),
        postgresql_where=sa.text("is_complete"),
    )

    op.create_table(
        "items",
        sa.Column("data_set_id", sa.Integer(), nullable=False),
        sa.Column("item_row", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(length=255), nullable=False),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("genres", sa.JSON(), nullable=False),
        sa.Column("n_ratings", sa.Integer(), nullable=False),
        sa.Column("mean_rating", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["data_set_id"], ["data_sets.id"], name=op.f("fk_items_data_set_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("data_set_id", "item_row", name=op.f("pk_items")),
        sa.UniqueConstraint("data_set_id", "item_id", name=op.f("uq_items_data_set_id_item_id")),
    )
    op.create_table(
        "models",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("data_set_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["data_set_id"], ["data_sets.id"], name=op.f("fk_models_data_set_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_models_data_set_id"), "models", ["data_set_id"])

    op.create_table(
        "rated_items",
        sa.Column("data_set_id", sa.Integer(), nullable=False),
        sa.Column("user_row", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("n_ratings", sa.Integer(), nullable=False),
        sa.Column("item_rows", sa.LargeBinary(), nullable=False),
        sa.Column("rating_values", sa.LargeBinary(), nullable=True),
        sa.Column("timestamps", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["data_set_id"],
            ["data_sets.id"],
            name=op.f("fk_rated_items_data_set_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("data_set_id", "user_row", name=op.f("pk_rated_items")),
        sa.UniqueConstraint(
            "data_set_id", "user_id", name=op.f("uq_rated_items_data_set_id_user_id")
        ),
    )
    op.create_table(
        "aliases",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_aliases_model_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_aliases")),
    )
    op.create_index(op.f("ix_aliases_model_id"), "aliases", ["model_id"])

    op.create_table(
        "snapshots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("objective", sa.String(length=16), nullable=False),
        sa.Column("n_factors", sa.Integer(), nullable=False),
        sa.Column("global_mean", sa.Double(), nullable=False),
        sa.Column("y_min", sa.Double(), nullable=True),
        sa.Column("y_max", sa.Double(), nullable=True),
        sa.Column("rating_min", sa.Double(), nullable=False),
        sa.Column("rating_max", sa.Double(), nullable=False),
        sa.Column("hyperparameters", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_snapshots_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("model_id", "objective", name=op.f("uq_snapshots_model_id_objective")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "epochs",
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["snapshots.id"],
            name=op.f("fk_epochs_snapshot_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "position", name=op.f("pk_epochs")),
    )
    op.create_table(
        "item_embeddings",
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("item_row", sa.Integer(), nullable=False),
        sa.Column("n_ratings", sa.Integer(), nullable=False),
        sa.Column("bias", sa.Double(), nullable=False),
        sa.Column("factors", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("abs(bias) < 3.5e38", name=op.f("ck_item_embeddings_bias_finite")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["snapshots.id"],
            name=op.f("fk_item_embeddings_snapshot_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "item_row", name=op.f("pk_item_embeddings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "promotions",
        sa.Column("alias", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rolled_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["alias"], ["aliases.name"], name=op.f("fk_promotions_alias"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_promotions_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("alias", "revision", name=op.f("pk_promotions")),
    )
    op.create_index(op.f("ix_promotions_model_id"), "promotions", ["model_id"])

    op.create_table(
        "user_embeddings",
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("user_row", sa.Integer(), nullable=False),
        sa.Column("bias", sa.Double(), nullable=False),
        sa.Column("factors", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("abs(bias) < 3.5e38", name=op.f("ck_user_embeddings_bias_finite")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["snapshots.id"],
            name=op.f("fk_user_embeddings_snapshot_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "user_row", name=op.f("pk_user_embeddings")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("user_embeddings")
    op.drop_table("promotions")
    op.drop_table("item_embeddings")
    op.drop_table("epochs")
    op.drop_table("snapshots")
    op.drop_table("aliases")
    op.drop_table("rated_items")
    op.drop_table("models")
    op.drop_table("items")
    op.drop_table("data_sets")

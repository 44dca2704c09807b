"""The network of a snapshot, and embeddings of users that are longer or shorter than of items.

Revision: 0002
Follows: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Copying a table, SQLite's way of altering it, would forget this.
AUTOINCREMENT = {"sqlite_autoincrement": True}


def upgrade() -> None:
    op.add_column("snapshots", sa.Column("n_user_factors", sa.Integer(), nullable=True))
    op.add_column("snapshots", sa.Column("n_layers", sa.Integer(), nullable=True))
    op.execute("UPDATE snapshots SET n_user_factors = n_factors, n_layers = 0")
    with op.batch_alter_table("snapshots", table_kwargs=AUTOINCREMENT) as snapshots:
        for name in ("n_user_factors", "n_layers"):
            snapshots.alter_column(name, existing_type=sa.Integer(), nullable=False)

    op.create_table(
        "layers",
        sa.Column("snapshot_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("n_inputs", sa.Integer(), nullable=False),
        sa.Column("n_outputs", sa.Integer(), nullable=False),
        sa.Column("weight", sa.LargeBinary(), nullable=False),
        sa.Column("bias", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot_id"],
            ["snapshots.id"],
            name=op.f("fk_layers_snapshot_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("snapshot_id", "position", name=op.f("pk_layers")),
    )


def downgrade() -> None:
    op.drop_table("layers")
    with op.batch_alter_table("snapshots", table_kwargs=AUTOINCREMENT) as snapshots:
        snapshots.drop_column("n_layers")
        snapshots.drop_column("n_user_factors")

"""What folding a newcomer in takes beside the items' embeddings, and intervals of stars.

All of it stays null in the versions that are there: their hashes are as they were, and a newcomer
cannot be folded into them.

Revision: 0004
Follows: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("snapshots", sa.Column("newcomers", sa.JSON(), nullable=True))
    op.add_column("snapshots", sa.Column("user_mean", sa.LargeBinary(), nullable=True))
    op.add_column("snapshots", sa.Column("intervals", sa.JSON(), nullable=True))
    op.add_column("item_embeddings", sa.Column("implicit_bias", sa.Double(), nullable=True))
    op.add_column("item_embeddings", sa.Column("implicit_factors", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    # Copying a table, SQLite's way of altering it, would forget how it was made.
    with op.batch_alter_table(
        "item_embeddings", table_kwargs={"sqlite_with_rowid": False}
    ) as item_embeddings:
        item_embeddings.drop_column("implicit_factors")
        item_embeddings.drop_column("implicit_bias")
    with op.batch_alter_table(
        "snapshots", table_kwargs={"sqlite_autoincrement": True}
    ) as snapshots:
        for name in ("intervals", "user_mean", "newcomers"):
            snapshots.drop_column(name)

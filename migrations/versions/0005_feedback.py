"""Ratings that come in after a training, and up to which of them each data set holds them.

The data sets that are there hold none.

Revision: 0005
Follows: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "data_sets",
        sa.Column("feedback_revision", sa.Integer(), server_default="0", nullable=False),
    )
    op.create_table(
        "feedback",
        sa.Column("data_set_name", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("item_id", sa.String(length=255), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("rated_at", sa.BigInteger(), nullable=False),
        sa.Column("is_erased", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("data_set_name", "user_id", "item_id", name=op.f("pk_feedback")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "feedback_revisions",
        sa.Column("data_set_name", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("data_set_name", name=op.f("pk_feedback_revisions")),
    )


def downgrade() -> None:
    op.drop_table("feedback_revisions")
    op.drop_table("feedback")
    # Copying a table, SQLite's way of altering it, would forget that ids are never given twice.
    with op.batch_alter_table(
        "data_sets", table_kwargs={"sqlite_autoincrement": True}
    ) as data_sets:
        data_sets.drop_column("feedback_revision")

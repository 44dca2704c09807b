"""A hash of the items' half of each snapshot, so that a server verifies what it reads.

It stays null in the versions that are there: computing it from their rows would vouch for rows
that may be damaged already. Their items are verified with the whole snapshot.

Revision: 0003
Follows: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("snapshots", sa.Column("items_hash", sa.String(length=64), nullable=True))


def downgrade() -> None:
    # Copying a table, SQLite's way of altering it, would forget that ids are never given twice.
    with op.batch_alter_table(
        "snapshots", table_kwargs={"sqlite_autoincrement": True}
    ) as snapshots:
        snapshots.drop_column("items_hash")

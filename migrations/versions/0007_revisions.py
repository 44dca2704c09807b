"""Revisions of feedback are moments in microseconds, of 64 bits.

SQLite's integers are so already.

Revision: 0007
Follows: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS = (
    ("data_sets", "feedback_revision"),
    ("feedback", "revision"),
    ("feedback_revisions", "revision"),
)


def upgrade() -> None:
    _alter(sa.Integer(), sa.BigInteger())


def downgrade() -> None:
    _alter(sa.BigInteger(), sa.Integer())


def _alter(old: sa.types.TypeEngine[int], new: sa.types.TypeEngine[int]) -> None:
    if op.get_context().dialect.name != "sqlite":
        for table, column in COLUMNS:
            op.alter_column(table, column, existing_type=old, type_=new, existing_nullable=False)

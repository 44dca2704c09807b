from __future__ import annotations

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from recsys.store.base import Base, Revision


class FeedbackRow(Base):
    """The last that one user said of one item of the data sets of one name."""

    __tablename__ = "feedback"

    data_set_name: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    """Empty where the user took back all that was known before."""
    value: Mapped[float | None]
    """Null where there is none: taken back, or implicit feedback."""
    rated_at: Mapped[int] = mapped_column(BigInteger)
    """Seconds since 1970."""
    is_erased: Mapped[bool]
    revision: Mapped[int] = mapped_column(Revision)
    """That of the write."""

    __table_args__ = ({"sqlite_with_rowid": False},)


class FeedbackRevision(Base):
    """The newest write of feedback on the data sets of one name."""

    __tablename__ = "feedback_revisions"

    data_set_name: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(Revision)
    """When it was, in microseconds since 1970; more if the clock says no later than the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from recsys.data.feedback import FeedbackEntry
from recsys.model.item_side import ItemSide
from recsys.model.rated import Rated
from recsys.model.snapshot import Catalogue, Champion, Objective
from recsys.model.user_state import UserState


class Source(Protocol):
    """Where a server's versions come from; `recsys.store.StoreSource` fulfils it.

    Every method raises `NotFoundError` for a version or objective that does not exist.
    """

    def champion(self) -> Champion | None:
        """Return what is to be served now; None before the first promotion."""

    def champion_and_user(self, user_id: str) -> tuple[Champion, UserState] | None:
        """Return what is to be served now and what it knows of a user, read at one moment.

        None before the first promotion, and if anything but the user is missing.
        """

    def earlier_champions(self) -> Sequence[int]:
        """Return the versions that rollbacks would lead to, the next one first."""

    def content_hashes(self, model_id: int) -> Mapping[Objective, str]:
        """Return the content hash of each snapshot of the version."""

    def item_side(self, model_id: int, objective: Objective) -> ItemSide:
        """Return the items' half of a snapshot, verified: callers keep it under its hash."""

    def catalogue(self, model_id: int) -> Catalogue:
        """Return the items of the version's data set."""

    def user(self, model_id: int, user_id: str) -> UserState:
        """Return what the version and the feedback since know of a user, read at one moment."""

    def rated(self, model_id: int, user_id: str) -> Rated | None:
        """Return what the version's data set holds of a user; None for one it does not know."""

    def newer_feedback(self, model_id: int, user_id: str) -> Sequence[FeedbackEntry]:
        """Return what a user said after the version's data were read, each item once."""

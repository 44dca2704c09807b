from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from recsys.model.snapshot import Objective, UserRow


class UserState(NamedTuple):
    """What a version and the feedback since know of a user, all of one moment.

    Attributes
    ----------
    feedback_revision : int
        The newest write of feedback about the user; 0 if there was none. It changes with all that
        is known of the user beside the version.
    has_newer_feedback : bool
        Whether some of it came in after the version's data were read.
    rows : callable
        Returns the user's half of each of the version's snapshots, by objective; empty for a user
        whom the version does not know. Raises `StoreError` if a row is damaged.
    """

    feedback_revision: int
    has_newer_feedback: bool
    rows: Callable[[], Mapping[Objective, UserRow]]

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from recsys.errors import NoModelError, StoreError
from recsys.model.snapshot import Champion
from recsys.model.user_state import UserState
from recsys.serving.item_files import ItemFiles
from recsys.serving.recommender import Recommender
from recsys.serving.source import Source

# A version that cannot be loaded is tried again after so many seconds, not at each request.
RETRY_SECONDS = 30.0

logger = logging.getLogger(__name__)


class Current(NamedTuple):
    """What one request is answered from, first to last."""

    recommender: Recommender
    revision: int
    """Of the alias; grows with each promotion or rollback."""
    user: UserState | None = None
    """What is known of the user who was asked for along with it, where that was read."""


class _Failed(NamedTuple):
    model_id: int
    reason: str
    retry_at: float


class Serving:
    """The champion of a source, followed as it changes.

    One object serves all threads of a process. What `current` returns stays as it is: a
    request that keeps it never mixes two versions.

    Parameters
    ----------
    source : Source
    files : ItemFiles
    loaded : callable, optional
        Told the id of each version that is loaded, and whether that succeeded.
    """

    def __init__(
        self,
        source: Source,
        files: ItemFiles,
        loaded: Callable[[int, bool], None] = lambda _model_id, _succeeded: None,
    ) -> None:
        self._source = source
        self._files = files
        self._loaded = loaded
        self._current: Current | None = None
        self._failed: _Failed | None = None
        self._silent = False
        self._loading = threading.Lock()

    @property
    def failure(self) -> str | None:
        """Why what is being served may not be the champion; None if it is."""
        if self._silent:
            return "the store does not say which version is the champion; the log says why"
        return None if self._failed is None else self._failed.reason

    def current(self, user_id: str | None = None) -> Current:
        """Return the champion, loaded; with what it knows of a user, if that takes no other read.

        The source is asked which version that is; the version is loaded when it changed. If
        either fails, the last good one keeps serving, and `failure` and the log say why. Where
        none has been loaded yet, that is the first sound one that a rollback would lead to.

        Raises
        ------
        NoModelError
            If there is no champion, or neither it nor an earlier one can be loaded.
        StoreError
            If the source cannot be read and nothing has been loaded yet.
        """
        held = self._current
        try:
            champion, user = self._champion(user_id)
        except StoreError as error:
            if held is None:
                raise
            self._note_silence(error)
            return held
        self._silent = False
        if held is None or held.recommender.model_id != champion.model_id:
            return self._switch()
        if held.revision != champion.revision:
            held = self._current = Current(held.recommender, champion.revision)
        self._failed = None
        return held if user is None else Current(held.recommender, held.revision, user)

    def _note_silence(self, error: StoreError) -> None:
        # Once, not at each request.
        if not self._silent:
            logger.error("the champion is unknown, the last one keeps serving: %s", error)
        self._silent = True

    def _champion(self, user_id: str | None = None) -> tuple[Champion, UserState | None]:
        try:
            found = None if user_id is None else self._source.champion_and_user(user_id)
        except StoreError:
            # What is wrong with one user is told when that user is read apart.
            found = None
        champion, user = found or (self._source.champion(), None)
        if champion is None:
            raise NoModelError("there is no model to serve yet: `recsys train` makes one")
        return champion, user

    def _switch(self) -> Current:
        # While one thread loads, the others go on with the old version, or wait if there is none.
        if not self._loading.acquire(blocking=self._current is None):
            return self._last_good()
        try:
            # Asked again: what this thread was told may have been overtaken since, and it must not
            # bring back the version before.
            champion, _ = self._champion()
            held, failed = self._current, self._failed
            if held is not None and held.recommender.model_id == champion.model_id:
                return held
            if failed is None or failed.model_id != champion.model_id or _past(failed.retry_at):
                self._load(champion)
            return self._last_good()
        finally:
            self._loading.release()

    def _load(self, champion: Champion) -> None:
        model_id = champion.model_id
        if self._try(model_id, champion.revision):
            self._failed = None
            return
        reason = f"version {model_id} cannot be loaded; the log says why"
        self._failed = _Failed(model_id, reason, time.monotonic() + RETRY_SECONDS)
        if self._current is None:
            # What was rolled back stays away: somebody has decided that it is not to be served.
            for earlier in self._source.earlier_champions():
                if self._try(earlier, champion.revision):
                    logger.error(
                        "version %d is served in place of the champion %d, which is tried again "
                        "every %.0f seconds; `recsys models promote %d` settles it",
                        earlier,
                        model_id,
                        RETRY_SECONDS,
                        earlier,
                    )
                    return

    def _try(self, model_id: int, revision: int) -> bool:
        try:
            recommender = Recommender.load(self._source, model_id, self._files)
        except Exception:
            # Whatever is wrong with a new version must not take the old one down.
            logger.exception("version %d cannot be loaded", model_id)
            self._loaded(model_id, False)
            return False
        self._current = Current(recommender, revision)
        logger.info("serving version %d", model_id)
        self._loaded(model_id, True)
        return True

    def _last_good(self) -> Current:
        if self._current is None:
            raise NoModelError(
                f"{self.failure}. No version that a rollback would lead to can be loaded either: "
                "restore the database from a backup, or train anew"
            )
        return self._current


def _past(moment: float) -> bool:
    return time.monotonic() >= moment

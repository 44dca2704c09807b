from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

from flask import current_app, g, request
from sqlalchemy import Engine

from api.config import Config
from recsys.data.ids import is_valid_id
from recsys.model.user_state import UserState
from recsys.serving import Current, ItemFiles, Person, Recommender, Serving
from recsys.store import StoreSource, open_database

LOCK_TIMEOUT = 5.0
"""Seconds that one of a worker's threads waits to write while another process does."""

TURN_TIMEOUT = 1.0
"""Seconds after which the worker's other threads refuse to write rather than wait behind it."""


class Backend:
    """What one worker answers from, opened when it is first asked for.

    An application is made before or after a fork; a database connection must be made after.

    Parameters
    ----------
    config : Config
    loaded : callable
        Told the id of each version that is loaded, and whether that succeeded.
    """

    def __init__(self, config: Config, loaded: Callable[[int, bool], None]) -> None:
        self._config = config
        self._loaded = loaded
        self._opened: tuple[Engine, Serving] | None = None
        self._opening = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The store's database."""
        return self._open()[0]

    @property
    def serving(self) -> Serving:
        """The champion, followed as it changes."""
        return self._open()[1]

    def _open(self) -> tuple[Engine, Serving]:
        with self._opening:
            if self._opened is None:
                engine = open_database(
                    self._config.database_url,
                    # One that is missing was lost: an empty one in its place would hide that.
                    create=False,
                    lock_timeout=LOCK_TIMEOUT,
                    turn_timeout=TURN_TIMEOUT,
                )
                files = ItemFiles(self._config.cache_dir)
                self._opened = engine, Serving(StoreSource(engine), files, self._loaded)
            return self._opened


def backend() -> Backend:
    """Return the backend of the application that answers this request."""
    return cast(Backend, current_app.extensions["recsys"])


def current() -> Current:
    """Return the version that this request is answered from, from its first line to its last."""
    held = cast("Current | None", g.get("current"))
    if held is None:
        user_id = user_in_path()
        held = g.current = backend().serving.current(user_id)
        g.user_states = {} if held.user is None else {user_id: held.user}
    return held


def user_in_path() -> str | None:
    """Return the user whom the path of this request names; None without one, or if it is no id."""
    user_id = cast("str | None", (request.view_args or {}).get("user_id"))
    return None if user_id is None or not is_valid_id(user_id) else user_id


def recommender() -> Recommender:
    """Return the recommender of this request."""
    return current().recommender


def user_state(user_id: str) -> UserState:
    """Return what this request knows of a user: the same, however often it asks."""
    asked, known = recommender(), cast("dict[str, UserState]", g.user_states)
    if user_id not in known:
        known[user_id] = asked.source.user(asked.model_id, user_id)
    return known[user_id]


def find_person(user_id: str) -> Person:
    """Return a user as this request knows them.

    Raises
    ------
    UnknownUserError
        If the version does not know the user and nothing has come in since.
    """
    return recommender().person(user_id, user_state(user_id))

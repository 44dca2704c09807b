"""Which column holds what: by name where there is a header, else by place."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from recsys.errors import DataError, UsageError

Role = Literal["user", "item", "rating", "timestamp"]
ROLES: tuple[Role, ...] = ("user", "item", "rating", "timestamp")

# Compared without case, spaces and punctuation; of several that fit, the earliest named here.
COLUMN_NAMES: Mapping[Role, tuple[str, ...]] = {
    "user": ("userid", "user", "uid", "username", "customerid", "customer", "reviewerid"),
    "item": (
        *("itemid", "item", "iid", "movieid", "movie", "mid", "filmid", "film"),
        *("productid", "product", "asin", "bookid", "book", "isbn", "trackid", "track"),
        *("songid", "song", "artistid", "artist", "articleid", "article"),
    ),
    "rating": ("rating", "ratings", "score", "stars", "star", "overall", "ratingvalue"),
    "timestamp": (
        *("timestamp", "unixtime", "unixreviewtime", "datetime", "time", "date", "ts"),
        *("ratedat", "createdat"),
    ),
}


@dataclass(frozen=True)
class Columns:
    """The position of each role's column, counted from 0; None where the data has none."""

    user: int
    item: int
    rating: int | None
    timestamp: int | None

    def positions(self) -> dict[Role, int]:
        """Return the position of each role that has a column."""
        found = {role: getattr(self, role) for role in ROLES}
        return {role: place for role, place in found.items() if place is not None}


def match(name: str) -> Role | None:
    """Return the role that a column called ``name`` has."""
    return next((role for role in ROLES if _plain(name) in COLUMN_NAMES[role]), None)


def by_name(
    names: Sequence[str],
    wanted: Mapping[str, str] | None = None,
    *,
    path: str,
    line: int | None = None,
) -> Columns:
    """Return where the roles stand among the columns called ``names``.

    Parameters
    ----------
    names : sequence of str
        The header.
    wanted : mapping of role to str, optional
        The exact names of the columns of some or all roles; the others are guessed.
    path, line : str, int
        Where the header stands, for messages.

    Raises
    ------
    DataError
        If there is no user or no item column, or none of a wanted name.
    UsageError
        If ``wanted`` names something else than the four roles.
    """
    wanted = dict(wanted or {})
    if strange := sorted(set(wanted) - set(ROLES)):
        raise UsageError(f"columns names {strange[0]!r}; allowed: {', '.join(ROLES)}")

    def required(role: Role) -> int:
        place = _find(names, role, wanted.get(role))
        if place is None:
            known = f"one of {', '.join(COLUMN_NAMES[role])} ('_' and upper case do not matter)"
            raise DataError(
                f"no {role} column",
                path=path,
                line=line,
                value=", ".join(names),
                allowed=f"a column called {wanted[role]!r}" if role in wanted else known,
            )
        return place

    def optional(role: Role) -> int | None:
        return required(role) if role in wanted else _find(names, role, None)

    return Columns(required("user"), required("item"), optional("rating"), optional("timestamp"))


def by_place(n_columns: int) -> Columns:
    """Return the columns of a table without header: user, item, rating, timestamp."""
    return Columns(0, 1, 2 if n_columns > 2 else None, 3 if n_columns > 3 else None)


def _find(names: Sequence[str], role: Role, wanted: str | None) -> int | None:
    if wanted is not None:
        return names.index(wanted) if wanted in names else None
    plain = [_plain(name) for name in names]
    return next((plain.index(known) for known in COLUMN_NAMES[role] if known in plain), None)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()

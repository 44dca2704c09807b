"""What a source holds and what is wrong with it: `recsys data info`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recsys.data.ratings import Ratings
from recsys.data.readers import Reading, find_problems, read
from recsys.errors import DataError

MAX_PROBLEMS = 20
# GroupLens's own threshold for the users it publishes.
FEW_RATINGS = 20


@dataclass(frozen=True)
class Spread:
    """The smallest, the middle and the largest of some counts."""

    min: int
    median: float
    max: int


@dataclass(frozen=True)
class Contents:
    """What readable ratings hold.

    Attributes
    ----------
    name, format : str
    path : str
        The file the ratings stand in.
    titles_path, titles_encoding : str or None
        Where titles came from.
    fingerprint : str
        `Ratings.fingerprint`.
    n_users, n_items, n_ratings : int
    density : float
        Share of all pairs that are rated.
    is_implicit : bool
        Whether there are no rating values.
    rating_min, rating_max, rating_mean : float or None
        None for implicit feedback.
    histogram : mapping of str to int, or None
        Number of ratings by value; by range where there are many values.
    first_rated, last_rated : str or None
        ISO dates in UTC, None without timestamps.
    ratings_per_user, ratings_per_item : Spread
    n_users_with_few, n_items_with_few : int
        Those with fewer than `FEW_RATINGS` ratings.
    n_titles, n_years, n_genres : int
        Items that have a title, a year, at least one genre.
    n_duplicates : int
        Rows dropped because the user rated the same item later.
    """

    name: str
    format: str
    path: str
    titles_path: str | None
    titles_encoding: str | None
    fingerprint: str
    n_users: int
    n_items: int
    n_ratings: int
    density: float
    is_implicit: bool
    rating_min: float | None
    rating_max: float | None
    rating_mean: float | None
    histogram: Mapping[str, int] | None
    first_rated: str | None
    last_rated: str | None
    ratings_per_user: Spread
    ratings_per_item: Spread
    n_users_with_few: int
    n_items_with_few: int
    n_titles: int
    n_years: int
    n_genres: int
    n_duplicates: int


@dataclass(frozen=True)
class Description:
    """What a source holds and what is wrong with it.

    Attributes
    ----------
    contents : Contents or None
        None if it cannot be read.
    problems : tuple of str
        What keeps it from being read, the first `MAX_PROBLEMS` in the order of the lines.
    has_more_problems : bool
        Whether there are more than those.
    warnings : tuple of str
        What can be read but may not be meant.
    """

    contents: Contents | None
    problems: tuple[str, ...] = ()
    has_more_problems: bool = False
    warnings: tuple[str, ...] = ()


def describe(
    source: str | Path | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    directory: str | Path | None = None,
    progress: bool = False,
) -> Description:
    """Return what ``source`` holds and what is wrong with it; parameters as `read_ratings`.

    Raises
    ------
    NotFoundError
        If there is no such path and no such set.
    """
    try:
        reading = read(source, columns=columns, directory=directory, progress=progress)
    except DataError as error:
        try:
            found = find_problems(source, columns=columns, directory=directory)
            problems = list(islice(found, MAX_PROBLEMS + 1)) or [error]
        except DataError:
            problems = [error]
        return Description(
            contents=None,
            problems=tuple(str(problem) for problem in problems[:MAX_PROBLEMS]),
            has_more_problems=len(problems) > MAX_PROBLEMS,
        )
    return Description(contents=_contents(reading), warnings=tuple(_warnings(reading)))


def _contents(reading: Reading) -> Contents:
    ratings = reading.ratings
    values, metadata = ratings.values, ratings.metadata
    per_user, per_item = ratings.counts_by_user, ratings.counts_by_item
    first, last = _period(ratings)
    return Contents(
        name=ratings.name,
        format=reading.format,
        path=reading.path,
        titles_path=reading.titles_path,
        titles_encoding=reading.titles_encoding,
        fingerprint=ratings.fingerprint,
        n_users=ratings.n_users,
        n_items=ratings.n_items,
        n_ratings=ratings.n_ratings,
        density=ratings.n_ratings / (ratings.n_users * ratings.n_items),
        is_implicit=ratings.is_implicit,
        rating_min=None if values is None else ratings.rating_scale[0],
        rating_max=None if values is None else ratings.rating_scale[1],
        rating_mean=None if values is None else float(values.mean(dtype=np.float64)),
        histogram=None if values is None else _histogram(values),
        first_rated=first,
        last_rated=last,
        ratings_per_user=_spread(per_user),
        ratings_per_item=_spread(per_item),
        n_users_with_few=int((per_user < FEW_RATINGS).sum()),
        n_items_with_few=int((per_item < FEW_RATINGS).sum()),
        n_titles=sum(title is not None for title in metadata.titles),
        n_years=sum(year is not None for year in metadata.years),
        n_genres=sum(bool(genres) for genres in metadata.genres),
        n_duplicates=reading.n_duplicates,
    )


def _warnings(reading: Reading) -> list[str]:
    ratings = reading.ratings
    found = list(reading.notes)
    if ratings.is_implicit:
        found.append("there is no rating column: the data is implicit feedback, for ranking only")
    elif ratings.rating_scale[0] == ratings.rating_scale[1]:
        found.append(f"all ratings are {ratings.rating_scale[0]:g}: nothing tells good from bad")
    if reading.titles_path is not None:
        untitled = sum(title is None for title in ratings.metadata.titles)
        if untitled:
            found.append(f"{untitled:,} of {ratings.n_items:,} items have no title; ids are shown")
    if ratings.timestamps is not None and ratings.timestamps.min() <= 0:
        early = int((ratings.timestamps <= 0).sum())
        found.append(f"{early:,} times are 1970 or earlier, which is seldom meant")
    for who, rows, n_rows in (
        ("users", ratings.users, ratings.n_users),
        ("items", ratings.items, ratings.n_items),
    ):
        if n_rows == 1:
            found.append(f"there is only one of the {who}: nothing can be learned about {who}")
        elif len(rows) == n_rows:
            found.append(f"all {who} have one rating each: are the columns the right ones?")
    return found


def _histogram(values: NDArray[np.float32]) -> dict[str, int]:
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= 20:
        return {f"{value:g}": int(n) for value, n in zip(distinct, counts, strict=True)}
    counts, edges = np.histogram(values, bins=10)
    ranges = (f"{low:g} to {high:g}" for low, high in pairwise(edges))
    return {label: int(n) for label, n in zip(ranges, counts, strict=True)}


def _spread(counts: NDArray[np.int64]) -> Spread:
    return Spread(int(counts.min()), float(np.median(counts)), int(counts.max()))


def _period(ratings: Ratings) -> tuple[str | None, str | None]:
    if ratings.timestamps is None:
        return None, None
    return _iso(int(ratings.timestamps.min())), _iso(int(ratings.timestamps.max()))


def _iso(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s"

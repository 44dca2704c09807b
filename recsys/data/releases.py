"""The data sets that are known by name, and where they lie once downloaded."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from recsys.data import embedded
from recsys.errors import NotFoundError

BASE_URL = "https://files.grouplens.org/datasets/movielens"

_TERMS = "research use, no commercial use without permission, no endorsement"
# The three oldest releases may not be passed on at all, the later ones under their own terms.
_CLOSED = f"GroupLens: {_TERMS}, no redistribution without permission"
_OPEN = f"GroupLens: {_TERMS}, redistribution under the same terms"


@dataclass(frozen=True)
class Release:
    """A data set known by name.

    Attributes
    ----------
    name : str
    n_ratings : int
        What the publisher says it holds.
    megabytes : int
        Size of the archive, about.
    published : str
        Year, or years.
    licence : str
        Its terms in a line; those in its README bind.
    archive : str
        File name at the publisher; empty for the embedded set.
    """

    name: str
    n_ratings: int
    megabytes: int
    published: str
    licence: str
    archive: str

    @property
    def is_embedded(self) -> bool:
        """Whether it travels with the code."""
        return not self.archive

    @property
    def url(self) -> str | None:
        """Where it is downloaded from; None for the embedded set."""
        return None if self.is_embedded else f"{BASE_URL}/{self.archive}"

    @property
    def checksum(self) -> str:
        """Where its checksum stands: beside the archive, or in the embedded set's folder."""
        return f"SHA-256 in data/{self.name}/SHA256SUMS" if self.is_embedded else f"{self.url}.md5"


RELEASES: tuple[Release, ...] = (
    Release(embedded.NAME, 100_004, 1, "2016", _OPEN, ""),
    Release("ml-latest-small-2018", 100_836, 1, "2018", _OPEN, "ml-latest-small.zip"),
    Release("ml-100k", 100_000, 5, "1998", _CLOSED, "ml-100k.zip"),
    Release("ml-1m", 1_000_209, 6, "2003", _CLOSED, "ml-1m.zip"),
    Release("ml-10m", 10_000_054, 63, "2009", _CLOSED, "ml-10m.zip"),
    Release("ml-20m", 20_000_263, 190, "2015", _OPEN, "ml-20m.zip"),
    Release("ml-25m", 25_000_095, 250, "2019", _OPEN, "ml-25m.zip"),
    Release("ml-32m", 32_000_204, 239, "2024", _OPEN, "ml-32m.zip"),
    Release("ml-latest", 33_832_162, 335, "2023, may change", _OPEN, "ml-latest.zip"),
)


def release(name: str) -> Release:
    """Return the data set called ``name``.

    Raises
    ------
    NotFoundError
        If no set is called so.
    """
    for known in RELEASES:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in RELEASES)
    raise NotFoundError(f"no data set is called {name!r}; known: {names}")


def data_directory(directory: str | Path | None = None) -> Path:
    """Return where downloaded sets lie: ``directory``, else ``RECSYS_DATA_DIR``, else var/data."""
    return Path(directory or os.environ.get("RECSYS_DATA_DIR") or Path("var", "data"))


def local_path(known: Release, directory: str | Path | None = None) -> Path | None:
    """Return where the set lies, as archive or unpacked by hand; None if it is not there.

    Raises
    ------
    DataError
        If it is the embedded set, and a file of it was changed.
    """
    if known.is_embedded:
        return embedded.folder()
    folder = data_directory(directory)
    places = (folder / f"{known.name}.zip", folder / known.name)
    return next((place for place in places if place.exists()), None)

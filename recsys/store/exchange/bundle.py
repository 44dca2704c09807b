from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Table(NamedTuple):
    """Arrays of a bundle that belong together: entry i of each is of the i-th user or item.

    Attributes
    ----------
    name : str
        ``rating.items``, ``rating.users``, ``ranking.items`` or ``ranking.users``.
    of_items : bool
        Whether the entries are items.
    arrays : mapping of str to str
        The name of each column, to the array's name in the bundle. ``factors`` is the embedding.
    """

    name: str
    of_items: bool
    arrays: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Bundle:
    """A version as every format writes it: named arrays, and JSON for all that is none.

    Attributes
    ----------
    manifest : mapping
        JSON types only.
    arrays : mapping of str to array
        Of numbers, little-endian.
    """

    manifest: Mapping[str, Any]
    arrays: Mapping[str, Array]

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the manifest and each array's name, type, shape and bytes."""
        found = hashlib.sha256(json.dumps(self.manifest, sort_keys=True).encode())
        for name in sorted(self.arrays):
            array = self.arrays[name]
            found.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
            found.update(np.ascontiguousarray(array).data)
        return found.hexdigest()

    @property
    def item_ids(self) -> list[str]:
        """The id of each item row."""
        return list(self.manifest["data_set"]["item_ids"])

    @property
    def user_ids(self) -> list[str]:
        """The id of each user row."""
        return list(self.manifest["data_set"]["user_ids"])

    def ids(self, table: Table) -> list[str]:
        """Return the id of each entry of a table."""
        return self.item_ids if table.of_items else self.user_ids

    def tables(self) -> list[Table]:
        """Return what other programs want to read: the embeddings by user and by item.

        The manifest alone tells: a format that is about to read them has no arrays yet.
        """
        names = set(self.manifest["arrays"])
        columns = ("factors", "bias", "counts", "implicit", "implicit_bias")
        return [
            Table(
                f"{snapshot['objective']}.{side}s",
                side == "item",
                {
                    column: f"{snapshot['objective']}/{side}_{column}"
                    for column in columns
                    if f"{snapshot['objective']}/{side}_{column}" in names
                },
            )
            for snapshot in self.manifest["snapshots"]
            for side in ("item", "user")
        ]

"""Ratings: what training takes in, wherever it came from."""

from recsys.data.ids import IdMap
from recsys.data.ratings import ItemMetadata, Ratings

__all__ = ["IdMap", "ItemMetadata", "Ratings"]

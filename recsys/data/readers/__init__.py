"""Readers: from any supported file to `Ratings`."""

from recsys.data.readers.read import Reading, read, read_ratings

__all__ = ["Reading", "read", "read_ratings"]

"""Readers: from any supported file to `Ratings`."""

from recsys.data.readers.read import Reading, find_problems, read, read_ratings

__all__ = ["Reading", "find_problems", "read", "read_ratings"]

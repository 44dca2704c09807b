"""Answers from a stored version: lists, stars, similar items and the catalogue."""

from recsys.serving.current import Current, Serving
from recsys.serving.item_files import ItemFiles
from recsys.serving.lists import RankedItems
from recsys.serving.person import Person
from recsys.serving.recommender import Recommender
from recsys.serving.search import SORTS, Filters, Search, Sort
from recsys.serving.source import Source

__all__ = [
    "SORTS",
    "Current",
    "Filters",
    "ItemFiles",
    "Person",
    "RankedItems",
    "Recommender",
    "Search",
    "Serving",
    "Sort",
    "Source",
]

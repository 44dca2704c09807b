"""A recommender whose every number can be traced.

The way of the data::

    ratings file -> data.Ratings -> data.split -> training.Trainer
                 -> model.Snapshot -> store -> serving.Recommender -> api | analysis | cli

The file to read first is ``recsys/training/trainer.py``.
"""

from importlib.metadata import version

__version__ = version("recsys")

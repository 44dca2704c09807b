"""A typed client of the HTTP service; it needs nothing of the rest but the errors."""

from recsys.client.client import Client
from recsys.client.errors import NoAnswerError, ProblemError

__all__ = ["Client", "NoAnswerError", "ProblemError"]

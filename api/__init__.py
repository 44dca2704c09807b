"""The HTTP service: one blueprint per resource, and `create_app` that puts them together."""

from api.app import create_app
from api.config import Config

__all__ = ["Config", "create_app"]

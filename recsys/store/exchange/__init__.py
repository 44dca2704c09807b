"""Versions as files: out of one database and into another, or to other programs."""

from recsys.store.exchange.formats import FORMATS, Format
from recsys.store.exchange.transfer import export_version, import_version

__all__ = ["FORMATS", "Format", "export_version", "import_version"]

"""The command line: the composition root. One file per command group, no logic."""

from recsys.cli.main import main

__all__ = ["main"]

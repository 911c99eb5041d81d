"""The command `reid-search`: thin commands that import what they need when they run."""

from reid_search.cli.app import main

__all__ = ["main"]

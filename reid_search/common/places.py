"""Where this program keeps what it can make again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return `$REID_SEARCH_CACHE`, or `reid-search` in the user's cache folder."""
    if named := os.environ.get("REID_SEARCH_CACHE"):
        return Path(os.path.expanduser(named)).absolute()  # noqa: PTH111
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reid-search"

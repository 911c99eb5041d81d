"""Where this program keeps what it can make again."""

import os
from contextlib import suppress
from pathlib import Path


def cache_folder() -> Path:
    """Return `$REID_SEARCH_CACHE`, or `reid-search` in the user's cache folder."""
    if named := os.environ.get("REID_SEARCH_CACHE"):
        return Path(os.path.expanduser(named)).absolute()  # noqa: PTH111
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "reid-search"


def keep_in_cache(path: Path, text: str) -> None:
    """Write a file of the cache at once, so that nobody reads a part of it; a cache that cannot be written is none."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(text)
        unfinished.replace(path)

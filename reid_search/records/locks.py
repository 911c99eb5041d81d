"""A lock for one writer at a time, which the operating system releases when its holder dies."""

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from reid_search.errors import RequestError


@contextlib.contextmanager
def locked(path: Path, busy: str, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock at `path` while the block runs.

    Args:
        path: The lock's file; its folder is made. The file stays, and says who held it last.
        busy: The error message if another process holds it; `{holder}` is filled in.
        patience: Seconds to wait for the holder.

    Raises:
        RequestError: Another process holds it, or a folder is in its place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise RequestError(f"{path}: expected the file of a lock, found a folder; move it away")
    with path.open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + patience
        while not _taken(file.fileno(), fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                file.seek(0)
                raise RequestError(busy.replace("{holder}", file.read().strip() or "another process"))
            time.sleep(0.1)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def is_held(path: Path) -> bool:
    """Say whether a process holds the lock at `path`."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8") as file:
        return not _taken(file.fileno(), fcntl.LOCK_SH)


def _taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

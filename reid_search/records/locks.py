"""A lock for one writer at a time, which the operating system releases when its holder dies."""

import contextlib
import fcntl
import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from reid_search.errors import RequestError

_LOG = logging.getLogger("reid_search.locks")
_SILENT_SECONDS = 2.0


@contextlib.contextmanager
def locked(path: Path, busy: str, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock at `path` while the block runs.

    Args:
        path: The lock's file; its folder is made. The file stays, and says who held it last.
        busy: The error message if another process holds it; `{holder}` is filled in.
        patience: Seconds to wait for the holder; what is waited for is said after two.

    Raises:
        RequestError: Another process holds it, or a folder is in its place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise RequestError(f"{path}: expected the file of a lock, found a folder; move it away")
    with path.open("a+", encoding="utf-8") as file:
        start, said = time.monotonic(), False
        while not _taken(file.fileno(), fcntl.LOCK_EX):
            waited = time.monotonic() - start
            if waited >= patience:
                raise RequestError(_naming_holder(busy, file))
            if waited >= _SILENT_SECONDS and not said:
                _LOG.warning("waiting up to %g s: %s", patience, _naming_holder(busy, file))
                said = True
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


def _naming_holder(busy: str, file: TextIO) -> str:
    file.seek(0)
    return busy.replace("{holder}", file.read().strip() or "another process")


def _taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""A lock for one writer at a time, which the operating system releases when its holder dies."""

import contextlib
import fcntl
import logging
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from reid_search.errors import RequestError

_LOG = logging.getLogger("reid_search.locks")
_SILENT_SECONDS = 2.0
_HOLDER = re.compile(r"process (\d{1,10}) on (\S+)")


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
        file.write(f"{Holder(os.getpid(), socket.gethostname())}\n")
        file.flush()
        yield


def is_held(path: Path) -> bool:
    """Say whether a process holds the lock at `path`."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8") as file:
        return not _taken(file.fileno(), fcntl.LOCK_SH)


class Holder(NamedTuple):
    """The process that holds a lock."""

    process: int
    host: str

    def __str__(self) -> str:
        """Return what its lock's file says: `process 17 on node-3`."""
        return f"process {self.process} on {self.host}"

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        return self.host == socket.gethostname()


def holder_of(path: Path) -> Holder | None:
    """Return the process that holds the lock at `path`; None if nobody does, or its file does not say who."""
    if not is_held(path):
        return None
    found = _HOLDER.fullmatch(path.read_text(encoding="utf-8", errors="replace").strip())
    return Holder(int(found[1]), found[2]) if found else None


def _naming_holder(busy: str, file: TextIO) -> str:
    file.seek(0)
    return busy.replace("{holder}", file.read().strip() or "another process")


def _taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""The folder of data that can be made again; each folder in it is built once, and completely or not at all."""

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from reid_search.errors import ResourceError
from reid_search.records.locks import locked

_PATIENCE_SECONDS = 4 * 3600.0
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)


def built_once(target: Path, build: Callable[[Path], None]) -> Path:
    """Return a folder, built if it does not exist; if several processes ask, one builds and the others wait.

    Args:
        target: The folder. It appears under this name only when it is complete.
        build: Fills the empty folder that it is given.

    Raises:
        ResourceError: The folder cannot be written.
    """
    if target.exists():
        return target
    lock = target.with_name(f".{target.name}.lock")
    try:
        with locked(lock, f"{target}: still being built by {{holder}}", patience=_PATIENCE_SECONDS):
            if not target.exists():
                _build(target, build)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        raise ResourceError(
            f"{target}: cannot be written ({error.strerror}); set REID_SEARCH_CACHE to a folder that can"
        ) from error
    return target


def discard(target: Path) -> None:
    """Take a damaged folder away, so that it is built again; a process that has it open may go on reading."""
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory(dir=target.parent, prefix=".damaged") as aside:
        target.replace(Path(aside) / target.name)


def _build(target: Path, build: Callable[[Path], None]) -> None:
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        build(unfinished)
        unfinished.replace(target)
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(unfinished, ignore_errors=True)

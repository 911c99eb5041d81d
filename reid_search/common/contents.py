"""The SHA-256 of files; a file is read again only after it has changed.

A file that was hashed is known again by device, inode, size, and the nanoseconds of its last change (mtime) and of the
last change of its inode (ctime), which nobody can set back. What changed less than two seconds before it was read is
not remembered: a clock may be too coarse to tell the next change from this one. Processes share one SQLite file in the
cache folder; if that cannot be written, or another process does not let go of it, every file is read each time.
"""

import errno
import hashlib
import logging
import os
import sqlite3
import stat
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from reid_search.common.places import cache_folder

_SETTLED_NS = 2_000_000_000
_CHUNK = 1 << 20
_DIGEST_BYTES = 32
_ALL_BITS = (1 << 64) - 1
_FILES_AT_ONCE = 500
_SILENT_SECONDS = 2.0
_PATIENCE_SECONDS = 8.0
_LEFT_ALONE_SECONDS = 60.0
_TABLES = (
    "contents (file BLOB PRIMARY KEY, state BLOB, digest BLOB)",
    "verdicts (judge TEXT, content TEXT, verdict TEXT, PRIMARY KEY (judge, content))",
)
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
_REASONS = {
    errno.ELOOP: "a link that leads back to itself",
    errno.EACCES: "may not be read (permission denied)",
    errno.ENAMETOOLONG: "a name that is too long",
}


_LOG = logging.getLogger("reid_search.cache")
_left_alone: dict[Path, float] = {}
"""Caches that another process held for too long, and when to ask them again, by the clock `time.monotonic`."""


@dataclass(frozen=True)
class Hashed:
    """Files by path: the hashes of those that were read, and why the others were not.

    Attributes:
        digests: 64 hex digits of the SHA-256 of each file's bytes.
        unreadable: What is wrong with each file that cannot be read, in words: `a link to nothing`.
    """

    digests: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _File:
    path: str
    identity: bytes
    state: bytes


def hash_file(path: Path | str) -> str:
    """Return 64 hex digits of the SHA-256 of a file's bytes.

    Raises:
        OSError: The file cannot be read; the message names it and says why.
    """
    hashed = hash_files([path])
    if reason := hashed.unreadable.get(str(path)):
        raise OSError(f"{path}: {reason}")
    return hashed.digests[str(path)]


def state_of(path: Path) -> bytes:
    """Return what changes whenever a file is written or replaced, within what a clock can tell apart.

    Raises:
        OSError: There is no such file.
    """
    file = _file(str(path), path.stat())
    return file.identity + file.state


def hash_files(paths: Iterable[Path | str]) -> Hashed:
    """Return the hashes of many files; those that changed since they were last hashed are read, in parallel.

    Links are followed. Nothing but a regular file is opened, so that a FIFO blocks nobody.
    """
    found = Hashed()
    files = list(_looked_at(map(str, paths), found))
    digests = _remembered(files)
    unknown = list({(file.identity, file.state): file for file in files if file.path not in digests}.values())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        read = [item for part in pool.map(_read_all, _parts(unknown)) for item in part]
    found.digests.update({path: digest.hex() for path, digest in digests.items()})
    results = {(file.identity, file.state): digest for file, digest, _ in read}
    for file in files:
        result = results.get((file.identity, file.state))
        if isinstance(result, bytes):
            found.digests[file.path] = result.hex()
        elif result is not None and file.path not in digests:
            found.unreadable[file.path] = result
    _remember((file, digest) for file, digest, settled in read if settled and isinstance(digest, bytes))
    return found


def known_verdicts(judge: str, digests: Iterable[str]) -> dict[str, str]:
    """Return what `judge` once said of contents, by their SHA-256; what it never saw is absent."""
    wanted, known = sorted(set(digests)), dict[str, str]()

    def look(connection: sqlite3.Connection) -> None:
        for start in range(0, len(wanted), _FILES_AT_ONCE):
            part = wanted[start : start + _FILES_AT_ONCE]
            marks = ", ".join("?" * len(part))
            select = f"SELECT content, verdict FROM verdicts WHERE judge = ? AND content IN ({marks})"
            known.update(connection.execute(select, [judge, *part]))

    _read_cache(look)
    return known


def remember_verdicts(judge: str, verdicts: Mapping[str, str]) -> None:
    """Keep what `judge` says of contents, by their SHA-256."""
    rows = [(judge, content, verdict) for content, verdict in verdicts.items()]
    _write("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)", rows)


def why_unreadable(path: str, error: OSError) -> str:
    """Say in a few words why a path could not be opened."""
    if isinstance(error, FileNotFoundError):
        return "a link to nothing" if os.path.islink(path) else "no such file"  # noqa: PTH114
    return _REASONS.get(error.errno or 0, f"cannot be read ({error.strerror or error})")


def _looked_at(paths: Iterable[str], found: Hashed) -> Iterator[_File]:
    """Yield the regular files with their present state; note what is wrong with any other path."""
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116
        except (OSError, ValueError) as error:
            found.unreadable[path] = why_unreadable(path, error) if isinstance(error, OSError) else str(error)
            continue
        if stat.S_ISREG(status.st_mode):
            yield _file(path, status)
        else:
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "a device")
            found.unreadable[path] = f"{kind}, not a file"


def _file(path: str, status: os.stat_result) -> _File:
    identity = struct.pack("<QQ", status.st_dev & _ALL_BITS, status.st_ino & _ALL_BITS)
    return _File(path, identity, struct.pack("<qqq", status.st_size, status.st_mtime_ns, status.st_ctime_ns))


def _parts(files: Sequence[_File]) -> Iterator[Sequence[_File]]:
    return (files[start : start + _FILES_AT_ONCE] for start in range(0, len(files), _FILES_AT_ONCE))


def _read_all(files: Sequence[_File]) -> list[tuple[_File, bytes | str, bool]]:
    return [_read(file) for file in files]


def _read(file: _File) -> tuple[_File, bytes | str, bool]:
    """Return a file as it was read, its hash (or why it has none), and whether it may be remembered."""
    try:
        descriptor = os.open(file.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        return file, why_unreadable(file.path, error), False
    try:
        digest = hashlib.sha256()
        while chunk := os.read(descriptor, _CHUNK):
            digest.update(chunk)
        now, status = time.time_ns(), os.fstat(descriptor)
    except OSError as error:
        return file, why_unreadable(file.path, error), False
    finally:
        os.close(descriptor)
    settled = now - max(status.st_mtime_ns, status.st_ctime_ns) >= _SETTLED_NS
    return file, digest.digest(), settled and _file(file.path, status) == file


def _remembered(files: Sequence[_File]) -> dict[str, bytes]:
    """Return the hashes of the files that have not changed since they were remembered."""
    known: dict[str, bytes] = {}

    def look(connection: sqlite3.Connection) -> None:
        for part in _parts(files):
            marks = ", ".join("?" * len(part))
            select = f"SELECT file, state, digest FROM contents WHERE file IN ({marks})"
            rows = connection.execute(select, [file.identity for file in part])
            stored = {identity: (state, digest) for identity, state, digest in rows}
            for file in part:
                state, digest = stored.get(file.identity, (None, b""))
                if state == file.state and isinstance(digest, bytes) and len(digest) == _DIGEST_BYTES:
                    known[file.path] = digest

    _read_cache(look)
    return known


def _remember(read: Iterable[tuple[_File, bytes]]) -> None:
    rows = [(file.identity, file.state, digest) for file, digest in read]
    _write("INSERT OR REPLACE INTO contents VALUES (?, ?, ?)", rows)


def _write(insert: str, rows: Sequence[tuple[object, ...]]) -> None:
    if not rows:
        return

    def add(connection: sqlite3.Connection) -> None:
        for table in _TABLES:
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table} WITHOUT ROWID")
        connection.executemany(insert, rows)

    with suppress(OSError):
        _place().parent.mkdir(parents=True, exist_ok=True)
        _with_cache(add)


def _read_cache(look: Callable[[sqlite3.Connection], None]) -> None:
    if os.path.exists(_place()):  # noqa: PTH110
        _with_cache(look)


def _with_cache(work: Callable[[sqlite3.Connection], None]) -> None:
    """Let `work` read or write the cache; where it cannot be used, or another process holds it, do without."""
    database = _place()
    if time.monotonic() < _left_alone.get(database, 0.0):
        return
    for patience in (_SILENT_SECONDS, _PATIENCE_SECONDS):
        try:
            with closing(sqlite3.connect(database, timeout=patience)) as connection, connection:
                work(connection)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                return  # without a table, or not to be written
        except sqlite3.DatabaseError:  # a damaged file is made anew
            with suppress(OSError):
                database.unlink(missing_ok=True)
            return
        if patience == _SILENT_SECONDS:
            _LOG.warning("%s: locked by another process; waiting up to %g s more", database, _PATIENCE_SECONDS)
    _LOG.warning("%s: still locked; going on without it, so that every file is read", database)
    _left_alone[database] = time.monotonic() + _LEFT_ALONE_SECONDS


def _place() -> Path:
    return cache_folder() / "contents.sqlite"

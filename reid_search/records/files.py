"""Writing that survives a crash at any moment, and reading what a crash left."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reid_search.errors import RecordError


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that even a power cut leaves either the old one or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write indented JSON atomically; NaN is refused."""
    write_atomically(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        RecordError: The file is cut, not JSON, or not an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: not readable as JSON ({error}); was it cut while being copied?") from error
    if not isinstance(content, dict):
        raise RecordError(f"{path}: expected a JSON object, found {type(content).__name__}")
    return content


def append_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Append JSON lines and wait until they are on the disk; a last line cut by a crash is dropped first."""
    text = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)
    if not text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = path.read_bytes() if path.exists() else b""
    if content and not content.endswith(b"\n"):
        write_atomically(path, content[: content.rfind(b"\n") + 1])
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON lines of a file; a last line without its newline was cut by a crash and is skipped.

    Raises:
        RecordError: A complete line is not a JSON object.
    """
    if path.exists():
        yield from parse_lines(path.read_bytes(), path)


def parse_lines(content: bytes, path: Path, first: int = 1) -> Iterator[dict[str, Any]]:
    """Yield the JSON lines of a part of a file as `read_lines` does; `first` is the number of its first line."""
    whole = content.decode(encoding="utf-8", errors="replace").rpartition("\n")[0]
    for number, line in enumerate(whole.split("\n") if whole else (), start=first):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise RecordError(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise RecordError(f"{path}, line {number}: expected a JSON object")
        yield row


def stamp(path: Path) -> tuple[int, int, int] | None:
    """Return a file's inode, size and time, which change with its content; None if there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns

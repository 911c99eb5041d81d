"""Writing that survives a crash at any moment, and reading what a crash left."""

import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json

from reid_search.errors import RecordError
from reid_search.records.reading import WAY_OUT, reading

_CUT = ("EOF while parsing", "unexpected end of hex escape")  # how errors begin where JSON ends too early


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
    """Read a JSON object, of any kind and in any folder.

    Raises:
        RecordError: The file is cut, not JSON, or not an object.
    """
    with reading(path, way_out=""):
        return json_object(path.read_bytes())


def json_object(text: bytes, kind: type[BaseModel] | None = None) -> dict[str, Any]:
    """Parse a JSON object of a kind; raises ValueError if it is none."""
    try:
        content = from_json(text)  # refuses half a surrogate pair, a number of thousands of digits, and deep nesting
    except ValueError as error:
        raise ValueError(f"not readable as JSON ({error})") from error
    if not isinstance(content, dict):
        raise ValueError(f"expected a JSON object, found {type(content).__name__}")
    if kind is not None:
        kind.model_validate(content)
    return content


def append_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Append JSON lines and wait until they are on the disk; a last line cut by a crash is dropped first.

    Raises:
        RecordError: The file ends in something else, which is left as it is.
    """
    text = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)
    if not text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = path.read_bytes() if path.exists() else b""
    whole = whole_lines(content, path)
    if whole != content:
        write_atomically(path, whole)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_lines(path: Path, kind: type[BaseModel] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the JSON lines of a file; a last line that a crash cut is skipped.

    Raises:
        RecordError: A line is not a JSON object of this kind.
    """
    if path.exists():
        with reading(path):
            content = path.read_bytes()
        yield from parse_lines(content, path, kind=kind)


def parse_lines(
    content: bytes, path: Path, first: int = 1, kind: type[BaseModel] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the JSON lines of a part of a file as `read_lines` does; `first` is the number of its first line."""
    *lines, rest = content.split(b"\n")
    for number, line in enumerate(itertools.chain(lines, _last_line(rest, path)), start=first):
        with reading(f"{path}, line {number}"):
            row = json_object(line, kind)
        yield row


def whole_lines(content: bytes, path: Path) -> bytes:
    """Return a file's lines without one that a crash cut; if the last lacks only its newline, it gets it."""
    end = content.rfind(b"\n") + 1
    return content[:end] + b"".join(line + b"\n" for line in _last_line(content[end:], path))


def _last_line(rest: bytes, path: Path) -> Iterator[bytes]:
    """Yield what follows the last newline, unless a crash cut it short; refuse anything but JSON."""
    if not rest:
        return
    try:
        from_json(rest)
    except ValueError as error:
        if rest.startswith(b"{") and str(error).startswith(_CUT):
            return
        reason = f"the end is neither a line of JSON nor one cut short ({error}); nothing is written to it"
        raise RecordError(f"{path}: {reason}{WAY_OUT}") from error
    yield rest


def stamp(path: Path) -> tuple[int, int, int] | None:
    """Return a file's inode, size and time, which change with its content; None if there is no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns

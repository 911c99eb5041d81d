"""The append-only log of a study: what was asked for, by whom and when."""

import uuid
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from reid_search.errors import RecordError
from reid_search.records.events import Event, Logged, RunStarted, line_of, parsed
from reid_search.records.files import append_lines, parse_lines, stamp, whole_lines
from reid_search.records.reading import reading
from reid_search.records.replay import History, replay


class StudyLog:
    """Reads `asked.jsonl`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Say whether anything was ever asked for."""
        return self.path.exists()

    def mentions(self, words: Collection[str]) -> bool:
        """Say whether any of some words occurs anywhere in the file, without parsing it.

        Raises:
            RecordError: The file cannot be read.
        """
        with reading(self.path):
            content = self.path.read_bytes() if self.exists() else b""
        return any(word.encode() in content for word in words)

    def read(self, problems: list[str] | None = None) -> list[Logged]:
        """Return the events in the order of the file.

        Args:
            problems: Collects the line that cannot be read, after which reading ends; without it, the error is raised.

        Raises:
            RecordError: A line is not a JSON object, has a newer version, or is wrong.
        """
        found: list[Logged] = []
        try:
            with reading(self.path):
                found.extend(self.parsed(self.path.read_bytes() if self.exists() else b""))  # keeps what came before
        except RecordError as error:
            if problems is None:
                raise
            problems.append(str(error))
        return found

    def parsed(self, content: bytes, first: int = 0) -> Iterator[Logged]:
        """Yield the events of a part of the file, but for a line that a crash cut; `first` numbers its lines from 0."""
        for index, line in enumerate(parse_lines(content, self.path, first + 1), start=first):
            yield parsed(line, index, f"{self.path}, line {index + 1}")

    def history(self, problems: list[str] | None = None) -> History:
        """Return what the events mean together; see `read`."""
        return replay(self.read(problems))


class LogFollower:
    """Reads a growing log, each line once."""

    def __init__(self, log: StudyLog) -> None:
        self._log = log
        self._stamp: tuple[int, int, int] | None = None
        self._read = 0
        self._events: list[Logged] = []
        self._history = replay(())

    def history(self) -> History:
        """Return what the events mean together; raises as `StudyLog.read` does."""
        now = stamp(self._log.path)
        if now == self._stamp:
            return self._history
        if now is None or self._stamp is None or now[0] != self._stamp[0] or now[1] < self._read:
            self._read, self._events = 0, []
        if now is not None:
            with reading(self._log.path), self._log.path.open("rb") as file:
                file.seek(self._read)
                whole = whole_lines(file.read(), self._log.path)
            self._events += list(self._log.parsed(whole, len(self._events)))
            self._read += len(whole)
        self._history, self._stamp = replay(self._events), now
        return self._history


class LogWriter:
    """Appends what one run does; every event carries the run and its place in it.

    Args:
        started: The run, which is written first, with what it has read of earlier runs.
        further: Events that are written together with it, so that no crash can separate them.
    """

    def __init__(self, log: StudyLog, started: RunStarted, further: Sequence[Event] = ()) -> None:
        before = log.history()
        self._path = log.path
        self._writer = uuid.uuid4().hex[:12]
        self._number = 0
        stamped = started.model_copy(update={"generation": before.generation + 1, "seen": before.last_of_writers})
        self.append(stamped, *further)

    def append(self, *events: Event) -> None:
        """Append events and wait until they are on the disk."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        numbered = enumerate(events, self._number)
        append_lines(self._path, [line_of(event, self._writer, number, time) for number, event in numbered])
        self._number += len(events)

"""What names a trial, and its status: formatted and parsed only here."""

from enum import StrEnum
from typing import NamedTuple

MOST_DIGITS = 18  # of a number that any table can hold


class TrialId(NamedTuple):
    """What names a trial in a study."""

    key: str
    seed: int

    def __str__(self) -> str:
        """Return the name of the trial's folder, `<key>-s<seed>`."""
        return f"{self.key}-s{self.seed}"

    @classmethod
    def parse(cls, name: str) -> "TrialId | None":
        """Return the trial that a folder is named after; None if the name is not a trial's."""
        key, separator, seed = name.rpartition("-s")
        return cls(key, int(seed)) if key and separator and seed.isdecimal() and len(seed) <= MOST_DIGITS else None


class Status(StrEnum):
    """The status of a trial, or of the measurement that an arm waits for.

    A record says `finished`, `stopped` (by the pruner; it may be resumed) or `failed` (by itself, with a reason).
    Without a record a trial is `waiting` (asked for, not begun), `running`, or `interrupted` (begun, but no run of the
    study is at work). An arm is `unmeasured` if its training finished but its readout was not tested. A trial is
    `unreadable` if its files cannot be read.
    """

    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    WAITING = "waiting"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    UNMEASURED = "unmeasured"
    UNREADABLE = "unreadable"

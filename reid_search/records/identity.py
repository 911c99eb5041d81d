"""What names a trial, and how it may stand: formatted and parsed here and nowhere else."""

from enum import StrEnum
from typing import NamedTuple


class TrialId(NamedTuple):
    """What names a trial in a study."""

    key: str
    seed: int

    def __str__(self) -> str:
        """Return the name of the trial's folder, `<key>-s<seed>`."""
        return f"{self.key}-s{self.seed}"

    @classmethod
    def parse(cls, name: str) -> "TrialId | None":
        """Return the trial that a folder is named after; None where the name is not one of a trial."""
        key, separator, seed = name.rpartition("-s")
        return cls(key, int(seed)) if key and separator and seed.isdecimal() else None


class Status(StrEnum):
    """How a trial, or the measurement that an arm waits for, stands.

    A record says `finished`, `stopped` (by the pruner; it may be continued) or `failed` (by itself, with a reason).
    Without a record a trial is `waiting` (asked for, not begun) or `running` (begun; `interrupted` where no run of the
    study is at work). An arm whose training finished without its readout being tested is `unmeasured`. A trial whose
    files cannot be read is `unreadable`.
    """

    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    WAITING = "waiting"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    UNMEASURED = "unmeasured"
    UNREADABLE = "unreadable"

"""A job: one training to place somewhere, and the jobs of a phase in the order in which they are handed out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from reid_search.records import Record, Status, StudyStore, TrialFolder
from reid_search.scheduling.progress import TrialLabel
from reid_search.study import TrialConfig


@dataclass(frozen=True)
class Job:
    """One training to run.

    Attributes:
        label: What a person calls it.
        config: The trial.
        evaluate: Splits that it is tested on.
        keep: Whether its final weights stay.
        readouts: Name of each readout that was asked for → name under which the record keeps it.
        also: The record's names of readouts that other arms of the same training asked for.
        number: The proposal that it answers, in a search.
    """

    label: TrialLabel
    config: TrialConfig = field(repr=False)
    evaluate: tuple[str, ...]
    keep: bool
    readouts: Mapping[str, str]
    also: tuple[str, ...] = ()
    number: int | None = None

    @property
    def identity(self) -> tuple[str, int]:
        """Key and seed: what is measured once."""
        return self.label.key, self.label.seed

    @property
    def readout(self) -> str:
        """The record's name of the readout that choices look at: `default` where there is one, else the first."""
        return self.readouts.get("default") or next(iter(self.readouts.values()))

    def is_measured(self, record: Record, metric: str) -> bool:
        """Say whether a finished record holds a metric of every readout that was asked for."""
        return record.status == Status.FINISHED and all(
            stored in record.readouts and metric in record.readouts[stored].metrics
            for stored in (*self.readouts.values(), *self.also)
        )

    def together_with(self, other: "Job") -> "Job":
        """Return this job with what another arm of the same training wants of it: its readouts, its weights."""
        readouts = {**self.config.readouts, **other.config.readouts}
        return replace(
            self,
            config=self.config.model_copy(update={"readouts": readouts}),
            keep=self.keep or other.keep,
            also=tuple(dict.fromkeys((*self.also, *other.readouts.values(), *other.also))),
        )

    def value(self, record: Record, metric: str) -> float | None:
        """Return a metric of the record, None where it was not measured."""
        if record.status != Status.FINISHED or self.readout not in record.readouts:
            return None
        return record.readouts[self.readout].metrics.get(metric)


class Work(Protocol):
    """The jobs of one phase. A job is handed out once; what was measured before is not handed out at all."""

    def next_job(self) -> Job | None:
        """Return the next job, or None: nothing can start now, or nothing is left (`done` tells which)."""

    @property
    def done(self) -> bool:
        """Whether every job is over."""

    def report(self, job: Job, row: Mapping[str, Any]) -> str | None:
        """Take one epoch of a job; return the reason where the job should stop early."""

    def ended(self, job: Job, record: Record) -> None:
        """Take the record of a job that is over."""


def folder_of(store: StudyStore, job: Job) -> TrialFolder:
    """Return the folder of a job's trial."""
    return store.trial(*job.identity)

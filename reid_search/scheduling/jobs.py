"""A job: one training to run, and the interface of what hands out a phase's jobs."""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from reid_search.records import Ask, Status, Trial, TrialId, epoch_column, own_readout
from reid_search.scheduling.observer import Row, TrialLabel
from reid_search.study import TrialConfig
from reid_search.training import Device, TrialRequest


@dataclass(frozen=True)
class Job:
    """One training to run.

    Attributes:
        ask: What the log says about it.
        config: The trial's config, with every readout to measure.
        metric: The metric that a record needs to count as measured, and that choices compare.
        keep: Whether to keep its final weights.
        data_fingerprint: That of the data which its key was made from.
        also: The record's names of the readouts that other arms of the same training asked for.
        pause: Seconds to wait before a retry begins.
    """

    ask: Ask
    config: TrialConfig = field(repr=False)
    metric: str
    keep: bool
    data_fingerprint: str
    also: tuple[str, ...] = ()
    pause: float = 0.0

    @property
    def trial(self) -> TrialId:
        """The training, which is measured once."""
        return self.ask.trial

    @property
    def label(self) -> TrialLabel:
        """What a person calls it."""
        ask, epochs = self.ask, self.config.training.epochs
        metric = f"val/{self.metric.rpartition('/')[2]}"
        column = epoch_column(list(self.config.readouts), self.readout, metric)
        return TrialLabel(ask.phase, ask.label, ask.seed, ask.key, epochs, ask.settings, self.metric, column)

    @property
    def readout(self) -> str:
        """The record's name of the readout that choices compare."""
        return own_readout(self.ask, None) or next(iter(self.config.readouts))

    def request(self, device: Device, cache: Path | None) -> TrialRequest:
        """Return the request that a trial session takes."""
        ask = self.ask
        return TrialRequest(
            self.config, ask.seed, ask.key, (ask.evaluate,), cache, device, self.keep, self.data_fingerprint
        )

    def is_measured(self, trial: Trial) -> bool:
        """Say whether a trial finished with the metric of every readout that was asked for."""
        wanted = (*self.ask.readouts.values(), *self.also)
        return all(trial.number(readout, self.metric) is not None for readout in wanted)

    def together_with(self, other: "Job") -> "Job":
        """Return this job with the readouts and weights that another arm of the same training wants."""
        readouts = {**self.config.readouts, **other.config.readouts}
        return replace(
            self,
            config=self.config.model_copy(update={"readouts": readouts}),
            keep=self.keep or other.keep,
            also=tuple(dict.fromkeys((*self.also, *other.ask.readouts.values(), *other.also))),
        )


class Work(Protocol):
    """The jobs of one phase. Each is handed out once, unless it was measured before."""

    @property
    def total(self) -> int:
        """Number of trials; the most there can be while it is not known."""

    @property
    def reused(self) -> Counter[Status]:
        """Number of trials that were measured before, by how they ended."""

    @property
    def done(self) -> bool:
        """Whether every job is over."""

    def next_job(self) -> Job | None:
        """Return the next job; None if nothing can start now or nothing is left (`done` tells which)."""

    def report(self, job: Job, row: Row) -> str | None:
        """Take one epoch of a job; return the reason to stop early, if there is one."""

    def ended(self, job: Job, trial: Trial) -> None:
        """Take the trial of a job that ended."""

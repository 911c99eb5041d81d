"""A job: one training to place somewhere, and the jobs of a phase in the order in which they are handed out."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from reid_search.records import Ask, Trial, TrialId, epoch_column, own_readout
from reid_search.scheduling.observer import Row, TrialLabel
from reid_search.study import TrialConfig
from reid_search.training import Device, TrialRequest


@dataclass(frozen=True)
class Job:
    """One training to run.

    Attributes:
        ask: What the log says about it.
        config: The trial, with every readout that is to be measured.
        metric: What a record must hold to be measured, and what choices look at.
        keep: Whether its final weights stay.
        also: The record's names of readouts that other arms of the same training asked for.
        pause: Seconds to wait before it begins, where it is tried again.
    """

    ask: Ask
    config: TrialConfig = field(repr=False)
    metric: str
    keep: bool
    also: tuple[str, ...] = ()
    pause: float = 0.0

    @property
    def trial(self) -> TrialId:
        """What is measured once."""
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
        """The record's name of the readout that choices look at."""
        return own_readout(self.ask, None) or next(iter(self.config.readouts))

    def request(self, device: Device, cache: Path | None) -> TrialRequest:
        """Return what is asked of the trial.

        Args:
            device: Where it trains.
            cache: Folder of data sets and image caches; the user's cache folder where omitted.
        """
        ask = self.ask
        return TrialRequest(self.config, ask.seed, ask.key, (ask.evaluate,), cache, device, self.keep)

    def is_measured(self, trial: Trial) -> bool:
        """Say whether a trial finished with the metric of every readout that was asked for."""
        wanted = (*self.ask.readouts.values(), *self.also)
        return all(trial.number(readout, self.metric) is not None for readout in wanted)

    def together_with(self, other: "Job") -> "Job":
        """Return this job with what another arm of the same training wants of it: its readouts, its weights."""
        readouts = {**self.config.readouts, **other.config.readouts}
        return replace(
            self,
            config=self.config.model_copy(update={"readouts": readouts}),
            keep=self.keep or other.keep,
            also=tuple(dict.fromkeys((*self.also, *other.ask.readouts.values(), *other.also))),
        )


class Work(Protocol):
    """The jobs of one phase. A job is handed out once; what was measured before is not handed out at all."""

    @property
    def total(self) -> int:
        """Number of trials; where it is not known yet, the most that there can be."""

    @property
    def reused(self) -> int:
        """Number of trials that were measured before."""

    @property
    def done(self) -> bool:
        """Whether every job is over."""

    def next_job(self) -> Job | None:
        """Return the next job, or None: nothing can start now, or nothing is left (`done` tells which)."""

    def report(self, job: Job, row: Row) -> str | None:
        """Take one epoch of a job; return the reason where the job should stop early."""

    def ended(self, job: Job, trial: Trial) -> None:
        """Take the trial of a job that is over."""

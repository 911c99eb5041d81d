"""What a run tells whoever watches it, and its summary at the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reid_search.records import Status, TrialId
from reid_search.study import Settings, Tuned

Row = Mapping[str, float]


@dataclass(frozen=True)
class TrialLabel:
    """One trial, as shown to a person.

    Attributes:
        name: The arm, or `#7` for the seventh proposal of a search.
        epochs: Number of epochs of the whole trial.
        settings: Label of every axis, by path.
        metric: The metric of its number: `test/mAP`.
        column: The column of its epochs that holds that metric of that readout on the validation split.
    """

    phase: str
    name: str
    seed: int
    key: str
    epochs: int
    settings: Mapping[str, str] = field(default_factory=dict)
    metric: str = ""
    column: str = ""


class Observer(Protocol):
    """Watches a run. Calls come from the driver's thread, in order, and must return quickly."""

    def phase_started(self, name: str, kind: str, total: int, done: int) -> None:
        """A phase of `total` trials begins, of which `done` were measured before."""

    def trial_started(self, trial: TrialLabel) -> None:
        """A trial starts or resumes."""

    def trial_progress(self, trial: TrialLabel, row: Row) -> None:
        """A trial reported an epoch: `epoch`, `images_seen`, `loss`, and `val/mAP` if there is a validation split."""

    def trial_ended(self, trial: TrialLabel, status: Status, value: float | None, reason: str | None) -> None:
        """A trial ended: finished, stopped or failed, with its measurement in [0, 1] if it has one."""

    def phase_ended(self, name: str) -> None:
        """Every trial of a phase is over."""

    def note(self, message: str) -> None:
        """Something did not go as planned, and the run goes on."""


class TrialSink(Protocol):
    """Is told of trials that changed on disk; MLflow's background sink is one."""

    def sync_trial(self, key: str, seed: int, *, running: bool = False) -> None:
        """Take note of a trial; must return at once."""


@dataclass(frozen=True)
class Best:
    """The best of a search.

    Attributes:
        settings: The level of every axis.
        value: The objective, in [0, 1]: the mean over fresh seeds, or the value that selected it.
        seeds: Number of fresh seeds; 0 if it was not trained again.
        tuned: The best settings of each level of an axis, or of each arm, if the search tuned each separately.
    """

    phase: str
    number: int
    settings: Settings
    value: float
    objective: str
    seeds: int = 0
    tuned: Tuned | None = None


@dataclass(frozen=True)
class RunSummary:
    """How a run ended.

    Attributes:
        finished: Number of trials with a result, including those of earlier runs.
        reused: Number of trials that an earlier run had measured.
        best: The best of the last search.
        interrupted: Whether Ctrl-C ended the run before everything was measured.
        warnings: What went wrong outside the trials.
    """

    finished: int
    stopped: int
    failed: Mapping[TrialId, str]
    reused: int
    best: Best | None
    interrupted: bool
    warnings: tuple[str, ...] = ()

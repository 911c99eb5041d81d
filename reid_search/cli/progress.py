"""How far a run is, kept up from what the driver reports; no terminal in it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from reid_search.records import Status
from reid_search.scheduling.observer import Row, TrialLabel
from reid_search.study import Plan


@dataclass
class PhaseProgress:
    """One phase.

    Attributes:
        finished: Trials with a result, those of earlier runs included.
    """

    name: str
    total: int
    finished: int = 0
    stopped: int = 0
    failed: int = 0
    over: bool = False


@dataclass
class RunningTrial:
    """One trial that runs now."""

    label: TrialLabel
    row: Row = field(default_factory=dict)


class RunProgress:
    """Counts trials and images, and estimates the time that is left.

    Args:
        plan: What the study asks for.
        clock: Seconds, from any start.
    """

    def __init__(self, plan: Plan, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun = clock()
        self._training_begun: float | None = None
        self._image_count = {phase.name: phase.images / max(phase.count, 1) for phase in plan.phases}
        self._seen = 0
        self._here: dict[tuple[str, str, int], int] = {}
        self.phases = {phase.name: PhaseProgress(phase.name, phase.count) for phase in plan.phases}
        self.running: dict[tuple[str, str, int], RunningTrial] = {}
        self._searches = {phase.name for phase in plan.phases if phase.kind == "search"}
        self.best: tuple[float, TrialLabel] | None = None  # of a search; a single seed of the test split is no best

    def phase_started(self, name: str, total: int, done: int) -> None:
        """Begin a phase, whose number of trials is known now."""
        self.phases[name] = PhaseProgress(name, total, finished=done)

    def trial_started(self, trial: TrialLabel) -> None:
        """Begin or go on with a trial; the speed is measured from the first on, without what went before."""
        if self._training_begun is None:
            self._training_begun = self._clock()
        self.running[_identity(trial)] = RunningTrial(trial)

    def trial_progress(self, trial: TrialLabel, row: Row) -> None:
        """Take an epoch; only images that were seen in this run count for the speed."""
        identity = _identity(trial)
        self.running[identity] = RunningTrial(trial, row)
        epoch, images = int(row["epoch"]), int(row["images_seen"])
        before = self._here.get(identity, images - images // max(epoch, 1))
        self._seen += max(images - before, 0)
        self._here[identity] = images

    def trial_ended(self, trial: TrialLabel, status: Status, value: float | None) -> None:
        """Close a trial."""
        self.running.pop(_identity(trial), None)
        phase = self.phases[trial.phase]
        setattr(phase, status, getattr(phase, status) + 1)
        if value is None or trial.phase not in self._searches:
            return
        if self.best is None or self.best[1].phase != trial.phase or value > self.best[0]:
            self.best = (value, trial)

    def phase_ended(self, name: str) -> None:
        """Close a phase."""
        self.phases[name].over = True

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._begun

    def seconds_left(self) -> float | None:
        """Return an estimate from the images that are left and the speed so far; None before anything was measured."""
        if not self._seen or self._training_begun is None:
            return None
        left = 0.0
        for phase in self.phases.values():
            over = phase.finished + phase.stopped + phase.failed
            left += 0 if phase.over else max(phase.total - over, 0) * self._image_count[phase.name]
        left -= sum(float(trial.row.get("images_seen", 0)) for trial in self.running.values())
        return max(left, 0.0) * (self._clock() - self._training_begun) / self._seen


def duration(seconds: float | None) -> str:
    """Return seconds as a person reads them: `1:05:09`, `4:07`."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _identity(trial: TrialLabel) -> tuple[str, str, int]:
    return trial.phase, trial.key, trial.seed

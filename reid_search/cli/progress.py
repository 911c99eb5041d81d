"""Progress of a run, counted from what the driver reports; prints nothing."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from reid_search.records import Status
from reid_search.scheduling.observer import Row, TrialLabel
from reid_search.study import Plan


@dataclass
class PhaseProgress:
    """One phase of `total` trials.

    Attributes:
        counts: Trials that ended, by status; those measured by earlier runs count as finished.
        over: Whether the phase has ended.
    """

    name: str
    kind: str
    total: int
    counts: Counter[Status] = field(default_factory=Counter)
    over: bool = False


@dataclass
class RunningTrial:
    """A trial in progress, with its latest epoch."""

    label: TrialLabel
    row: Row = field(default_factory=dict)


class RunProgress:
    """Counts trials and images, and estimates the time left.

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
        self.phases = {phase.name: PhaseProgress(phase.name, phase.kind, phase.count) for phase in plan.phases}
        self.running: dict[tuple[str, str, int], RunningTrial] = {}
        self.best: tuple[float, TrialLabel] | None = None  # of a search; a single seed of the test split is no best

    def phase_started(self, name: str, kind: str, total: int, done: int) -> None:
        """Begin a phase; its number of trials is known by now."""
        self.phases[name] = PhaseProgress(name, kind, total, Counter({Status.FINISHED: done}))

    def trial_started(self, trial: TrialLabel) -> None:
        """Start or resume a trial; the speed is measured from the first start in this run."""
        if self._training_begun is None:
            self._training_begun = self._clock()
        self.running[_identity(trial)] = RunningTrial(trial)

    def trial_progress(self, trial: TrialLabel, row: Row) -> None:
        """Record an epoch; only images seen in this run count towards the speed."""
        identity = _identity(trial)
        self.running[identity] = RunningTrial(trial, row)
        epoch, images = int(row["epoch"]), int(row["images_seen"])
        before = self._here.get(identity, images - images // max(epoch, 1))
        self._seen += max(images - before, 0)
        self._here[identity] = images

    def trial_ended(self, trial: TrialLabel, status: Status, value: float | None, reason: str | None) -> None:
        """Count a trial that ended."""
        del reason
        self.running.pop(_identity(trial), None)
        phase = self.phases[trial.phase]
        phase.counts[status] += 1
        if value is None or phase.kind != "search" or not trial.name.startswith("#"):  # a finalist's is one of several
            return
        if self.best is None or self.best[1].phase != trial.phase or value > self.best[0]:
            self.best = (value, trial)

    def phase_ended(self, name: str) -> None:
        """Mark a phase as over."""
        self.phases[name].over = True

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._begun

    def seconds_left(self) -> float | None:
        """Return an estimate from the images left and the speed so far; None before the first epoch."""
        if not self._seen or self._training_begun is None:
            return None
        left = 0.0
        for phase in self.phases.values():
            trials = 0 if phase.over else max(phase.total - phase.counts.total(), 0)
            left += trials * self._image_count[phase.name]
        left -= sum(float(trial.row.get("images_seen", 0)) for trial in self.running.values())
        return max(left, 0.0) * (self._clock() - self._training_begun) / self._seen


def duration(seconds: float | None) -> str:
    """Format seconds as `1:05:09` or `4:07`."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _identity(trial: TrialLabel) -> tuple[str, str, int]:
    return trial.phase, trial.key, trial.seed

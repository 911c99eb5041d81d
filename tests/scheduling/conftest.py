"""A study that takes seconds, and drivers without Ray that may be interrupted at any epoch."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from analysis import look_at_claims
from reid_search.records import ReadoutResult, Record, RunContext, RunStarted, Status, StudyStore, TrialId
from reid_search.scheduling.backends.inline import InThisProcess
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.observer import Row, TrialLabel
from reid_search.scheduling.phase_context import PhaseContext
from reid_search.scheduling.study_run import StudyRun
from reid_search.study import Study, TrialConfig, load_study

Content = dict[str, Any]


class Watcher:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []
        self.notes: list[str] = []
        self.die_after: int | None = None
        self.at_note: Callable[[], object] = lambda: None
        self.at_end: Callable[[], object] | None = None

    def phase_started(self, name: str, kind: str, total: int, done: int) -> None:
        self.events.append(("phase", name, str(total), str(done)))

    def trial_started(self, trial: TrialLabel) -> None:
        self.events.append(("start", trial.phase, trial.name, str(trial.seed)))

    def trial_progress(self, trial: TrialLabel, row: Row) -> None:
        if self.count("epoch") + 1 == self.die_after:
            raise KeyboardInterrupt
        self.events.append(("epoch", trial.phase, trial.name, str(trial.seed), str(row["epoch"])))

    def trial_ended(self, trial: TrialLabel, status: Status, value: float | None, reason: str | None) -> None:
        self.events.append(("end", trial.phase, trial.name, str(trial.seed), status))
        if self.at_end is not None:
            once, self.at_end = self.at_end, None
            once()

    def phase_ended(self, name: str) -> None:
        self.events.append(("over", name))

    def note(self, message: str) -> None:
        self.notes.append(message)
        self.at_note()

    def count(self, *begin: str) -> int:
        return sum(event[: len(begin)] == begin for event in self.events)


def started(study: Study, store: StudyStore, watcher: Watcher, pauses: Sequence[float] = ()) -> StudyRun:
    """Begin a run of a study as the driver does; the pauses of real runs would take too long here."""
    context = PhaseContext.begin(study, store, RunStarted(command="a test"))
    return StudyRun(context, watcher, pauses=pauses, judge=look_at_claims)


class InlineDriver:
    """Runs a study in this process, `at_once` trials in turn; it may be interrupted after some epochs."""

    def __init__(self, study: Study, store: StudyStore, cache: Path, at_once: int, pauses: Sequence[float]) -> None:
        self.watcher = Watcher()
        self._backend = InThisProcess("cpu", cache, at_once)
        self.phases = started(study, store, self.watcher, pauses)

    def run(self, die_after: int | None = None) -> StudyRun:
        """Run to the end, or until Ctrl-C in the middle of reporting an epoch, counted from 1."""
        self.watcher.die_after = die_after
        self._backend.run(self.phases)
        assert self.phases.summary().interrupted == (die_after is not None)
        return self.phases


class TableDriver:
    """Runs a study on values from a table instead of training, one trial at once.

    Args:
        study: The study.
        store: Where it keeps everything.
        value: What a trial reaches on every split; None fails.
        noise: What a trial's key and seed add to it.
    """

    def __init__(
        self,
        study: Study,
        store: StudyStore,
        value: Callable[[TrialConfig], float | None],
        pauses: Sequence[float] = (),
        noise: Callable[[TrialId], float] = lambda trial: 0.0,
    ) -> None:
        self.started: list[Job] = []
        self._noise = noise
        self.watcher = Watcher()
        self._store = store
        self._value = value
        self.phases = started(study, store, self.watcher, pauses)

    def run(self, die_at: int | None = None) -> StudyRun:
        """Run to the end, or until the driver dies with a KeyboardInterrupt in a trial, counted from 0."""
        while not self.phases.done:
            job = self.phases.next_job("trial")
            if job is None:
                continue
            if len(self.started) == die_at:
                raise KeyboardInterrupt
            self.started.append(job)
            self._store.trial(*job.trial).write_record(self._record(job))
            self.phases.ended("trial")
        return self.phases

    def _record(self, job: Job) -> Record:
        value, now = self._value(job.config), datetime.now(UTC).isoformat(timespec="seconds")
        metrics = {} if value is None else {f"{job.ask.evaluate}/mAP": value + self._noise(job.trial)}
        readouts = {
            name: ReadoutResult(config=readout.model_dump(mode="json"), dim=1, metrics=metrics)
            for name, readout in job.config.readouts.items()
        }
        return Record(
            key=job.ask.key,
            seed=job.ask.seed,
            status="failed" if value is None else "finished",
            reason="the table says so" if value is None else None,
            config=job.config.model_dump(mode="json"),
            data_fingerprint="0" * 16,
            device_type="cpu",
            images_seen=job.config.training.images,
            readouts={} if value is None else readouts,
            context=RunContext(seconds=1.0, host="here", device="cpu", versions={}, ended=now),
        )


@pytest.fixture
def study_content(trial_content: Callable[..., Content]) -> Callable[..., Content]:
    """Plain data of a study: four proposals, then two arms around the best with two seeds."""

    def content(**over: Any) -> Content:
        small: Content = {
            "name": "small",
            "base": {
                **trial_content(),
                "training": {"images": 36, "report_every": 12, "batch": {"ids": 4, "per_id": 3}},
                "readouts": {"default": {"control": True}},  # some placements of losses leave a reduction untrained
            },
            "axes": {
                "losses.triplet.margin": {"uniform": [0.1, 2.0], "levels": [0.3, 1.2]},
                "losses.identity.on": {"choice": {"coarse": ["global@coarse"], "reduced": ["reduced"]}},
            },
            "phases": [
                {"kind": "search", "trials": 4, "pruner": {"kind": "successive_halving", "reduction": 2}},
                {"kind": "ablate", "around": "best", "seeds": 2, "axes": ["losses.triplet.margin"]},
            ],
        }
        return {**small, **over}

    return content


@pytest.fixture
def write_study(tmp_path: Path, study_content: Callable[..., Content]) -> Callable[..., Path]:
    """Write a study file; `over` replaces its entries."""

    def write(**over: Any) -> Path:
        path = tmp_path / "study.yaml"
        with path.open("w", encoding="utf-8") as file:
            YAML().dump(study_content(**over), file)
        return path

    return write


@pytest.fixture
def watcher() -> Watcher:
    """Who watches a run."""
    return Watcher()


@pytest.fixture
def driver(cache: Path, tmp_path: Path, write_study: Callable[..., Path]) -> Callable[..., InlineDriver]:
    """Make a driver of a study; drivers of one test share a store."""

    def make(
        overrides: tuple[str, ...] = (),
        at_once: int = 2,
        storage: str = "runs",
        pauses: Sequence[float] = (1.0, 5.0),
        **over: Any,
    ) -> InlineDriver:
        study = load_study(write_study(**over), overrides)
        return InlineDriver(study, StudyStore(tmp_path / storage, study.name), cache, at_once, pauses)

    return make


@pytest.fixture
def table_driver(tmp_path: Path, write_study: Callable[..., Path]) -> Callable[..., TableDriver]:
    """Make a driver of a study with values from a table; drivers of one test share a store."""

    def make(
        value: Callable[[TrialConfig], float | None],
        storage: str = "runs",
        pauses: Sequence[float] = (),
        noise: Callable[[TrialId], float] = lambda trial: 0.0,
        **over: Any,
    ) -> TableDriver:
        study = load_study(write_study(**over))
        return TableDriver(study, StudyStore(tmp_path / storage, study.name), value, pauses, noise)

    return make

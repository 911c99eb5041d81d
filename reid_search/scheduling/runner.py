"""The study on Ray Tune: one searcher hands out jobs, one scheduler watches them, one run covers all phases.

Ray Tune places trials on the cluster, packs them on fractions of GPUs and retries lost nodes. What it would lose in a
crash (what was asked, rungs, results) lives in the store, so nothing here needs to be restored.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from reid_search.scheduling.actor import JOB, NOT_BEGUN, ROW, TrialActor
from reid_search.scheduling.jobs import Job
from reid_search.scheduling.phase_run import PhaseRun
from reid_search.study import Resources

_RETRIES_OF_A_LOST_PROCESS = 2
_QUIET = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_MAX_PENDING_TRIALS_PG": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
}


class _Here:
    """What lives in this process only. Ray Tune pickles its parts for a restore that is not used; this stays behind.

    Args:
        phases: The phases with their jobs.
        job_config: What a trial's process is told of a job.
        most: Trials at once.
    """

    def __init__(self, phases: PhaseRun, job_config: Callable[[Job], Mapping[str, Any]], most: int) -> None:
        self.phases = phases
        self.job_config = job_config
        self.most = most

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return object, ()


class _JobSearcher(Searcher):  # type: ignore[misc]
    """Hands Ray Tune one job at a time, phase after phase."""

    def __init__(self, here: _Here) -> None:
        super().__init__(metric="value", mode="max")
        self._here = here

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return a job's config, None while none can start, FINISHED when the study is over."""
        if self._here.phases.running >= self._here.most:
            return None
        job = self._here.phases.next_job(trial_id)
        if job is not None:
            return {JOB: dict(self._here.job_config(job))}
        return Searcher.FINISHED if self._here.phases.done else None

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Close a job whose process died too often; every other end was reported by the scheduler."""
        del result
        if error and self._here.phases.is_out(trial_id):
            self._here.phases.lost(trial_id, "its process died again and again (out of memory, or killed?)")

    def save(self, checkpoint_path: str) -> None:
        """Write nothing: the store is the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Read nothing: the store is the state."""

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        """Accept whatever Tune passes."""
        del metric, mode, config, spec
        return True


class _JobScheduler(FIFOScheduler):  # type: ignore[misc]
    """Runs jobs in order and stops those that the phase's pruner gives up.

    Ray Tune may start a trial a second time on a process that became free while the trial's own was starting, and
    report it after it is over; what is not out is not listened to.
    """

    def __init__(self, here: _Here) -> None:
        super().__init__()
        self._here = here

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Take an epoch's report."""
        del tune_controller
        if not self._here.phases.is_out(trial.trial_id):
            return str(TrialScheduler.STOP)
        stop = self._here.phases.report(trial.trial_id, dict(result[ROW]))
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Take a finished or failed trial, whose record is on the disk."""
        del tune_controller
        if not self._here.phases.is_out(trial.trial_id):
            return
        if result.get(NOT_BEGUN):
            self._here.phases.lost(trial.trial_id, result[NOT_BEGUN])
            return
        if result.get(ROW):
            self._here.phases.report(trial.trial_id, dict(result[ROW]), last=True)
        self._here.phases.ended(trial.trial_id)


class _Started(tune.Callback):  # type: ignore[misc]
    """Tells the phases when a job really runs."""

    def __init__(self, here: _Here) -> None:
        self._here = here

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note a start."""
        del iteration, trials, info
        if self._here.phases.is_out(trial.trial_id):
            self._here.phases.started(trial.trial_id)


def run_phases(
    phases: PhaseRun, job_config: Callable[[Job], Mapping[str, Any]], resources: Resources, most: int, scratch: Path
) -> None:
    """Run every phase to its end, or until Ctrl-C.

    Args:
        phases: The phases with their jobs.
        job_config: What a trial's process is told of a job.
        resources: What one trial takes.
        most: Trials at once.
        scratch: Folder that Ray Tune may write to, shared by all nodes; removed at the end.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    here = _Here(phases, job_config, most)
    tuner = tune.Tuner(
        tune.with_resources(TrialActor, {"cpu": resources.cpu, "gpu": resources.gpu}),
        tune_config=tune.TuneConfig(
            search_alg=_JobSearcher(here),
            scheduler=_JobScheduler(here),
            num_samples=-1,
            reuse_actors=True,
            trial_dirname_creator=lambda trial: str(trial.trial_id),
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(scratch),
            verbose=0,
            callbacks=[_Started(here)],
            failure_config=tune.FailureConfig(max_failures=_RETRIES_OF_A_LOST_PROCESS),
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
        ),
    )
    try:
        tuner.fit()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)

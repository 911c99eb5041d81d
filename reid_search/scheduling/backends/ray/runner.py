"""The study on Ray Tune: one searcher hands out jobs, one scheduler watches them, one run covers all phases.

Ray Tune places trials on the cluster and packs them on fractions of GPUs. Whatever it would lose in a crash (proposals,
rungs, results) is in the store, so nothing here needs to be restored. The study decides what to retry, and when.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from reid_search.errors import EnvironmentFailure
from reid_search.scheduling.backends.ray.actor import FOR_GOOD, JOB, NOT_BEGUN, ROW, TROUBLE, TrialActor, message
from reid_search.scheduling.study_run import StudyRun
from reid_search.study import Resources

_QUIET = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_MAX_PENDING_TRIALS_PG": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
}

T = TypeVar("T")
U = TypeVar("U")


class OnRay:
    """Runs trials on the cluster that this process is connected to."""

    def __init__(self, at_once: int, resources: Resources, cache: Path | None) -> None:
        self.at_once = at_once
        self._resources = resources
        self._cache = cache

    def run(self, run: StudyRun) -> None:
        """Run a study's jobs to the end, or until Ctrl-C."""
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        here = _Here(run, self._told, self.at_once)
        scratch = run.store.scratch
        try:
            _tuner(here, self._resources, scratch).fit()
        except Exception as error:
            here.problem = here.problem or EnvironmentFailure(f"Ray could not go on: {type(error).__name__}: {error}")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        if here.problem is not None:
            raise here.problem

    def _told(self, run: StudyRun, trial_id: str) -> dict[str, Any] | None:
        job = run.next_job(trial_id)
        if job is None:
            return None
        return message(job, "cuda" if self._resources.gpu else "cpu", self._cache, run.folder_of(job))


class _Here:
    """What exists only in this process: Ray Tune pickles its parts for a restore that is never used, without this.

    Args:
        told: Returns what a trial's process is told about the next job.
        most: Number of jobs that may run at once.
    """

    def __init__(self, run: StudyRun, told: Callable[[StudyRun, str], dict[str, Any] | None], most: int) -> None:
        self.run = run
        self.told = told
        self.most = most
        self.problem: Exception | None = None

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return object, ()

    def do(self, call: Callable[[], T], otherwise: U) -> T | U:
        """Call the study. An error ends the run; Ray Tune alone would wait for ever."""
        if self.problem is not None:
            return otherwise
        try:
            return call()
        except Exception as error:
            self.problem = error
            return otherwise


class _JobSearcher(Searcher):  # type: ignore[misc]
    """Hands Ray Tune one job at a time, phase after phase."""

    def __init__(self, here: _Here) -> None:
        super().__init__(metric="value", mode="max")
        self._here = here

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return a job's config, None while none can start, FINISHED when the study is over."""
        return self._here.do(lambda: self._next(trial_id), str(Searcher.FINISHED))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Take back a job whose process died; the scheduler reports every other end."""
        del result
        if error and self._here.run.is_out(trial_id):
            died = "its process died (killed, or out of memory?)"
            self._here.do(lambda: self._here.run.troubled(trial_id, died), None)

    def save(self, checkpoint_path: str) -> None:
        """Write nothing: the store is the state."""

    def restore(self, checkpoint_path: str) -> None:
        """Read nothing: the store is the state."""

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        """Accept whatever Tune passes."""
        del metric, mode, config, spec
        return True

    def _next(self, trial_id: str) -> dict[str, Any] | str | None:
        run = self._here.run
        if run.running >= self._here.most:
            return None
        told = self._here.told(run, trial_id)
        if told is not None:
            return {JOB: told}
        return str(Searcher.FINISHED) if run.done else None


class _JobScheduler(FIFOScheduler):  # type: ignore[misc]
    """Runs jobs in order and stops those that the phase's pruner gives up.

    Ray Tune may start a trial a second time, on a process that became free while the trial's own was starting, and
    report it after it ended. Reports of jobs that are not running are ignored.
    """

    def __init__(self, here: _Here) -> None:
        super().__init__()
        self._here = here

    def on_trial_result(self, tune_controller: object, trial: Any, result: dict[str, Any]) -> str:
        """Take an epoch's report."""
        del tune_controller
        if not self._here.run.is_out(trial.trial_id):
            return str(TrialScheduler.STOP)
        if not result.get(ROW):
            return str(TrialScheduler.CONTINUE)
        stop = self._here.do(lambda: self._here.run.report(trial.trial_id, dict(result[ROW])), True)
        return str(TrialScheduler.STOP if stop else TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: object, trial: Any, result: dict[str, Any]) -> None:
        """Take a trial that finished or failed, with its record on the disk, or one that could not go on."""
        del tune_controller
        if self._here.run.is_out(trial.trial_id):
            self._here.do(lambda: self._complete(trial.trial_id, result), None)

    def _complete(self, trial_id: str, result: dict[str, Any]) -> None:
        run = self._here.run
        if result.get(NOT_BEGUN):
            run.failed(trial_id, result[NOT_BEGUN])
        elif result.get(TROUBLE):
            run.troubled(trial_id, result[TROUBLE], for_good=bool(result.get(FOR_GOOD)))
        else:
            if result.get(ROW):
                run.report(trial_id, dict(result[ROW]), last=True)
            run.ended(trial_id)


class _Started(tune.Callback):  # type: ignore[misc]
    """Tells the study when a job starts to run."""

    def __init__(self, here: _Here) -> None:
        self._here = here

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note a start."""
        del iteration, trials, info
        if self._here.run.is_out(trial.trial_id):
            self._here.do(lambda: self._here.run.started(trial.trial_id), None)


class _Problem(tune.Stopper):  # type: ignore[misc]
    """Ends everything when the study cannot go on."""

    def __init__(self, here: _Here) -> None:
        self._here = here

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Stop no single trial."""
        del trial_id, result
        return False

    def stop_all(self) -> bool:
        """Say whether the study cannot go on."""
        return self._here.problem is not None


def _tuner(here: _Here, resources: Resources, scratch: Path) -> Any:
    """Return the tuner that runs every job; all nodes share the scratch folder."""
    return tune.Tuner(
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
            stop=_Problem(here),
            verbose=0,
            callbacks=[_Started(here)],
            failure_config=tune.FailureConfig(max_failures=0),
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
        ),
    )

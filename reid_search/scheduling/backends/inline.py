"""Trials in this process, without Ray: for a debugger, or for machines that have no Ray."""

import itertools
import time
from pathlib import Path

from reid_search.errors import EnvironmentFailure, InputChanged, ResourceError
from reid_search.scheduling.study_run import StudyRun
from reid_search.study import Resources
from reid_search.training import Device, TrialSession


class InThisProcess:
    """Runs `at_once` trials in turn, an epoch each; with 1, one trial after another."""

    def __init__(self, device: Device, cache: Path | None, at_once: int = 1) -> None:
        self.at_once = at_once
        self._device = device
        self._cache = cache

    def run(self, run: StudyRun) -> None:
        """Run a study's jobs to the end, or until Ctrl-C."""
        out: dict[str, TrialSession] = {}
        names = map(str, itertools.count())
        try:
            while not run.done:
                while len(out) < self.at_once and (session := self._begun(run, name := next(names))):
                    out[name] = session
                for name, session in list(out.items()):
                    if _is_over(run, name, session):
                        out.pop(name).close()
        except KeyboardInterrupt:  # every measurement is on the disk
            pass
        finally:
            for session in out.values():
                session.close()

    def _begun(self, run: StudyRun, name: str) -> TrialSession | None:
        job = run.next_job(name)
        if job is None:
            return None
        time.sleep(job.pause)
        run.started(name)
        return TrialSession(job.request(self._device, self._cache), run.folder_of(job))


def in_this_process(resources: Resources, cache: Path | None) -> InThisProcess:
    """Return the backend that runs one trial after another in this process.

    Raises:
        ResourceError: A trial takes a GPU, and none is visible here.
    """
    import torch

    if resources.gpu and not torch.cuda.is_available():
        raise ResourceError(f"resources.gpu: {resources.gpu:g}: no GPU is visible here; allowed: 0 trains on the CPU")
    return InThisProcess("cuda" if resources.gpu else "cpu", cache)


def _is_over(run: StudyRun, name: str, session: TrialSession) -> bool:
    """Train an epoch; return whether the job ended."""
    try:
        row = session.advance()
    except EnvironmentFailure as error:
        run.troubled(name, str(error), for_good=isinstance(error, InputChanged))
        return True
    if not session.done:
        return run.report(name, row)
    if row:
        run.report(name, row, last=True)
    run.ended(name)
    return True

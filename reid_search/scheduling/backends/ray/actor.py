"""The process that trains: a Ray Tune trainable around a trial session, reused from trial to trial."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from ray import tune

from reid_search.errors import EnvironmentFailure, InputChanged, is_of_environment
from reid_search.records import TrialFolder
from reid_search.scheduling.jobs import Job
from reid_search.training import Device, TrialRequest

if TYPE_CHECKING:
    from reid_search.training import TrialSession

JOB = "job"
ROW = "row"
TROUBLE = "trouble"
FOR_GOOD = "for_good"
NOT_BEGUN = "not begun"

_NAP_SECONDS = 1.0


class TrialActor(tune.Trainable):  # type: ignore[misc]
    """Trains one epoch per step, and writes each measurement to the trial's folder before Ray hears of it."""

    _session: "TrialSession | None" = None
    _lost_its_gpu = False

    def setup(self, config: dict[str, Any]) -> None:
        """Take the first job."""
        self._take(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next job in the same process, which saves the imports.

        Raises:
            RuntimeError: The process may have lost its GPU, so Ray has to start another.
        """
        if self._lost_its_gpu:
            raise RuntimeError("this process had trouble with its GPU; another one is needed")
        self._take(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Train one epoch; after the last, write the record.

        The row is returned as pairs, since Ray Tune flattens maps. What keeps a trial from starting or continuing is
        returned too, so that the driver knows why. A retried job waits first, a nap at a time, so that Ctrl-C works.
        """
        if self._pause > 0:
            time.sleep(min(self._pause, _NAP_SECONDS))
            self._pause -= _NAP_SECONDS
            return {"value": 0.0}
        try:
            session = self._opened()
        except Exception as error:  # else Ray would not say why
            kind = TROUBLE if is_of_environment(error) or isinstance(error, ImportError) else NOT_BEGUN
            return {kind: f"it could not begin: {type(error).__name__}: {error}", "value": 0.0, "done": True}
        try:
            row = tuple(session.advance().items())
        except EnvironmentFailure as failure:
            self._lost_its_gpu = self._job["device"] == "cuda"
            self._close()
            for_good = isinstance(failure, InputChanged)
            return {TROUBLE: str(failure), FOR_GOOD: for_good, "value": 0.0, "done": True}
        if not session.done:
            return {ROW: row, "value": 0.0}
        self._close()
        return {ROW: row, "value": 0.0, "done": True}

    def cleanup(self) -> None:
        """Let go of the trial."""
        self._close()

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Write nothing: the session keeps its own checkpoints in the trial's folder."""

    def load_checkpoint(self, checkpoint: object) -> None:
        """Read nothing: the session goes on from the trial's folder."""

    def _take(self, config: dict[str, Any]) -> None:
        self._close()
        self._job = config[JOB]
        self._pause = float(self._job["pause"])

    def _opened(self) -> "TrialSession":
        if self._session is None:
            from reid_search.training import TrialSession

            request = TypeAdapter(TrialRequest).validate_python(self._job)
            self._session = TrialSession(request, TrialFolder(Path(self._job["folder"])))
        return self._session

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def message(job: Job, device: Device, cache: Path | None, folder: TrialFolder) -> dict[str, Any]:
    """Return what a trial's process is told about a job, as plain data."""
    request = job.request(device, cache and cache.resolve())
    plain = TypeAdapter(TrialRequest).dump_python(request, mode="json")
    return {**plain, "folder": str(folder.path.resolve()), "pause": job.pause}

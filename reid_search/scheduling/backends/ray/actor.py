"""The process that trains: a Ray Tune trainable around a trial session, reused from trial to trial."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import tune

from reid_search.errors import EnvironmentFailure, is_of_environment
from reid_search.records import TrialFolder
from reid_search.scheduling.jobs import Job
from reid_search.study import TrialConfig
from reid_search.training import Device, TrialRequest

if TYPE_CHECKING:
    from reid_search.training import TrialSession

JOB = "job"
ROW = "row"
TROUBLE = "trouble"
NOT_BEGUN = "not begun"

_NAP_SECONDS = 1.0


class TrialActor(tune.Trainable):  # type: ignore[misc]
    """Trains one epoch per step; what it measures goes to the trial's folder before Ray hears of it."""

    _session: "TrialSession | None" = None
    _lost_its_gpu = False

    def setup(self, config: dict[str, Any]) -> None:
        """Take the first job."""
        self._take(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next job in the same process, which spares the imports.

        Raises:
            RuntimeError: The process may have lost its GPU, so that Ray has to start another.
        """
        if self._lost_its_gpu:
            raise RuntimeError("this process ran into trouble on its GPU; another one is needed")
        self._take(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Train one epoch; after the last, write the record.

        The row goes as pairs, since Ray Tune flattens maps. What keeps a trial from going on, or from beginning, is
        returned, so that the driver is told why. A job that is tried again waits first, a nap at a time, so that Ctrl-C
        is heard.
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
            return {TROUBLE: str(failure), "value": 0.0, "done": True}
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

            self._session = TrialSession(*_read(self._job))
        return self._session

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def message(job: Job, device: Device, cache: Path | None, folder: TrialFolder) -> dict[str, Any]:
    """Return what a trial's process is told of a job, as plain data."""
    request = job.request(device, cache and cache.resolve())
    return {
        "config": request.config.model_dump(mode="json"),
        "key": request.key,
        "seed": request.seed,
        "evaluate": list(request.evaluate),
        "keep": request.keep_checkpoint,
        "folder": str(folder.path.resolve()),
        "cache": str(request.cache) if request.cache else None,
        "device": request.device,
        "pause": job.pause,
    }


def _read(told: dict[str, Any]) -> tuple[TrialRequest, TrialFolder]:
    request = TrialRequest(
        config=TrialConfig.model_validate(told["config"]),
        seed=told["seed"],
        key=told["key"],
        evaluate=tuple(told["evaluate"]),
        cache=Path(told["cache"]) if told["cache"] else None,
        device=told["device"],
        keep_checkpoint=told["keep"],
    )
    return request, TrialFolder(Path(told["folder"]))

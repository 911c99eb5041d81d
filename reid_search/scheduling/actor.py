"""The process that trains: a Ray Tune trainable around a trial session, reused from trial to trial."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import tune

if TYPE_CHECKING:
    from reid_search.training import TrialSession

JOB = "job"
ROW = "row"
NOT_BEGUN = "not begun"


class TrialActor(tune.Trainable):  # type: ignore[misc]
    """Trains one epoch per step; what it measures goes to the trial's folder before Ray hears of it."""

    _session: "TrialSession | None" = None

    def setup(self, config: dict[str, Any]) -> None:
        """Take the first job."""
        self._take(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next job in the same process, which spares the imports."""
        self._take(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Train one epoch; write the record behind the last.

        The row goes as pairs, since Ray Tune flattens maps. A session that cannot even begin leaves no record, so that
        the driver is told why.
        """
        try:
            session = self._opened()
        except Exception as error:  # else Ray would start it again and again, and not say why
            return {NOT_BEGUN: f"it could not begin: {type(error).__name__}: {error}", "value": 0.0, "done": True}
        row = tuple(session.advance().items())
        if not session.done:
            return {ROW: row, "value": 0.0}
        self._close()
        return {ROW: row, "value": 0.0, "done": True}

    def cleanup(self) -> None:
        """Let go of the trial."""
        self._close()

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Write nothing: the session keeps its own checkpoints in the trial's folder."""

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Read nothing: the session goes on from the trial's folder."""

    def _take(self, config: dict[str, Any]) -> None:
        self._close()
        self._job = config[JOB]

    def _opened(self) -> "TrialSession":
        if self._session is None:
            from reid_search.records import TrialFolder
            from reid_search.study import TrialConfig
            from reid_search.training import TrialRequest, TrialSession

            job = self._job
            request = TrialRequest(
                config=TrialConfig.model_validate(job["config"]),
                seed=job["seed"],
                key=job["key"],
                evaluate=tuple(job["evaluate"]),
                cache=Path(job["cache"]) if job["cache"] else None,
                device=job["device"],
                keep_checkpoint=job["keep"],
            )
            self._session = TrialSession(request, TrialFolder(Path(job["folder"])))
        return self._session

    def _close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

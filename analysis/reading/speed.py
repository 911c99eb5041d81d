"""How fast trials were, so that a plan can say how long it may take; without pandas, since plans must come at once."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid_search.errors import RecordError
from reid_search.records import Record, Status, StudyStore
from reid_search.study import Plan, TrialConfig


@dataclass(frozen=True)
class Speed:
    """Seconds an image of training, of trials that were measured.

    Attributes:
        by_key: Median over trials with the same key, by key and type of device.
        by_model: Median over trials with the same model and image size, by these and type of device (`cpu`, `cuda`).
        trials: Number of trials that were measured.
    """

    by_key: Mapping[tuple[str, str], float]
    by_model: Mapping[tuple[str, str], float]
    trials: int

    def rate(self, config: TrialConfig, device: str, key: str = "") -> float | None:
        """Return the seconds that an image of a training may take; None where nothing comparable was measured."""
        model = _model_of(config.model_dump(mode="json"))
        return self.by_key.get((key, device)) or self.by_model.get((model, device))


def planned_seconds(plan: Plan, speed: Speed, device: str) -> list[float | None]:
    """Return how long the trials of each phase may take, one after another; None where nothing comparable was measured.

    A training that an earlier phase asks for is not counted again, and early stopping is not foreseen. A search or a
    path has a price where every model that it may train was measured; it is that of their mean.

    Args:
        plan: The plan.
        speed: What was measured.
        device: Type of the device, `cpu` or `cuda`.
    """
    counted: set[tuple[str, int]] = set()
    found: list[float | None] = []
    for phase in plan.phases:
        new = {(trial.key, trial.seed): trial.config for trial in phase.trials}
        new = {name: config for name, config in new.items() if name not in counted}
        counted |= set(new)
        trainings = [(key, config, float(config.training.images)) for (key, _), config in new.items()]
        if phase.may_train:
            trainings = [("", config, phase.images / len(phase.may_train)) for config in phase.may_train]
        times = [_times(speed.rate(config, device, key), images) for key, config, images in trainings]
        known = [time for time in times if time is not None]
        found.append(sum(known) if len(known) == len(times) else None)
    return found


def _times(rate: float | None, images: float) -> float | None:
    return None if rate is None else rate * images


def measured_speed(storage: Path | str) -> Speed:
    """Return how fast the finished trials of every study of a storage were.

    Args:
        storage: Folder with one folder a study.
    """
    by_key: dict[tuple[str, str], list[float]] = {}
    by_model: dict[tuple[str, str], list[float]] = {}
    for record in _finished(Path(storage)):
        rate = record.context.seconds / record.images_seen
        by_key.setdefault((record.key, record.device_type), []).append(rate)
        by_model.setdefault((_model_of(record.config), record.device_type), []).append(rate)
    return Speed(_medians(by_key), _medians(by_model), sum(map(len, by_key.values())))


def _finished(storage: Path) -> Iterator[Record]:
    for path in sorted(storage.glob("*/asked.jsonl")):
        for folder in StudyStore.at(path.parent).trials():
            try:
                record = folder.record()
            except RecordError:
                continue
            if record is not None and record.status == Status.FINISHED and record.images_seen:
                yield record


def _model_of(config: Mapping[str, Any]) -> str:
    """Return what tells models and image sizes apart; weights to start from make none slower."""
    model = {name: value for name, value in config.get("model", {}).items() if not name.endswith("weights")}
    return repr((sorted(model.items(), key=str), config.get("data", {}).get("image_size")))


def _medians(rates: Mapping[tuple[str, str], Sequence[float]]) -> dict[tuple[str, str], float]:
    return {name: statistics.median(found) for name, found in rates.items()}

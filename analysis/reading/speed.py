"""How fast trials were, for the time estimates of `plan`; without pandas, since planning must be quick."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reid_search.errors import RecordError
from reid_search.records import Record, Status, StudyStore
from reid_search.study import Plan, TrialConfig


@dataclass(frozen=True)
class Speed:
    """Seconds per training image, measured on finished trials.

    Attributes:
        by_key: Median over trials with the same key, by key and type of device (`cpu`, `cuda`).
        by_model: Median over trials with the same model and image size, by these and type of device.
        trials: Number of trials that were measured.
    """

    by_key: Mapping[tuple[str, str], float]
    by_model: Mapping[tuple[str, str], float]
    trials: int

    def rate(self, config: TrialConfig, device: str, key: str = "") -> float | None:
        """Return the seconds per image of a training; None if nothing comparable was measured."""
        model = _model_of(config.model_dump(mode="json"))
        return self.by_key.get((key, device)) or self.by_model.get((model, device))


def planned_seconds(plan: Plan, speed: Speed, device: str) -> list[float | None]:
    """Return the total seconds of each phase's trials on a type of device; None if nothing comparable was measured.

    A training that an earlier phase asks for is not counted again, and early stopping is ignored. A search or a path
    has an estimate only if every model that it may train was measured; it is their mean.
    """
    counted: set[tuple[str, int]] = set()
    found: list[float | None] = []
    for phase in plan.phases:
        new = {(trial.key, trial.seed): trial.config for trial in phase.trials}
        new = {name: config for name, config in new.items() if name not in counted}
        counted |= set(new)
        trainings = [(key, config, float(config.training.images)) for (key, _), config in new.items()]
        if phase.may_train:
            trainings = [("", config, phase.images / len(phase.may_train)) for _, config in phase.may_train]
        rates = [(speed.rate(config, device, key), images) for key, config, images in trainings]
        times = [rate * images for rate, images in rates if rate is not None]
        found.append(sum(times) if len(times) == len(rates) else None)
    return found


def measured_speed(storage: Path | str) -> Speed:
    """Return how fast the finished trials of every study under a storage folder were."""
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


def _model_of(config: Mapping[str, object]) -> str:
    """Return a text that identifies model and image size; initial weights are left out, since they cost no time."""
    sections = (config.get(name) for name in ("model", "data"))
    model, data = (section if isinstance(section, Mapping) else {} for section in sections)
    settings = {name: value for name, value in model.items() if not name.endswith("weights")}
    return repr((sorted(settings.items(), key=str), data.get("image_size")))


def _medians(rates: Mapping[tuple[str, str], Sequence[float]]) -> dict[tuple[str, str], float]:
    return {name: statistics.median(found) for name, found in rates.items()}

"""How fast trials were, so that a plan can say how long it may take; without pandas, since plans must come at once."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid_search.errors import RecordError
from reid_search.records import Record, Status, StudyStore
from reid_search.study import Plan


@dataclass(frozen=True)
class Speed:
    """Seconds an image of training, of trials that were measured.

    Attributes:
        by_key: Of trials with the same key.
        by_model: Median over trials with the same model and image size.
        overall: Median over all trials; None where none was measured.
        trials: Number of trials that were measured.
    """

    by_key: Mapping[str, float]
    by_model: Mapping[str, float]
    overall: float | None
    trials: int

    def seconds(self, key: str, config: Mapping[str, Any], images: int) -> float | None:
        """Return how long a training may take; None where nothing was measured."""
        rate = self.by_key.get(key) or self.by_model.get(_model_of(config)) or self.overall
        return None if rate is None else rate * images


def planned_seconds(plan: Plan, speed: Speed) -> list[float | None]:
    """Return how long the trials of each phase may take, one after another; None where nothing was measured.

    A training that an earlier phase asks for is not counted again, and early stopping is not foreseen.

    Args:
        plan: The plan.
        speed: What was measured.
    """
    counted: set[tuple[str, int]] = set()
    found: list[float | None] = []
    for phase in plan.phases:
        new = {(trial.key, trial.seed): trial.config for trial in phase.trials}
        new = {name: config for name, config in new.items() if name not in counted}
        counted |= set(new)
        times = [
            speed.seconds(key, config.model_dump(mode="json"), config.training.images)
            for (key, _), config in new.items()
        ]
        times += [speed.seconds("", {}, phase.images)] if not phase.trials else []
        found.append(None if None in times else sum(time for time in times if time is not None))
    return found


def measured_speed(storage: Path | str) -> Speed:
    """Return how fast the finished trials of every study of a storage were.

    Args:
        storage: Folder with one folder a study.
    """
    by_key: dict[str, list[float]] = {}
    by_model: dict[str, list[float]] = {}
    for record in _finished(Path(storage)):
        rate = record.context.seconds / record.images_seen
        by_key.setdefault(record.key, []).append(rate)
        by_model.setdefault(_model_of(record.config), []).append(rate)
    rates = [rate for found in by_key.values() for rate in found]
    return Speed(_medians(by_key), _medians(by_model), statistics.median(rates) if rates else None, len(rates))


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
    return repr((sorted(config.get("model", {}).items(), key=str), config.get("data", {}).get("image_size")))


def _medians(rates: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: statistics.median(found) for name, found in rates.items()}

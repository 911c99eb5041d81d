"""What a study was planned to take, what it took, and how long what is left may take."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid_search.errors import RecordError
from reid_search.records import Record, StudyStore

from ..reading.arms import last_ablations
from ..reading.gather import Identity, StudyResults
from ..reading.proposals import last_searches


@dataclass(frozen=True)
class PhaseBudget:
    """Planned and spent by a phase. A training counts in the first phase that asked for it.

    Attributes:
        phase: The phase.
        planned_trials: Trainings planned when its last run began; None where the log does not say.
        planned_images: Their images, without early stopping.
        trials: Trainings on disk.
        images: Images that they have seen.
        seconds: Time that they took, over all interruptions.
    """

    phase: str
    planned_trials: int | None
    planned_images: int | None
    trials: int
    images: int
    seconds: float


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


def budgets(results: StudyResults) -> list[PhaseBudget]:
    """Return planned and spent of every phase that has asked for trials, in order."""
    runs = [event for event in results.events if event["event"] == "run"]
    planned = {str(row["phase"]): row for row in (runs[-1].get("planned", ()) if runs else ())}
    asked: dict[str, list[Identity]] = {}
    for asks in (last_searches(results.events), last_ablations(results.events)):
        for phase, events in asks.items():
            asked[phase] = [(str(event["key"]), int(event["seed"])) for event in events]
    counted: set[Identity] = set()
    found = []
    for phase, identities in asked.items():
        own = [results.trials[name] for name in dict.fromkeys(identities) if name in results.trials]
        own = [trial for trial in own if (trial.key, trial.seed) not in counted]
        counted |= {(trial.key, trial.seed) for trial in own}
        row = planned.get(phase, {})
        found.append(
            PhaseBudget(
                phase,
                row.get("trials"),
                row.get("images"),
                len(own),
                sum(trial.images_seen for trial in own),
                sum(trial.seconds for trial in own),
            )
        )
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
            if record is not None and record.status == "finished" and record.images_seen:
                yield record


def _model_of(config: Mapping[str, Any]) -> str:
    return repr((sorted(config.get("model", {}).items(), key=str), config.get("data", {}).get("image_size")))


def _medians(rates: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: statistics.median(found) for name, found in rates.items()}

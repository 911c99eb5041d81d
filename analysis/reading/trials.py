"""One row a trial, one column a config path."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from reid_search.study.axes import label_of

from .gather import StudyResults, Trial, gather
from .measures import COST_COLUMNS, METRIC_COLUMNS, costs, table_of


def load_trials(study_dir: Path | str) -> pd.DataFrame:
    """Return every trial of a study, sorted by key and seed.

    Columns: `key`, `seed`, `status` (`finished`, `stopped`, `failed`, or `running` where there is no record yet),
    `reason`, then one per config path (`model.parts`, `losses.triplet.margin`; lists as their text `[1, 2, 3]`), the
    measurements of the trial's first readout (`default` where there is one) in [0, 1], and `images_seen`, `seconds`,
    `parameters`, `loss_parameters`, `macs`.

    Args:
        study_dir: `<storage>/<study>`.

    Raises:
        RequestError: There is no study in this folder.
        RecordError: A record is cut or of another version.
    """
    return trials_table(gather(study_dir))


def trials_table(results: StudyResults) -> pd.DataFrame:
    """Return the trials of what was gathered; see `load_trials`."""
    flat = [dict(_flattened(trial.config)) for trial in results.trials.values()]
    paths = dict.fromkeys(path for config in flat for path in config)
    rows = [_row(trial) | config for trial, config in zip(results.trials.values(), flat, strict=True)]
    return table_of(rows, ["key", "seed", "status", "reason", *paths, *METRIC_COLUMNS, *COST_COLUMNS])


def _row(trial: Trial) -> dict[str, Any]:
    first = trial.first_readout
    metrics = trial.record.readouts[first].metrics if trial.record and first else {}
    return {
        "key": trial.key,
        "seed": trial.seed,
        "status": trial.status,
        "reason": trial.reason,
        **metrics,
        **costs(trial),
    }


def _flattened(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            # A list cannot be grouped by; its text is also what the study file's tables call it.
            yield f"{prefix}{name}", label_of(value) if isinstance(value, list | tuple | Mapping) else value

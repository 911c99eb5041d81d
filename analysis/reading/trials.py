"""One row per trial, one column per config path."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from reid_search.records import Ask, StudyState, StudyStore, Trial, read_state
from reid_search.study.component import label_of
from reid_search.study.metrics import metric_columns

from .measures import COST_COLUMNS, costs, table_of


def load_trials(study_dir: Path | str) -> pd.DataFrame:
    """Return every trial of a study, sorted by key and seed.

    Columns: `key`, `seed`, `status` (`finished`, `stopped`, `failed`, or `running` if there is no record yet),
    `reason`, `asked_by` (arms and proposals), `readout` (that of the first of them, under its name in the record), one
    per config path (`model.parts`, `losses.triplet.margin`; lists as text, `[1, 2, 3]`; readouts named as in the study
    file), the measurements of this readout in [0, 1], and `images_seen`, `seconds`, `parameters`, `loss_parameters`,
    `macs`. If arms share a training but not a readout, every other readout has prefixed columns:
    `default-3fa9c1/test/mAP`.

    Args:
        study_dir: `<storage>/<study>`.

    Raises:
        RequestError: There is no study in this folder.
        RecordError: A record is truncated or of another version.
    """
    return trials_table(read_state(StudyStore.at(study_dir)))


def trials_table(state: StudyState) -> pd.DataFrame:
    """Return the trials of a study; see `load_trials`."""
    first = (next(iter(state.askers.get(trial.id, ())), None) for trial in state.trials.values())
    configs = (config_for(trial, ask) for trial, ask in zip(state.trials.values(), first, strict=True))
    flat = [dict(_flattened(config)) for config in configs]
    paths = dict.fromkeys(path for config in flat for path in config)
    rows = [_row(trial, state) | config for trial, config in zip(state.trials.values(), flat, strict=True)]
    columns = ["key", "seed", "status", "reason", "asked_by", "readout", *paths, *metric_columns(), *COST_COLUMNS]
    return table_of(rows, columns)


def _row(trial: Trial, state: StudyState) -> dict[str, object]:
    asked = state.askers_by_readout(trial)
    first, *others = [*asked] or [trial.first_readout or ""]
    return {
        "key": trial.key,
        "seed": trial.seed,
        "status": trial.status,
        "reason": trial.reason,
        "asked_by": ", ".join(dict.fromkeys(ask.label for asks in asked.values() for ask in asks)),
        "readout": first or None,
        **trial.measured(first),
        **{f"{name}/{metric}": value for name in others for metric, value in trial.measured(name).items()},
        **costs(trial),
    }


def config_for(trial: Trial, ask: Ask | None) -> Mapping[str, object]:
    """Return a trial's config with the readouts that an asker wants, under their names in the study file."""
    readouts = trial.config.get("readouts")
    if ask is None or not ask.readouts or not isinstance(readouts, Mapping):
        return trial.config
    own = {name: readouts[stored] for name, stored in ask.readouts.items() if stored in readouts}
    return {**trial.config, "readouts": own}


def _flattened(content: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            # Pandas cannot group by lists; their text is also how tables show them.
            yield f"{prefix}{name}", label_of(value) if isinstance(value, list | tuple | Mapping) else value

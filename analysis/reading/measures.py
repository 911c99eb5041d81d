"""The columns that tables of trials and of arms share."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reid_search.records import Trial

COST_COLUMNS = ("images_seen", "seconds", "parameters", "loss_parameters", "macs")

_COUNTS = ("seed", "number", "epochs", "images_seen", "parameters", "loss_parameters", "macs", "dim")


def costs(trial: Trial | None) -> dict[str, Any]:
    """Return what a trial took: images, seconds, parameters of model and losses, multiply-adds."""
    if trial is None:
        return {}
    record = trial.record
    return {
        "images_seen": trial.images_seen,
        "seconds": trial.seconds,
        "parameters": record.parameters.get("model") if record else None,
        "loss_parameters": record.parameters.get("losses") if record else None,
        "macs": record.macs if record else None,
    }


def table_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Return rows as a table with these columns first, whatever is missing, and further ones behind them.

    Measurements are float64 with NaN where there is none, counts are nullable integers.
    """
    table = pd.DataFrame(list(rows))
    further = [column for column in table.columns if column not in columns]
    table = table.reindex(columns=[*columns, *further])
    floats = [column for column in table.columns if "/" in column or column in ("seconds", "value", "last_value")]
    table[floats] = table[floats].astype("float64")
    counts = [column for column in _COUNTS if column in table.columns]
    table[counts] = table[counts].astype("Int64")
    return table

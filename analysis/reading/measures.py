"""The columns that tables of trials and of arms share."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from reid_search.records import Trial
from reid_search.study.metrics import SINGLE_SHOT_BESIDE

Row = Mapping[str, Any]  # a row of a table by column; pandas does not type cells

COST_COLUMNS = ("images_seen", "seconds", "parameters", "loss_parameters", "macs")

_COUNTS = ("seed", "number", "epochs", "images_seen", "parameters", "loss_parameters", "macs", "dim")


def costs(trial: Trial | None) -> dict[str, object]:
    """Return what a trial took: images, seconds, parameters of model and losses, multiply-adds."""
    if trial is None:
        return {}
    found: dict[str, object] = {"images_seen": trial.images_seen, "seconds": trial.seconds}
    if trial.record:
        sizes = trial.record.parameters
        found |= {"parameters": sizes.get("model"), "loss_parameters": sizes.get("losses"), "macs": trial.record.macs}
    return found


def rows_of(table: pd.DataFrame) -> list[Row]:
    """Return the rows of a table by column."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def is_single_shot(table: pd.DataFrame, split: str) -> bool:
    """Say whether a table of arms or trials holds measurements in random galleries of one image an identity."""
    column = f"{split}/{SINGLE_SHOT_BESIDE}"
    return column in table and bool(table[column].notna().any())


def table_of(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> pd.DataFrame:
    """Return rows as a table with these columns first, even those that no row has, then any others.

    Measurements are float64, NaN if missing; counts are nullable integers.
    """
    table = pd.DataFrame(list(rows))
    further = [column for column in table.columns if column not in columns]
    table = table.reindex(columns=[*columns, *further])
    floats = [column for column in table.columns if "/" in column or column in ("seconds", "value", "last_value")]
    table[floats] = table[floats].astype("float64")
    counts = [column for column in _COUNTS if column in table.columns]
    table[counts] = table[counts].astype("Int64")
    return table

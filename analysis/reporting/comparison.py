"""The table of studies side by side."""

import pandas as pd

from .export import Column, Table, table_for, text_of
from .formats import interval, p_value, points, spread


def comparison_sheet(rows: pd.DataFrame, metric: str) -> Table:
    """Return what `compare_studies` found for a metric as a table for people."""
    columns = [
        Column("arm", text_of("arm"), number=False),
        Column("study", text_of("study"), number=False),
        Column("seeds", lambda row: str(row["n"])),
        Column(f"{metric}, %", lambda row: spread(row["mean"], row["sd"])),
        Column("Δ, points", lambda row: points(row["delta"])),
        Column("95 % interval", lambda row: interval(row["low"], row["high"])),
        Column("p (Holm)", lambda row: p_value(row["p_holm"])),
        Column("verdict", text_of("verdict"), number=False),
    ]
    if rows["phase"].nunique() > 1:
        columns.insert(0, Column("phase", text_of("phase"), number=False))
    return table_for("comparison", rows, columns, rows)


def lost_seeds(rows: pd.DataFrame) -> list[str]:
    """Return a line for each arm of a comparison that lost seeds; beside its effect a terminal has no room for it."""
    lost = rows[(rows["failed"] > 0) | (rows["collapsed"] > 0)]
    return [f"{row.arm} of {row.study}: {row.ended}" for row in lost.itertuples()]

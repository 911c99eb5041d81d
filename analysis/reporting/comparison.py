"""Studies side by side, as people read it."""

import pandas as pd

from .export import Column, Table, table_for
from .formats import NOTHING, interval, known, p_value, points, spread


def comparison_sheet(rows: pd.DataFrame, metric: str) -> Table:
    """Return the table of `compare_studies`.

    Args:
        rows: What it returned.
        metric: What was compared.
    """
    columns = [
        Column("arm", lambda row: str(row["arm"]), number=False),
        Column("study", lambda row: str(row["study"]), number=False),
        Column("seeds", lambda row: str(row["n"])),
        Column(f"{metric}, %", lambda row: spread(row["mean"], row["sd"])),
        Column("Δ, points", lambda row: points(row["delta"])),
        Column("95 % interval", lambda row: interval(row["low"], row["high"])),
        Column("p (Holm)", lambda row: p_value(row["p_holm"])),
        Column("verdict", lambda row: str(row["verdict"]) if known(row["verdict"]) else NOTHING, number=False),
    ]
    if rows["phase"].nunique() > 1:
        columns.insert(0, Column("phase", lambda row: str(row["phase"]), number=False))
    return table_for("comparison", rows, columns, rows)

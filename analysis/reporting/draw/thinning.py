"""Which of many proposals are drawn: a figure with thousands of lines says less than one with two hundred."""

import numpy as np
import pandas as pd

PROPOSALS_DRAWN = 200


def thinned(rows: pd.DataFrame, count: int = PROPOSALS_DRAWN) -> pd.DataFrame:
    """Return the rows by value, the best last, at most `count` of them: the best half, and the rest evenly thinned.

    Rows without a value count as worst and keep their order.
    """
    rows = rows.sort_values("value", kind="stable", na_position="first")
    if len(rows) <= count:
        return rows
    best = count // 2
    rest = np.linspace(0, len(rows) - best - 1, count - best).round().astype(int)
    return rows.iloc[[*rest, *range(len(rows) - best, len(rows))]]


def said(total: int, what: str, which: str) -> str:
    """Return the sentence that says what is not drawn; empty if everything is."""
    return f"Of {total} {what}, {PROPOSALS_DRAWN} are drawn: {which}." if total > PROPOSALS_DRAWN else ""

"""What a search reached by each axis alone, all else as it came."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from reid_search.records import Status

from .number_axes import NumberAxis
from .searches import SearchSummary

_GROUPS = 6  # of equal size, on a range
_FEWEST_OF_A_GROUP = 3
_MANY = 8  # more distinct numbers than this are a range, fewer are levels


def isolation(search: SearchSummary) -> pd.DataFrame:
    """Return what the trials of a search reached by each axis alone: by level, or by groups of neighbours on a range.

    Columns: `axis`, `low` and `high` (the least and the greatest level of the group, the same where it is one level),
    `trials`, `finished`, `stopped`, `failed`, `best` (the objective of the best finished trial, all other axes free;
    NaN without one), `number` (that proposal) and `median` (of the finished trials).
    """
    rows = [row for path in search.axes if path in search.proposals for row in _groups(search, path)]
    columns = ["axis", "low", "high", "trials", "finished", "stopped", "failed", "best", "number", "median"]
    return pd.DataFrame(rows, columns=columns).astype({"number": "Int64"})


def _groups(search: SearchSummary, path: str) -> Iterator[dict[str, object]]:
    trials = search.proposals[search.proposals[path].notna()]
    axis = NumberAxis.of(search.described.get(path, {}))
    numbers = trials[path].map(axis.number) if axis is not None else trials[path].map(lambda _: None)
    if axis is None or axis.choices or numbers.isna().any() or numbers.nunique() <= _MANY:
        levels = list(dict.fromkeys(trials[path]))
        known = [axis.number(level) if axis is not None else None for level in levels]
        if axis is not None and None not in known:
            levels.sort(key=lambda level: axis.number(level) or 0.0)
        for level in levels:
            yield _row(path, str(level), str(level), trials[trials[path] == level])
        return
    order = np.argsort(numbers.to_numpy(np.float64), kind="stable")
    for part in np.array_split(order, min(_GROUPS, max(1, len(order) // _FEWEST_OF_A_GROUP))):
        group = trials.iloc[part]
        yield _row(path, str(group[path].iloc[0]), str(group[path].iloc[-1]), group)


def _row(path: str, low: str, high: str, group: pd.DataFrame) -> dict[str, object]:
    counts = group["status"].value_counts()
    best = group["value"].astype("float64").reset_index(drop=True)
    return {
        "axis": path, "low": low, "high": high, "trials": len(group),
        **{status: int(counts.get(status, 0)) for status in (Status.FINISHED, Status.STOPPED, Status.FAILED)},
        "best": best.max(), "number": group["number"].iloc[int(best.argmax())] if best.notna().any() else None,
        "median": best.median(),
    }  # fmt: skip

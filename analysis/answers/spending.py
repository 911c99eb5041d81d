"""How good the best of a search was after how much training, in the order as it was and over all orders."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from reid_search.records import Status

from ..statistics.best_of import best_of_some
from .searches import SearchSummary

_ENDED = (Status.FINISHED, Status.STOPPED, Status.FAILED)
_MOST_SIZES = 200


def spending(search: SearchSummary) -> pd.DataFrame:
    """Return the best of a search by the number of trials, of each level or arm that was tuned for itself.

    Columns: `arm` (what was tuned, empty if everything together), `trials`, `images` (seen by so many trials on average
    over their orders, those of stopped and failed trials included), `expected` (the mean of the best objective over all
    orders in which any of them finished, see `best_of_some`), `low` and `high` (an 80 % band over these orders),
    `images_so_far` and `best_so_far` (after so many trials in the order as it was, NaN before the first finished).
    """
    ended = search.proposals[search.proposals["status"].isin(_ENDED)]
    parts = [("", ended)] if search.tuned_by is None else list(ended.groupby(search.tuned_by, sort=False))
    tables = [table for name, rows in parts for table in _of(str(name), rows)]
    columns = ["arm", "trials", "images", "expected", "low", "high", "images_so_far", "best_so_far"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def _of(arm: str, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    values = rows["value"].dropna()
    if values.empty:
        return
    count, images = len(rows), rows["images_seen"].astype("float64").fillna(0.0)
    sizes = np.unique(np.linspace(1, count, min(count, _MOST_SIZES)).round().astype(int))
    found = best_of_some(values.to_list(), count - len(values), sizes.tolist())
    yield pd.DataFrame({
        "arm": arm, "trials": sizes, "images": sizes * float(images.mean()), "expected": found.mean, "low": found.low,
        "high": found.high, "images_so_far": images.cumsum().to_numpy()[sizes - 1],
        "best_so_far": rows["value"].cummax().ffill().to_numpy(np.float64)[sizes - 1],
    })  # fmt: skip

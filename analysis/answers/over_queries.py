"""Would other queries say the same? Intervals over identities for the differences between arms, given the seeds.

Every query's result is on disk, but reading it takes far longer than the rest of a report, so only the arms that are
shown have such an interval.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from reid_search.errors import RecordError
from reid_search.records import Status, StudyState
from reid_search.study.metrics import MAIN

from ..reading.queries import per_query, weighted
from ..statistics.bootstrap import QueryInterval, bootstrap_strata
from ..statistics.effect import Floats

ARMS_READ = 60
DRAWS = 2_000

_SEED = 1501  # a constant, so that the same records give the same report
_NOTHING = QueryInterval(0, 0, note="the results of the queries are not there")


def contrasts_over_queries(
    state: StudyState, rows: pd.DataFrame, arms: Iterable[str], centre: str, metric: str = MAIN
) -> pd.DataFrame:
    """Return the interval over identities of each arm's difference from a centre: `arm`, `queries_low`, `queries_high`.

    `rows` are those of `load_arms` of one phase, readout and protocol.
    """
    others = [arm for arm in arms if arm != centre]
    tables = query_tables(state, rows, [centre, *others] if others else [], metric)
    found = [over_queries(tables, {arm: 1.0, centre: -1.0}) for arm in others]
    return pd.DataFrame({
        "arm": pd.Series(others, dtype="str"),
        "queries_low": np.asarray([interval.low for interval in found], dtype=np.float64),
        "queries_high": np.asarray([interval.high for interval in found], dtype=np.float64),
    })  # fmt: skip


def query_tables(
    state: StudyState, rows: pd.DataFrame, arms: Iterable[str], metric: str = MAIN
) -> dict[str, pd.DataFrame]:
    """Return the `per_query` table of each arm whose finished seeds can all be read; `rows` as in `per_query`."""
    found = {}
    for arm in dict.fromkeys(arms):
        finished = rows[(rows["arm"] == arm) & (rows["status"] == Status.FINISHED)]
        try:
            table = per_query(state, finished, metric)
        except RecordError:
            continue  # a difference of means does not need it
        if 0 < len(finished) == len(table.columns):
            found[arm] = table
    return found


def over_queries(tables: Mapping[str, pd.DataFrame], weights: Mapping[str, float]) -> QueryInterval:
    """Return the mean over queries of a weighted sum of arms, with its interval over identities.

    `tables` come from `query_tables`; the result is NaN if an arm has none.
    """
    if not weights or not set(weights) <= set(tables):
        return _NOTHING
    differences = weighted(pd.concat([tables[arm] for arm in weights], axis=1), weights)
    if differences.columns.empty:
        return _NOTHING
    strata = [_stratum(queries) for _, queries in differences.groupby(level="data", sort=True)]
    return bootstrap_strata(strata, generator=np.random.default_rng(_SEED), draws=DRAWS)


def _stratum(queries: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.generic]]:
    """Return the differences `(seeds, queries)` of the seeds tested on one data set, and the identity of each query."""
    tested = queries.dropna(axis=1, how="all")
    return tested.to_numpy(np.float64).T, queries.index.get_level_values("identity").to_numpy()

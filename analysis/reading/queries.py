"""How every query ranked in every seed of two arms, from `per_query.parquet`."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from reid_search.errors import RecordError, RequestError, nearest
from reid_search.records import Status, StudyState, TrialId
from reid_search.study.metrics import MAIN, METRICS, Metric


def per_query(state: StudyState, rows: pd.DataFrame, metric: str = MAIN) -> pd.DataFrame:
    """Return a measurement of every query: one row per image and identity of a data set, one column per arm and seed.

    Args:
        state: The study as it stands.
        rows: Rows of `load_arms` of one phase and readout; unfinished ones are ignored.
        metric: Name of a metric; for `rank5`, a query scores 1 if a match is among its first five, else 0.

    Returns:
        Values in [0, 1]; NaN if a query has no match or is from data that the seed was not tested on. The index has the
        levels `data` (fingerprint), `image` and `identity`, the columns have `arm` and `seed`.

    Raises:
        RequestError: There is no such metric.
        RecordError: A table cannot be read, or is from a release that did not know the metric.
    """
    if metric not in METRICS:
        raise RequestError(f"unknown metric '{metric}'; {nearest(metric, METRICS)}")
    found: dict[tuple[str, int], pd.Series] = {}
    for row in rows[rows["status"] == Status.FINISHED].to_dict("records"):
        trial = TrialId(str(row["key"]), int(row["seed"]))
        path = state.store.trial(*trial).per_query(str(row["stored_as"]))
        if path.exists():
            values = _values(path, str(row["evaluate"]), METRICS[metric])
            data = state.trials[trial].fingerprint_of(str(row["evaluate"]))
            found[str(row["arm"]), int(row["seed"])] = pd.concat({data: values}, names=["data"])
    table = pd.DataFrame(found)
    table.columns = pd.MultiIndex.from_tuples(list(found), names=["arm", "seed"])
    return table


def weighted(table: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """Return the weighted sum of arms of a `per_query` table: one column per seed that all of them have."""
    arms = [table[arm] for arm in weights if arm in table.columns.get_level_values("arm")]
    if len(arms) < len(weights):
        return pd.DataFrame(index=table.index)
    seeds = sorted(set.intersection(*(set(arm.columns) for arm in arms)))
    parts = (weight * arm[seeds] for weight, arm in zip(weights.values(), arms, strict=True))
    return pd.DataFrame(sum(parts, start=pd.DataFrame(0.0, index=table.index, columns=seeds)))


def _values(path: Path, split: str, metric: Metric) -> pd.Series:
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be read ({error})") from error
    table = table[table["split"] == split].set_index(["image", "identity"])
    if metric.column not in table:
        raise RecordError(f"{path}: no column '{metric.column}'; an earlier release did not measure {metric.name}")
    values = table[metric.column].astype("float64")
    if metric.within is None:
        return values
    return (values <= metric.within).astype("float64").where(table["first_match_rank"] > 0)

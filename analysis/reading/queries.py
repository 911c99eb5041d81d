"""How every query ranked in every seed of two arms, from `per_query.parquet`."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from reid_search.errors import RecordError
from reid_search.records import StudyState, TrialId

COLUMNS = {
    "mAP": "average_precision",
    "mAP_trapezoidal": "average_precision_trapezoidal",
    "mINP": "inverse_negative_penalty",
}


def per_query(state: StudyState, rows: pd.DataFrame, metric: str = "mAP") -> pd.DataFrame:
    """Return a measurement of every query: one row an image and identity of a data set, one column an arm and seed.

    Args:
        state: The study as it stands.
        rows: Rows of `load_arms` of one phase and readout; those that are not finished are left out.
        metric: `mAP`, `mAP_trapezoidal`, `mINP`, or `rank1`, `rank5`, `rank10` (1 where a match comes so early).

    Returns:
        Values in [0, 1], NaN where a query has no match, and for the queries of data that a seed was not tested on; the
        index has the levels `data` (their fingerprint), `image` and `identity`, the columns `arm` and `seed`.

    Raises:
        RecordError: A table cannot be read.
    """
    found: dict[tuple[str, int], pd.Series] = {}
    for row in rows[rows["status"] == "finished"].to_dict("records"):
        trial = TrialId(str(row["key"]), int(row["seed"]))
        path = state.store.trial(*trial).per_query(str(row["stored_as"]))
        if path.exists():
            values = _values(path, str(row["evaluate"]), metric)
            data = state.trials[trial].data_fingerprint
            found[str(row["arm"]), int(row["seed"])] = pd.concat({data: values}, names=["data"])
    table = pd.DataFrame(found)
    table.columns = pd.MultiIndex.from_tuples(list(found), names=["arm", "seed"])
    return table


def weighted(table: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """Return a weighted sum of arms for every query: one column a seed that all of them have.

    Args:
        table: What `per_query` returned.
        weights: Weight of each arm.
    """
    arms = [table[arm] for arm in weights if arm in table.columns.get_level_values("arm")]
    if len(arms) < len(weights):
        return pd.DataFrame(index=table.index)
    seeds = sorted(set.intersection(*(set(arm.columns) for arm in arms)))
    parts = (weight * arm[seeds] for weight, arm in zip(weights.values(), arms, strict=True))
    return pd.DataFrame(sum(parts, start=pd.DataFrame(0.0, index=table.index, columns=seeds)))


def _values(path: Path, split: str, metric: str) -> pd.Series:
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be read ({error})") from error
    table = table[table["split"] == split].set_index(["image", "identity"])
    if metric in COLUMNS:
        return table[COLUMNS[metric]].astype("float64")
    early = (table["first_match_rank"] <= int(metric.removeprefix("rank"))).astype("float64")
    return early.where(table["first_match_rank"] > 0)

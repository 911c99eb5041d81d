"""Studies side by side: what each of their arms reached, and how far arms of the same name differ."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from reid_search.errors import RequestError, nearest
from reid_search.study import BASELINE
from reid_search.study.metrics import MAIN, metric_of

from ..reading.arms import load_arms
from ..statistics.effect import LEVEL
from ..statistics.family import holm
from ..statistics.verdict import INCONCLUSIVE
from .paired_contrasts import contrasts

_COLUMNS = ["phase", "arm", "study", "n", "mean", "sd", "delta", "low", "high", "p", "p_holm", "verdict", "note"]


def compare_studies(
    studies: Sequence[Path | str], metric: str = f"test/{MAIN}", readout: str = "default", smallest_effect: float = 0.01
) -> pd.DataFrame:
    """Put the arms of several studies side by side.

    Args:
        studies: Their folders, at least two; the first is what the others are compared with.
        metric: Column to compare.
        readout: Readout to compare.
        smallest_effect: Smallest difference of interest, in the metric's unit.

    Returns:
        One row an arm and study, arms in the order in which they come first: `phase`, `arm`, `study`, `n` (finished
        seeds), `mean`, `sd`; in a study behind the first, where both have the arm, the paired contrast with the first
        one's arm of the same name over the seeds that both have: `delta`, `low`, `high`, `p`, `p_holm` (over all rows
        of the table), `verdict`, `note`. NaN where it is not defined.

    Raises:
        RequestError: Fewer than two studies, two of the same name, an unknown metric or readout, or arms whose numbers
            were measured under unlike protocols.
    """
    arms = _stacked(studies, metric, readout)
    first = next(iter(arms))
    table = pd.concat([rows.assign(study=study) for study, rows in arms.items()], ignore_index=True)
    rows = _means(table, metric)
    found = [
        _against_first(arms[first], own, study, metric, smallest_effect)
        for study, own in arms.items()
        if study != first
    ]
    rows = rows.merge(_with_holm(pd.concat(found, ignore_index=True)), on=["phase", "arm", "study"], how="left")
    order = {name: place for place, name in enumerate(dict.fromkeys(zip(table["phase"], table["arm"], strict=True)))}
    places = [order[name] for name in zip(rows["phase"], rows["arm"], strict=True)]
    return rows.iloc[pd.Series(places).sort_values(kind="stable").index].reset_index(drop=True)[_COLUMNS]


def _stacked(studies: Sequence[Path | str], metric: str, readout: str) -> dict[str, pd.DataFrame]:
    arms: dict[str, pd.DataFrame] = {}
    for study in studies:
        name, table = Path(study).resolve().name, load_arms(study)
        if name in arms:
            raise RequestError(f"two studies are named '{name}'; compare studies of different names")
        known = {column: metric_of(column) for column in table.columns if table[column].notna().any()}
        measured = [column for column, found in known.items() if found and found.is_comparable]
        if metric not in measured:
            raise RequestError(f"{study}: metric '{metric}' is not measured there; {nearest(metric, measured)}")
        readouts = list(dict.fromkeys(table["readout"]))
        if readout not in readouts:
            raise RequestError(f"{study}: readout '{readout}' is not there; {nearest(readout, readouts)}")
        arms[name] = table[table["readout"] == readout]
    if len(arms) < 2:
        raise RequestError("a comparison needs at least two studies")
    return arms


def _means(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    finished = table.assign(value=table[metric].where(table["status"] == "finished"))
    grouped = finished.groupby(["study", "phase", "arm"], sort=False)["value"]
    return grouped.agg(n="count", mean="mean", sd="std").reset_index()


def _against_first(
    first: pd.DataFrame, own: pd.DataFrame, study: str, metric: str, smallest_effect: float
) -> pd.DataFrame:
    """Return the contrasts of the arms that both studies have."""
    shared = sorted(_names(first) & _names(own))
    rows = []
    for phase, arm in shared:
        both = {BASELINE: _rows(first, phase, arm), study: _rows(own, phase, arm)}
        pair = pd.concat([side.assign(arm=name) for name, side in both.items()], ignore_index=True)
        contrast = contrasts(pair, BASELINE, metric, smallest_effect)
        rows.append(contrast.assign(phase=phase, arm=arm, study=study))
    columns = ["phase", "arm", "study", "delta", "low", "high", "p", "verdict", "note"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def _with_holm(found: pd.DataFrame) -> pd.DataFrame:
    """Adjust over all rows; a verdict that only one test would have given is taken back."""
    adjusted = found.assign(p_holm=holm([float(p) for p in found["p"]]))
    lost = adjusted["verdict"].isin(["better", "worse"]) & ~(adjusted["p_holm"] < LEVEL)
    return adjusted.assign(verdict=adjusted["verdict"].where(~lost, INCONCLUSIVE))


def _names(arms: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(arms["phase"], arms["arm"], strict=True))


def _rows(arms: pd.DataFrame, phase: str, arm: str) -> pd.DataFrame:
    return arms[(arms["phase"] == phase) & (arms["arm"] == arm)]

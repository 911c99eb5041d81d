"""Studies side by side: what each of their arms reached, and how far arms of the same name differ."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from reid_search.errors import RequestError, nearest
from reid_search.records import Status
from reid_search.study import BASELINE
from reid_search.study.metrics import MAIN, metric_of

from ..reading.arms import load_arms
from ..reading.code import with_components
from ..statistics.effect import LEVEL
from ..statistics.family import holm
from ..statistics.verdict import INCONCLUSIVE
from .collapse import collapse_table, flags, withdraw_effects
from .paired_contrasts import contrasts

_COLUMNS = [
    "phase", "arm", "study", "n", "mean", "sd", "delta", "low", "high", "p", "p_holm", "verdict", "note",
    "collapsed", "failed", "lost_low", "lost_high", "lost", "ended", "flag",
]  # fmt: skip


def compare_studies(
    studies: Sequence[Path | str], metric: str = f"test/{MAIN}", readout: str = "default", smallest_effect: float = 0.01
) -> pd.DataFrame:
    """Put the arms of several studies side by side.

    Args:
        studies: Their folders, at least two; the others are compared with the first.
        metric: Column to compare.
        readout: Readout to compare.
        smallest_effect: Smallest difference of interest, in the metric's unit.

    Returns:
        One row per arm and study, arms in order of first appearance: `phase`, `arm`, `study`, `n` (finished seeds),
        `mean`, `sd`; after the first study, the contrast with the first study's arm of the same name, paired over the
        seeds that both have: `delta`, `low`, `high`, `p`, `p_holm` (over all rows of the table), `verdict`, `note`; and
        the columns of `collapse_table`. NaN if undefined. An arm that learnt nothing in either study is no effect.

    Raises:
        RequestError: Fewer than two studies, two of the same name, an unknown metric or readout, or arms that were
            measured under different protocols.
    """
    arms = _stacked(studies, metric, readout)
    first = next(iter(arms))
    table = pd.concat([rows.assign(study=study) for study, rows in arms.items()], ignore_index=True)
    rows = _means(table, metric)
    others = [(study, own) for study, own in arms.items() if study != first]
    found = [_against_first(arms[first], own, study, metric, smallest_effect) for study, own in others]
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
    return dict(zip(arms, with_components(list(arms.values())), strict=True))


def _means(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    finished = table.assign(value=table[metric].where(table["status"] == Status.FINISHED))
    grouped = finished.groupby(["study", "phase", "arm"], sort=False)["value"]
    means = grouped.agg(n="count", mean="mean", sd="std").reset_index()
    groups = table.groupby(["study", "phase"], sort=False)
    ended = [collapse_table(rows).assign(study=str(study), phase=str(phase)) for (study, phase), rows in groups]
    return means.merge(pd.concat(ended, ignore_index=True), on=["study", "phase", "arm"], how="left")


def _against_first(
    first: pd.DataFrame, own: pd.DataFrame, study: str, metric: str, smallest_effect: float
) -> pd.DataFrame:
    """Return the contrasts of the arms that both studies have."""
    theirs, ours = (arms.set_index(["phase", "arm"], drop=False).sort_index() for arms in (first, own))
    rows = []
    for phase, arm in theirs.index.intersection(ours.index).unique():
        both = {BASELINE: theirs.loc[[(phase, arm)]], study: ours.loc[[(phase, arm)]]}
        pair = pd.concat([side.assign(arm=name) for name, side in both.items()], ignore_index=True)
        contrast = contrasts(pair, BASELINE, metric, smallest_effect)
        if flagged := flags(pair):
            contrast = withdraw_effects(contrast, {study: flagged.get(study) or flagged[BASELINE]})
        rows.append(contrast.assign(phase=phase, arm=arm, study=study))
    columns = ["phase", "arm", "study", "delta", "low", "high", "p", "verdict", "note"]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def _with_holm(found: pd.DataFrame) -> pd.DataFrame:
    """Adjust over all rows, and withdraw verdicts that do not survive it."""
    adjusted = found.assign(p_holm=holm([float(p) for p in found["p"]]))
    lost = adjusted["verdict"].isin(["better", "worse"]) & ~(adjusted["p_holm"] < LEVEL)
    return adjusted.assign(verdict=adjusted["verdict"].where(~lost, INCONCLUSIVE))

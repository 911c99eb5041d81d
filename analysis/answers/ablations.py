"""Reduce an ablation to one row an arm: means over seeds, the contrast with the centre, what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from reid_search.errors import RequestError
from reid_search.study import BASELINE

from ..reading.arms import last_ablations
from ..reading.gather import StudyResults
from ..reading.measures import COST_COLUMNS, METRICS
from .paired_contrasts import contrasts, no_contrasts

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AblationSummary:
    """One readout of an ablation.

    Attributes:
        phase: Name of the phase.
        readout: The readout.
        design: `one_factor` or `factorial`.
        evaluate: Split that it is tested on.
        smallest_effect: Smallest difference of interest.
        seeds: Seeds that were asked for.
        centre: Settings of the baseline.
        arms: One row an arm, the baseline first: `arm`, `axis`, `level`, `asked` and `n` (seeds asked for and
            finished), mean and standard deviation of each measurement (`mAP`, `mAP_sd`, `rank1`, ...), mean costs, and
            the columns of the contrast (`pairs`, `delta`, `low`, `high`, `p`, ...), with `rank1_delta` and `disagree`.
        contrasts: The table of `contrasts`; empty where they were refused.
        refusal: Why arms are not contrasted; None where they are.
        curves: CMC curves by arm, `(seeds, ranks)` in [0, 1], of the finished seeds.
    """

    phase: str
    readout: str
    design: str
    evaluate: str
    smallest_effect: float
    seeds: tuple[int, ...]
    centre: Mapping[str, str]
    arms: pd.DataFrame
    contrasts: pd.DataFrame
    refusal: str | None
    curves: Mapping[str, Floats]

    @property
    def metric(self) -> str:
        """The measurement that is contrasted."""
        return f"{self.evaluate}/mAP"

    @property
    def baseline(self) -> dict[str, Any] | None:
        """The baseline's row; None where it was not asked for."""
        rows = self.arms[self.arms["arm"] == BASELINE]
        return None if rows.empty else dict(rows.iloc[0])

    @property
    def compared(self) -> pd.DataFrame:
        """The rows of arms that have a difference from the baseline."""
        return self.arms[self.arms["delta"].notna()]

    def furthest(self, count: int) -> pd.DataFrame:
        """Return the compared rows, or of more than `count` the best and worst halves, in the order of the table."""
        rows = self.compared
        if len(rows) <= count:
            return rows
        order = rows["delta"].sort_values(kind="stable").index
        return rows.loc[sorted([*order[: count // 2], *order[len(order) - count // 2 :]])]


def summarise_ablations(results: StudyResults, arms: pd.DataFrame, smallest_effect: float) -> list[AblationSummary]:
    """Summarise every ablation and readout.

    Args:
        results: What was gathered.
        arms: The table of `load_arms`.
        smallest_effect: Smallest difference of interest, in [0, 1].
    """
    asks = last_ablations(results.events)
    summaries = []
    for (phase, readout), rows in arms.groupby(["phase", "readout"], sort=False):
        first = asks[str(phase)][0]
        centre: Mapping[str, str] = next(
            (ask.get("settings", {}) for ask in asks[str(phase)] if ask["arm"] == BASELINE), {}
        )
        split = str(first["evaluate"])
        compared, refusal = _compared(rows, split, smallest_effect)
        summaries.append(
            AblationSummary(
                phase=str(phase),
                readout=str(readout),
                design=str(first.get("by", "")),
                evaluate=split,
                smallest_effect=smallest_effect,
                seeds=tuple(sorted({int(seed) for seed in rows["seed"]})),
                centre=centre,
                arms=_one_row_an_arm(rows, split).merge(_beside_means(compared), on="arm", how="left"),
                contrasts=compared,
                refusal=refusal,
                curves=_curves(results, rows, split),
            )
        )
    return summaries


def _compared(rows: pd.DataFrame, split: str, smallest_effect: float) -> tuple[pd.DataFrame, str | None]:
    """Return the contrasts of mAP, with that of Rank-1 beside each, or why there are none."""
    try:
        table = contrasts(rows, BASELINE, f"{split}/mAP", smallest_effect)
        rank1 = contrasts(rows, BASELINE, f"{split}/rank1", smallest_effect)
    except RequestError as error:
        return no_contrasts().assign(rank1_delta=[], disagree=[]), str(error)
    return table.assign(rank1_delta=rank1["delta"], disagree=table["delta"] * rank1["delta"] < 0), None


def _beside_means(compared: pd.DataFrame) -> pd.DataFrame:
    """Leave out the means over pairs, which stand beside the means over all finished seeds of an arm."""
    return compared.drop(columns=["mean", "baseline_mean", "sd", "baseline_sd"]).rename(columns={"n": "pairs"})


def _one_row_an_arm(rows: pd.DataFrame, split: str) -> pd.DataFrame:
    measured = {f"{split}/{metric}": metric for metric in METRICS}
    finished = rows[rows["status"] == "finished"].rename(columns=measured)
    by_arm = finished.groupby("arm", sort=False)
    means = by_arm[[*METRICS, *COST_COLUMNS, "dim"]].mean()
    deviations = by_arm[list(METRICS)].std(ddof=1).add_suffix("_sd")
    table = rows.drop_duplicates("arm").set_index("arm")[["axis", "level"]]
    table["asked"] = rows.groupby("arm").size()
    table["n"] = by_arm.size().reindex(table.index, fill_value=0)
    table["transductive"] = by_arm["transductive"].first().reindex(table.index)
    return table.join(means).join(deviations).reset_index()


def _curves(results: StudyResults, rows: pd.DataFrame, split: str) -> dict[str, Floats]:
    curves: dict[str, list[list[float]]] = {}
    finished = rows.loc[rows["status"] == "finished", ["arm", "key", "seed", "stored_as"]]
    for arm, key, seed, stored_as in finished.itertuples(index=False, name=None):
        record = results.trials[str(key), int(str(seed))].record
        curve = record.readouts[str(stored_as)].cmc.get(split) if record else None
        if curve:
            curves.setdefault(str(arm), []).append(curve)
    return {arm: np.asarray([curve[: min(map(len, found))] for curve in found]) for arm, found in curves.items()}

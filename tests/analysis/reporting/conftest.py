"""Summaries with numbers chosen here, without a study on disk."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.answers.ablations import AblationSummary
from analysis.answers.groups import Group
from analysis.answers.searches import SearchSummary

Maker = Callable[..., Any]


def _search(
    axes: Mapping[str, Sequence[str | None]],
    values: Sequence[float],
    stopped: Mapping[int, float] | None = None,
    **other: Any,
) -> SearchSummary:
    rows = pd.DataFrame({"number": range(len(values)), **axes, "value": np.asarray(values, dtype=np.float64)})
    rows["status"] = np.where(rows["value"].notna(), "finished", "failed")
    rows["last_value"], rows["best_so_far"] = rows["value"], rows["value"].cummax().ffill()
    rows["images_seen"] = np.where(rows["value"].notna(), 2000, 0)
    for number, last in (stopped or {}).items():
        rows.loc[number, ["status", "last_value", "images_seen"]] = ["stopped", last, 500]
    known = rows["value"].dropna()
    best = None if known.empty else dict(rows.loc[known.idxmax()])
    given = {"phase": "search", "sampler": "tpe", "objective": "val/mAP", "wanted": None, "best": best}
    return SearchSummary(
        **given | other, axes=dict.fromkeys(axes, ""), proposals=rows, counts=rows["status"].value_counts().to_dict()
    )


def _ablation(arms: Sequence[Mapping[str, Any]], centre: Mapping[str, str], **other: Any) -> AblationSummary:
    usual = {
        "axis": "", "level": "", "asked": 3, "n": 3, "mAP_sd": 0.01, "delta": np.nan, "low": np.nan, "high": np.nan,
        "p_holm": np.nan, "verdict": "inconclusive", "macs": 1e9, "parameters": 2e7, "transductive": False,
        "people_low": np.nan, "people_high": np.nan,
    }  # fmt: skip
    rows = pd.DataFrame([usual | dict(arm) for arm in arms])
    given = {"phase": "ablate", "readout": "default", "design": "one_factor", "evaluate": "test", "refusal": None}
    given |= {"smallest_effect": 0.01, "seeds": (1, 2, 3), "curves": {}, "contrasts": rows[["arm", "delta"]]}
    given |= {"group": Group("0" * 8, tuple(rows["arm"]), rows["arm"].iloc[0])}
    return AblationSummary(**given | other, centre=centre, arms=rows)


@pytest.fixture
def search_of() -> Maker:
    """Make a search of its axes (levels by proposal, None where one does not exist) and its values (NaN: failed).

    `stopped` has the last value of each proposal that was stopped, by number.
    """
    return _search


@pytest.fixture
def ablation_of() -> Maker:
    """Make an ablation of its arms (`arm`, `axis`, `level`, `mAP`, and what differs from the usual) and its centre."""
    return _ablation

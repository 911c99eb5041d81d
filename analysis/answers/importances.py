"""Which axes of a search mattered, as far as its trials can tell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import pandas as pd

from reid_search.records import StudyState
from reid_search.study import SAMPLERS, SamplerConfig

from ..statistics.importance import AxisImportance, Setting, importance, problems
from .searches import SearchSummary

FEWEST_TRIALS, FEWEST_AXES = 10, 2
MOST_TRIALS = 500  # each resample builds an Optuna study: more trials would take longer than the rest of a report
MOST_TRIALS_FANOVA = 200

_SEED = 1501  # a constant, so that the same records give the same report
_SCALES: Mapping[str, Callable[[str], float]] = {
    "uniform": float,
    "log_uniform": lambda text: log(float(text)),
    "integer": int,
}


@dataclass(frozen=True)
class ImportanceSummary:
    """The importance of the axes of a search.

    Attributes:
        ped_anova: Which axes decide whether a trial is among the best tenth, one entry per axis.
        fanova: Which share of the variance an axis explains by itself; empty if it was not computed.
        trials: Finished proposals.
        used: How many of them were used, drawn at random if not all.
        warnings: Why not to trust them.
    """

    ped_anova: Sequence[AxisImportance]
    fanova: Sequence[AxisImportance]
    trials: int
    used: int
    warnings: Sequence[str]


def summarise_importance(state: StudyState, search: SearchSummary) -> ImportanceSummary | None:
    """Return how much each axis of a search matters; None with fewer than ten finished trials or two axes.

    fANOVA is computed only for trials of a random or grid sampler, and not for so many that its forests become slow.
    """
    rows = search.proposals[search.proposals["value"].notna()]
    if len(rows) < FEWEST_TRIALS or len(search.axes) < FEWEST_AXES:
        return None
    generator = np.random.default_rng(_SEED)
    used = rows.iloc[np.sort(generator.permutation(len(rows))[:MOST_TRIALS])]
    values = used["value"].to_numpy(np.float64)
    columns = {path: _numbers(used[path], state.axes.get(path, {})) for path in search.axes}
    crowds = _crowds(search.sampler)
    with_forests = not crowds and len(rows) <= MOST_TRIALS_FANOVA
    return ImportanceSummary(
        ped_anova=importance(values, columns, method="ped_anova", generator=generator),
        fanova=importance(values, columns, method="fanova", generator=generator) if with_forests else (),
        trials=len(rows),
        used=len(used),
        warnings=problems(len(used), len(columns), search.sampler if crowds else None),
    )


def _crowds(sampler: str) -> bool:
    """Say whether a sampler's trials gather where it expects good values; one that is not installed may do so."""
    config = SAMPLERS.config_class(sampler) if sampler in SAMPLERS.names() else SamplerConfig
    return not issubclass(config, SamplerConfig) or config.crowds


def _numbers(labels: pd.Series, axis: Mapping[str, object]) -> list[Setting]:
    """Return the settings of a range as numbers (logarithms on a logarithmic range), those of a choice as labels."""
    scale: Callable[[str], float | str] = next((scale for kind, scale in _SCALES.items() if axis.get(kind)), str)
    return [None if pd.isna(label) else scale(label) for label in labels]

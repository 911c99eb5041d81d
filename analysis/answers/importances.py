"""Which axes of a search mattered, as far as its trials can tell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import pandas as pd

from reid_search.records import Status, StudyState
from reid_search.study import SAMPLERS, SamplerConfig

from ..statistics.importance import AxisImportance, Setting, importance, problems
from ..statistics.rungs import common_epoch
from .searches import SearchSummary

FEWEST_TRIALS, FEWEST_AXES = 10, 2
MOST_TRIALS = 500  # each resample builds an Optuna study: more trials would take longer than the rest of a report
MOST_TRIALS_FANOVA = 100  # five seconds; in simulated searches of so many trials the order of the axes was right

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
        fanova: Which share of the variance an axis explains by itself, one entry per axis; empty if refused.
        ped_anova: Which axes decide whether a trial is among the best tenth; empty for proposals that gather where good
            values are expected, of which the best tenth hardly differs from the others.
        trials: Proposals that finished or were stopped.
        used: How many of them fANOVA used, drawn at random if not all; PED-ANOVA uses up to 500.
        epoch: The last epoch that all of them reached, whose values were used; None if all finished, and their ends
            were.
        warnings: Why not to trust them.
        refused: Why there are none; empty if there are.
    """

    fanova: Sequence[AxisImportance] = ()
    ped_anova: Sequence[AxisImportance] = ()
    trials: int = 0
    used: int = 0
    epoch: int | None = None
    warnings: Sequence[str] = ()
    refused: str = ""


def summarise_importance(state: StudyState, search: SearchSummary) -> ImportanceSummary | None:
    """Return how much each axis of a search matters, and None with fewer than two axes.

    Trials that were stopped early count. Without them only settings that are good would be left, and an axis whose bad
    settings are always stopped would seem to do nothing. So if any was stopped, all are compared after the last epoch
    that all of them reached.
    """
    if len(search.axes) < FEWEST_AXES:
        return None
    rows = search.proposals[search.proposals["status"].isin((Status.FINISHED, Status.STOPPED))]
    found = ImportanceSummary(trials=len(rows))
    if len(rows) < FEWEST_TRIALS:
        return replace(found, refused=f"{len(rows)} trials finished or were stopped, and it takes {FEWEST_TRIALS}")
    values = rows["value"]
    if (rows["status"] == Status.STOPPED).any():
        curves = {int(number): search.curves.get(int(number), {}) for number in rows["number"]}
        epoch = common_epoch(curves)
        if epoch is None:
            return replace(found, refused=f"no epoch was validated in all {len(rows)} trials, and some were stopped")
        found = replace(found, epoch=epoch)
        values = pd.Series([curve[epoch] for curve in curves.values()], index=rows.index)
    rows = rows.assign(_compared=values.astype("float64"))
    return _measured(state, search, rows[rows["_compared"].notna()], found)


def _measured(
    state: StudyState, search: SearchSummary, rows: pd.DataFrame, found: ImportanceSummary
) -> ImportanceSummary:
    generator, crowds = np.random.default_rng(_SEED), _crowds(search.sampler)
    drawn = generator.permutation(len(rows))
    many, few = (rows.iloc[np.sort(drawn[:most])] for most in (MOST_TRIALS, MOST_TRIALS_FANOVA))

    def shares(of: pd.DataFrame, method: str) -> list[AxisImportance]:
        columns = {path: _numbers(of[path], state.axes.get(path, {})) for path in search.axes}
        values = of["_compared"].to_numpy(np.float64)
        return importance(values, columns, method=method, generator=generator)  # type: ignore[arg-type]

    return replace(
        found,
        fanova=shares(few, "fanova"),
        ped_anova=() if crowds else shares(many, "ped_anova"),
        used=len(few),
        warnings=problems(len(few if crowds else many), len(search.axes), search.sampler if crowds else None),
    )


def _crowds(sampler: str) -> bool:
    """Say whether a sampler's trials gather where it expects good values; one that is not installed may do so."""
    config = SAMPLERS.config_class(sampler) if sampler in SAMPLERS.names() else SamplerConfig
    return not issubclass(config, SamplerConfig) or config.crowds


def _numbers(labels: pd.Series, axis: Mapping[str, object]) -> list[Setting]:
    """Return the settings of a range as numbers (logarithms on a logarithmic range), those of a choice as labels."""
    scale: Callable[[str], float | str] = next((scale for kind, scale in _SCALES.items() if axis.get(kind)), str)
    return [None if pd.isna(label) else scale(label) for label in labels]

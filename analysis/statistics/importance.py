"""Which axes of a search matter, by Optuna's evaluators, with an interval over trials.

fANOVA (Hutter et al. 2014) fits a forest and says which share of its variance over the whole space an axis explains by
itself. PED-ANOVA (Watanabe et al. 2023) says which axes decide whether a trial is among the best tenth. Both describe
the trials at hand; `problems` says why these may be misleading.
"""

import contextlib
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from reid_search.errors import RequestError, nearest

from .effect import LEVEL, ROUNDING, Floats

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

Method = Literal["fanova", "ped_anova"]
Setting = float | str | None  # a number of a range or a label of a choice; None if the trial does not have the axis

_METHODS = ("fanova", "ped_anova")
_TREES = 64
_TREES_A_DRAW = 16  # a forest of a resample; its own noise widens the interval a little, at a quarter of the time
# Measured with effects of 1, .6 and .3 in noise of .15: at these counts PED-ANOVA orders the three right in 55 % of
# searches over 4 axes and in 58 % over 8, with half as many trials in 32 % and 20 %; fANOVA, which is all that there is
# where trials gather, needs about half.
_FEWEST_TRIALS = 100
_TRIALS_AN_AXIS = 25


@dataclass(frozen=True)
class AxisImportance:
    """How much an axis matters. NaN if unknown.

    Attributes:
        axis: Its name.
        importance: In [0, 1]: for fANOVA the share of variance that the axis explains by itself (without interactions),
            for PED-ANOVA the share among the axes.
        low: Lower end of the interval over resampled trials.
        high: Upper end.
        n: Trials that have the axis and a value.
        note: A caveat.
    """

    axis: str
    importance: float
    low: float
    high: float
    n: int
    note: str = ""


def importance(
    values: Floats,
    columns: Mapping[str, Sequence[Setting]],
    *,
    method: Method,
    generator: np.random.Generator,
    draws: int = 50,
    level: float = LEVEL,
) -> list[AxisImportance]:
    """Return the importance of every axis, in the order of `columns`.

    Args:
        values: What was maximised, one per trial `(trials,)`; trials without a finite value are ignored.
        columns: By axis, its setting in each trial. Numbers are a range (give logarithms for a logarithmic range), all
            else a choice; None or NaN if the trial does not have the axis, which fANOVA then cannot use.
        method: `fanova` or `ped_anova`.
        generator: Source of the resamples and the forests.
        draws: Resamples of trials for the percentile interval, at least 1.
        level: 1 − coverage of the interval, in [0, 1].

    Raises:
        RequestError: The method is unknown, or a column does not have one setting per trial.
    """
    values = np.asarray(values, dtype=np.float64)
    _check(values, columns, method)
    measured = np.flatnonzero(np.isfinite(values)).tolist()
    values = values[measured]
    settings = {axis: _settings([column[index] for index in measured]) for axis, column in columns.items()}
    rows = {axis: _without_answer(axis, found, values, method) for axis, found in settings.items()}
    usable = {axis: found for axis, found in settings.items() if not rows[axis].note}
    if usable:
        numbers = _with_interval(_Trials(values, usable, method), generator, draws, level)
        for axis, (share, low, high) in zip(usable, numbers.tolist(), strict=True):
            rows[axis] = replace(rows[axis], importance=share, low=low, high=high)
    return list(rows.values())


def problems(n_trials: int, n_axes: int, crowded_by: str | None) -> list[str]:
    """Return why importances of these trials should not be trusted; empty if there is no reason.

    Args:
        n_trials: Trials with a value.
        n_axes: Axes that were searched.
        crowded_by: The sampler, such as `tpe`, if its trials gather where it expects good values; else None.
    """
    found = []
    enough = max(_FEWEST_TRIALS, _TRIALS_AN_AXIS * n_axes) // (1 if crowded_by is None else 2)
    axes = "1 axis" if n_axes == 1 else f"{n_axes} axes"
    if n_trials < enough:
        found.append(
            f"{n_trials} trials are too few for {axes}: with fewer than {enough}, the order of the axes is often wrong"
        )
    if crowded_by is not None:
        found.append(
            f"the trials were chosen by {crowded_by}, which samples where it expects good values, so little is "
            "known of the rest of the space; trials of a random or grid sampler do not have this bias"
        )
    return found


def _check(values: Floats, columns: Mapping[str, Sequence[Setting]], method: str) -> None:
    if method not in _METHODS:
        raise RequestError(f"method '{method}' is unknown; {nearest(method, _METHODS)}")
    for axis, column in columns.items():
        if len(column) != len(values):
            raise RequestError(f"axis '{axis}' has {len(column)} settings for {len(values)} trials; give one per trial")


def _settings(column: Sequence[Setting]) -> list[Setting]:
    """Return numbers, or texts if any of them is not a number; None if a trial does not have the axis."""
    plain = [setting.item() if isinstance(setting, np.generic) else setting for setting in column]
    known = [setting if setting == setting else None for setting in plain]  # NaN is not itself
    numeric = all(_is_number(setting) for setting in known if setting is not None)
    return [setting if numeric or setting is None else str(setting) for setting in known]


def _is_number(setting: Setting) -> bool:
    return isinstance(setting, int | float) and not isinstance(setting, bool) and math.isfinite(setting)


def _without_answer(axis: str, found: Sequence[Setting], values: Floats, method: str) -> AxisImportance:
    """Return an axis with the reason why its importance is unknown or 0; without a reason if it can be computed."""
    exists = sum(setting is not None for setting in found)
    row = AxisImportance(axis, math.nan, math.nan, math.nan, exists)
    if len(values) < 2:
        return replace(row, note="fewer than two trials have a value")
    if np.ptp(values) <= ROUNDING:
        return replace(row, note="every trial has the same value")
    if exists == 0:
        return replace(row, note="it exists in no trial")
    if len(set(found) - {None}) == 1:
        return replace(row, importance=0.0, low=0.0, high=0.0, note="one level: nothing to compare")
    if method == "fanova" and exists < len(values):
        return replace(row, note=f"it exists in {exists} of {len(values)} trials, and fANOVA needs it in all")
    return row


class _Trials:
    """Trials in a form that Optuna can evaluate, any number of times each."""

    def __init__(self, values: Floats, settings: Mapping[str, Sequence[Setting]], method: str) -> None:
        self._values, self._method = values, method
        # From all trials, not a resample: the space does not shrink because a level was not drawn.
        self._axes = {axis: _coded(found, method) for axis, found in settings.items()}
        self.count = len(values)

    def evaluate(self, chosen: npt.NDArray[np.integer], trees: int, seed: int) -> Floats:
        """Return the importance of every axis `(axes,)` in the chosen trials; NaN if all have the same value."""
        from optuna import create_study
        from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

        axes = list(self._axes)
        if np.ptp(self._values[chosen]) <= ROUNDING:
            return np.full(len(axes), math.nan)
        study = create_study(direction="maximize")
        study.add_trials([self._trial(int(index)) for index in chosen])
        if self._method == "fanova":
            found = FanovaImportanceEvaluator(n_trees=trees, seed=seed).evaluate(study)
            return np.array([found[axis] for axis in axes])
        found = PedAnovaImportanceEvaluator().evaluate(study)
        shares = np.array([found.get(axis, 0.0) for axis in axes])
        return shares / shares.sum() if shares.sum() > 0 else np.full(len(axes), math.nan)

    def _trial(self, index: int) -> "FrozenTrial":
        from optuna import create_trial

        settings = {axis: found[index] for axis, (found, _) in self._axes.items() if found[index] is not None}
        spaces = {axis: self._axes[axis][1] for axis in settings}
        return create_trial(params=settings, distributions=spaces, value=float(self._values[index]))


def _coded(found: Sequence[Setting], method: str) -> tuple[Sequence[Setting], "BaseDistribution"]:
    """Return settings as the evaluator takes them, and their space.

    For fANOVA, choices and whole numbers become numbers that each own an interval of length 1. Optuna would use one
    column per choice, which lets a forest consider settings that are two choices or none and underrates the axis
    (measured: .29 for a true share of .35); and it would give the first and last whole number half the weight of the
    others.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    levels = sorted({setting for setting in found if isinstance(setting, int | float)})
    if not levels:
        labels = sorted({str(setting) for setting in found if setting is not None})
        if method == "ped_anova":
            return found, CategoricalDistribution(labels)
        found, levels = [labels.index(str(setting)) for setting in found], list(range(len(labels)))
    if any(isinstance(level, float) for level in levels):
        return found, FloatDistribution(levels[0], levels[-1])
    if method == "ped_anova":
        return found, IntDistribution(levels[0], levels[-1])
    return found, FloatDistribution(levels[0] - 0.5, levels[-1] + 0.5)


def _with_interval(trials: _Trials, generator: np.random.Generator, draws: int, level: float) -> Floats:
    """Return importance, low and high end of its interval for every axis, `(axes, 3)`."""
    seeds = generator.integers(2**31, size=draws + 1)
    with _quiet():
        best_guess = trials.evaluate(np.arange(trials.count), _TREES, int(seeds[0]))
        drawn = (generator.integers(trials.count, size=trials.count) for _ in seeds[1:])
        resampled = np.array([
            trials.evaluate(chosen, _TREES_A_DRAW, int(seed)) for chosen, seed in zip(drawn, seeds[1:], strict=True)
        ])  # fmt: skip
    known = resampled[np.isfinite(resampled).all(axis=1)]
    unknown = np.full((2, len(best_guess)), math.nan)
    ends = np.quantile(known, [level / 2, 1 - level / 2], axis=0) if len(known) else unknown
    return np.vstack([best_guess, ends]).T


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress Optuna's messages about in-memory studies and few trials; `problems` says what matters."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        logging.set_verbosity(before)

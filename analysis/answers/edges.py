"""Settings whose optimum lies at the edge of what the study allows, so that a better one may lie beyond."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from reid_search.records import Status

from ..reading.measures import Row
from ..statistics.effect import Floats
from ..statistics.optimum import optimum_probabilities
from ..statistics.rungs import Curves, common_epoch, expected_ends
from .number_axes import NumberAxis

Axes = Mapping[str, Mapping[str, object]]

FEWEST_TRIALS = 8  # below, whether an optimum lies at an edge cannot be told
LIKELY = 0.7  # probability from which an edge is reported; `benchmarks/searches.py` counts what it finds and misses
_ENDED = (Status.FINISHED, Status.STOPPED, Status.FAILED)  # by their own settings, which therefore were tried
_MOST_TRIALS = 300  # the time of an answer grows with their cube
_MOST_LEVELS = 20  # of another axis that are told apart
_SEED = 1501  # a constant, so that the same records give the same report
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Edge:
    """An optimum at one side of what the study allows.

    Attributes:
        arm: What was tuned; None if the search tunes everything together.
        axis: The path of the axis.
        value: The best value, as it is labelled.
        side: `largest` or `smallest`.
        tried: Number of different values tried.
        trials: Number of trials that say so.
        probability: That the optimum of the axis lies here: in the outer tenth of a range, or at the last of its
            choices. None if too few trials can tell, and all that is known is that the best value is the extreme one.
    """

    arm: str | None
    axis: str
    value: str
    side: str
    tried: int
    trials: int
    probability: float | None


def edges_of(arm: str | None, rows: pd.DataFrame, best: Row, axes: Axes, curves: Curves) -> Iterator[Edge]:
    """Yield the axes of numbers whose optimum probably lies at the smallest or largest number that the study allows.

    Trials are compared by their rank. One that was stopped has the end that is expected of it, and one that failed is
    the worst. Where too few ran to their end to expect anything, all count with their value after the last epoch that
    all of them reached. Two numbers are a switch and have no edge.

    Args:
        arm: What was tuned with these proposals.
        rows: The proposals: `number`, `status`, `value`, and the label of each axis by its path, missing where an axis
            does not exist.
        best: The row of the best of them, by the search's own rule.
        axes: The axes that were tuned, as the study file has them.
        curves: Objective by epoch of each proposal, by number.
    """
    ended = rows[rows["status"].isin(_ENDED)]
    values = _comparable(ended, curves)
    for path, described in axes.items():
        axis = NumberAxis.of(described)
        if path not in rows or axis is None or pd.isna(best[path]) or axis.number(best[path]) is None:
            continue
        numbers = ended[path].map(lambda label, axis=axis: None if pd.isna(label) else axis.number(label))
        tried = set(numbers.dropna())
        if len(tried) < 2:
            continue
        own = ended.assign(_at=numbers.astype("float64"), _end=ended["number"].map(values)).dropna(
            subset=["_at", "_end"]
        )
        if len(own) < FEWEST_TRIALS:
            value = axis.number(best[path])
            found = {side: None for side, end in (("smallest", min(tried)), ("largest", max(tried))) if value == end}
        else:
            found = _sides(own, axis, {other: axes[other] for other in axes if other != path and other in rows})
        for side, probability in found.items():
            yield Edge(arm, path, str(best[path]), side, len(tried), len(own), probability)


def _sides(rows: pd.DataFrame, axis: NumberAxis, others: Axes) -> dict[str, float | None]:
    """Return the sides at which the optimum of an axis probably lies, each with its probability."""
    rows = rows.sample(min(len(rows), _MOST_TRIALS), random_state=_SEED)
    columns = [_standard(column) for other, described in others.items() for column in _columns(rows[other], described)]
    described = np.column_stack(columns) if columns else np.empty((len(rows), 0))
    places, scores = axis.places, _normal_scores(rows["_end"].to_numpy(np.float64))
    chances = optimum_probabilities(places, axis.place(rows["_at"]), scores, described)
    near = axis.edge + _ROUNDING
    found = {"smallest": chances[places <= near].sum(), "largest": chances[places >= 1 - near].sum()}
    return {side: float(chance) for side, chance in found.items() if chance >= LIKELY}


def _normal_scores(values: Floats) -> Floats:
    """Return normal scores of the ranks (Blom 1958), so that a seed that learnt nothing is the worst and no more."""
    return np.asarray(stats.norm.ppf((stats.rankdata(values) - 0.375) / (len(values) + 0.25)))


def _comparable(rows: pd.DataFrame, curves: Curves) -> dict[int, float]:
    """Return what each proposal reached or would have reached, by number; of those that failed, the least of these."""
    failed = rows["status"] == Status.FAILED
    found = _reached(rows[~failed], curves)
    return found | {int(number): min(found.values()) for number in rows.loc[failed, "number"] if found}


def _reached(known: pd.DataFrame, curves: Curves) -> dict[int, float]:
    ended = known[known["value"].notna()]
    ends = dict(zip(map(int, ended["number"]), map(float, ended["value"]), strict=True))
    own = {int(number): curves[int(number)] for number in known["number"] if curves.get(int(number))}
    found = expected_ends(own, ends)
    if len(found) >= len(known) or (epoch := common_epoch(own)) is None:
        return found
    return {number: curve[epoch] for number, curve in own.items()}


def _columns(labels: pd.Series, described: Mapping[str, object]) -> Iterator[Floats]:
    """Yield what describes another axis: a number and its square, or one column a choice; and whether it exists."""
    exists, axis = labels.notna().to_numpy(), NumberAxis.of(described)
    numbers = [axis.number(label) if axis and known else None for label, known in zip(labels, exists, strict=True)]
    if axis is not None and not any(number is None for number, known in zip(numbers, exists, strict=True) if known):
        at = np.zeros(len(labels))
        at[exists] = 2 * axis.place(number for number in numbers if number is not None) - 1
        yield from (at, at**2)
    else:
        levels = labels.dropna().astype(str).value_counts().index[:_MOST_LEVELS]
        yield from ((labels.astype(str) == level).to_numpy(np.float64) for level in levels)
    if not exists.all():
        yield exists.astype(np.float64)


def _standard(column: Floats) -> Floats:
    """Return a column with mean 0 and variance 1, or of zeros if it does not vary."""
    spread = column.std()
    return (column - column.mean()) / spread if spread > 0 else np.zeros(len(column))

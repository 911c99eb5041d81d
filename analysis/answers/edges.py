"""Best values that lie at the edge of what a search tried, so that a better one may lie beyond."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from reid_search.records import Status
from reid_search.study.component import label_of

from ..reading.measures import Row

_ENDED = (Status.FINISHED, Status.STOPPED, Status.FAILED)  # by their own settings, which therefore were tried
_FEWEST_CHOICES = 3  # of two numbers neither lies inside
_NEAR = 0.05  # share of a range


@dataclass(frozen=True)
class Edge:
    """A best value with nothing tried on one side of it.

    Attributes:
        arm: What was tuned; None if the search tunes everything together.
        axis: The path of the axis.
        value: The best value, as it is labelled.
        side: `largest` or `smallest`, of the values tried.
        tried: Number of different values tried.
        at_end: Whether the study allows (next to) nothing beyond it: the end of a choice, or a value within 5 % of the
            end of a range, on the range's own scale.
    """

    arm: str | None
    axis: str
    value: str
    side: str
    tried: int
    at_end: bool


def edges_of(
    arm: str | None, rows: pd.DataFrame, best: Row, axes: Mapping[str, Mapping[str, object]]
) -> Iterator[Edge]:
    """Yield the axes of numbers on which the best of some proposals is the smallest or the largest that was tried.

    Proposals that were stopped or that failed count as tried, those that wait or run do not. An axis on which fewer
    than two values were tried has no edge, and nor has a choice of fewer than three numbers, which is a switch.

    Args:
        arm: What was tuned with these proposals.
        rows: The proposals: `status`, and the label of each axis by its path, missing where an axis does not exist.
        best: The row of the best of them, by the search's own rule.
        axes: The axes that were tuned, as the study file has them.
    """
    ended = rows[rows["status"].isin(_ENDED)]
    for path, axis in axes.items():
        if path not in rows or pd.isna(best[path]):
            continue
        numbers = {str(label): _number(axis, str(label)) for label in ended[path].dropna()}
        tried = {number for number in numbers.values() if number is not None}
        value, label, ends = _number(axis, str(best[path])), str(best[path]), _ends(axis)
        if value is None or ends is None or len(tried) < 2:
            continue
        for side, extreme, end in (("smallest", min(tried), ends[0]), ("largest", max(tried), ends[1])):
            if value == extreme:
                yield Edge(arm, path, label, side, len(tried), _reaches(axis, value, end, ends))


def _numbers(axis: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers of a choice by label; empty if it is none, has anything else, or only switches."""
    choice = axis.get("choice")
    if isinstance(choice, Mapping):
        named = {str(label): value for label, value in choice.items()}
    else:
        named = {label_of(value): value for value in choice} if isinstance(choice, Sequence) else {}
    numbers = {
        label: float(value)
        for label, value in named.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return numbers if len(numbers) == len(named) >= _FEWEST_CHOICES else {}


def _span(axis: Mapping[str, object]) -> tuple[float, float] | None:
    spans = (axis.get(kind) for kind in ("uniform", "log_uniform", "integer"))
    return next(((float(ends[0]), float(ends[1])) for ends in spans if isinstance(ends, Sequence) and ends), None)


def _ends(axis: Mapping[str, object]) -> tuple[float, float] | None:
    numbers = _numbers(axis).values()
    return (min(numbers), max(numbers)) if numbers else _span(axis)


def _number(axis: Mapping[str, object], label: str) -> float | None:
    """Return the number that a label stands for; None if it stands for none on this axis."""
    if _span(axis) is None:
        return _numbers(axis).get(label)
    try:
        return float(label)
    except ValueError:
        return None


def _reaches(axis: Mapping[str, object], value: float, end: float, ends: tuple[float, float]) -> bool:
    """Say whether a value is the end of what is allowed, or next to it."""
    if _span(axis) is None:
        return value == end
    places = [math.log(item) if axis.get("log_uniform") else item for item in (*ends, end, value)]
    low, high, place_of_end, place = places
    return abs(place - place_of_end) <= _NEAR * (high - low)

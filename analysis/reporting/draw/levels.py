"""How the levels of an axis are placed in a figure: order, scale and labels."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator

from ...statistics.effect import Floats
from ..formats import known

MANY = 8  # more distinct numbers than this are a range, fewer are levels
TWO_DECADES = 100.0


@dataclass(frozen=True)
class Scale:
    """Places between 0 and 1 for the levels of one axis.

    Attributes:
        levels: The distinct levels, in order.
        numbers: Their numbers if all are distinct numbers; else None, and they are equally spaced.
        logarithmic: Whether the numbers are on a logarithmic scale.
    """

    levels: tuple[str, ...]
    numbers: tuple[float, ...] | None
    logarithmic: bool

    def place(self, levels: Iterable[object]) -> Floats:
        """Return the place of each level in [0, 1]; NaN if it has none."""
        places = dict(zip(self.levels, self._places(), strict=True))
        return np.asarray([places.get(str(level), math.nan) for level in levels], dtype=np.float64)

    def ticks(self, least: float) -> list[tuple[float, str]]:
        """Return places and labels: round numbers on a range, else levels at least `least` apart, with both ends."""
        if self.numbers is not None and len(self.levels) > MANY:
            return self._round_numbers()
        places = self._places()
        chosen = [0]
        for index in range(1, len(places) - 1):
            if places[index] - places[chosen[-1]] >= least and places[-1] - places[index] >= least:
                chosen.append(index)
        chosen += [len(places) - 1] if len(places) > 1 else []
        return [(float(places[index]), self.levels[index]) for index in chosen]

    def _round_numbers(self) -> list[tuple[float, str]]:
        low, high = self._ends
        locator = LogLocator(numticks=6) if self.logarithmic else MaxNLocator(5)
        found = [number for number in locator.tick_values(low, high) if low <= number <= high]
        return list(zip(map(float, self._scaled(found)), (f"{number:g}" for number in found), strict=True))

    def _places(self) -> Floats:
        if len(self.levels) == 1:
            return np.asarray([0.5])
        return np.linspace(0.0, 1.0, len(self.levels)) if self.numbers is None else self._scaled(self.numbers)

    @property
    def _ends(self) -> tuple[float, float]:
        return (self.numbers[0], self.numbers[-1]) if self.numbers else (0.0, 1.0)

    def _scaled(self, numbers: Sequence[float]) -> Floats:
        scaled, (low, high) = np.asarray(numbers, dtype=np.float64), self._ends
        if self.logarithmic:
            scaled, low, high = np.log(scaled), math.log(low), math.log(high)
        return (scaled - low) / (high - low)


def scale_of(levels: Iterable[object]) -> Scale:
    """Return the scale of the levels that occur, at least one; missing values are ignored."""
    found = ordered(str(level) for level in levels if known(level))
    numbers = [number_of(level) for level in found]
    given = tuple(number for number in numbers if number is not None)
    usable = len(given) == len(found) > 1 and len(set(given)) == len(given)
    return Scale(tuple(found), given if usable else None, usable and spans(given, TWO_DECADES))


def ordered(levels: Iterable[str]) -> list[str]:
    """Return the distinct levels: numbers by size, lists of numbers by their entries, then words as they came."""
    return sorted(dict.fromkeys(levels), key=_rank)


def number_of(level: str) -> float | None:
    """Return a level as a finite number; None if it is not one."""
    kind, numbers = _rank(level)
    return numbers[0] if kind == 0 else None


def spans(numbers: Sequence[float], ratio: float) -> bool:
    """Say whether numbers are positive and span at least a ratio, so that a logarithmic scale shows them better."""
    return min(numbers) > 0 and max(numbers) / min(numbers) >= ratio


def _rank(level: str) -> tuple[int, list[float]]:
    words: tuple[int, list[float]] = (2, [])
    try:
        value = json.loads(level)
        entries = value if isinstance(value, list) else [value]
        if any(isinstance(entry, bool) or not isinstance(entry, int | float) for entry in entries):
            return words
        numbers = [float(entry) for entry in entries]
    except (ValueError, OverflowError):
        return words
    return (int(isinstance(value, list)), numbers) if all(map(math.isfinite, numbers)) else words

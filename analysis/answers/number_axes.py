"""Axes of numbers: the number that a label stands for, and its place between the ends of what the study allows."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from reid_search.study.component import label_of

from ..statistics.effect import Floats

_FEWEST_CHOICES = 3  # of two numbers neither lies inside
_MOST_PLACES = 21
_EDGE = 0.1  # share of a range


@dataclass(frozen=True)
class NumberAxis:
    """An axis of numbers.

    Attributes:
        ends: The smallest and the largest number that the study allows.
        logarithmic: Whether it is searched on a logarithmic scale.
        whole: Whether it is a range of whole numbers.
        choices: The numbers of a choice by label; empty for a range.
    """

    ends: tuple[float, float]
    logarithmic: bool = False
    whole: bool = False
    choices: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, axis: Mapping[str, object]) -> "NumberAxis | None":
        """Return an axis of the study file; None if it is none of numbers, or a choice of fewer than three."""
        for kind in ("uniform", "log_uniform", "integer"):
            if isinstance(ends := axis.get(kind), Sequence) and ends:
                return cls((float(ends[0]), float(ends[1])), kind == "log_uniform", kind == "integer")
        choices = _numbers_of(axis.get("choice"))
        return cls((min(choices.values()), max(choices.values())), choices=choices) if choices else None

    def number(self, label: object) -> float | None:
        """Return the number that a label stands for; None if it stands for none on this axis."""
        if self.choices:
            return self.choices.get(str(label))
        try:
            return float(str(label))
        except ValueError:
            return None

    def place(self, numbers: Iterable[float]) -> Floats:
        """Return where numbers lie between the ends, in [0, 1]: on the range's own scale, choices equally spaced."""
        given = np.array(list(numbers), dtype=np.float64)
        if self.choices:
            ranks = sorted(set(self.choices.values()))
            return np.searchsorted(ranks, given) / max(1, len(ranks) - 1)
        low, high = self.ends
        if self.logarithmic:
            given, low, high = np.log(given), math.log(low), math.log(high)
        return (given - low) / (high - low) if high > low else np.zeros(len(given))

    @property
    def places(self) -> Floats:
        """The places of all numbers, or of some that are evenly spread."""
        if self.choices:
            return np.unique(self.place(self.choices.values()))
        count = min(_MOST_PLACES, int(self.ends[1] - self.ends[0]) + 1) if self.whole else _MOST_PLACES
        return np.linspace(0.0, 1.0, count)

    @property
    def edge(self) -> float:
        """The share that counts as the edge: a tenth of a range, the last of its choices."""
        return 0.0 if self.choices else _EDGE

    def beyond(self, side: str, share: float) -> str:
        """Return the end of a range that goes on by a share of itself on one side, as a study file would have it.

        What is positive stays so: `[0.1, 2.0]` goes on to half of 0.1.
        """
        sign, end = (-1, self.ends[0]) if side == "smallest" else (1, self.ends[1])
        low, high = self.ends
        end = end * (high / low) ** (sign * share) if self.logarithmic else end + sign * share * (high - low)
        end = low / 2 if low > 0 >= end else end
        return f"{round(end)}" if self.whole else f"{end:.2g}"


def _numbers_of(choice: object) -> dict[str, float]:
    """Return the numbers of a choice by label; empty if it is none, has anything else, or only switches."""
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

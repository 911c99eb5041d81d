"""How many seeds a claim needs before any verdict is possible, and at how many seeds a study looks.

Claims are decided by the exact signed-rank test (`analysis/statistics/signed_rank.py`). Whatever anybody does, in at
most 5 % of studies is anything decided wrongly. Nine tenths of that belong to the claims that were made before any
result came in, in equal parts; the rest is kept for claims that are made later. Each claim has a budget, which it
spends over the looks that its study planned; a little is kept for looks that were not planned, so that seeds may be
added.
"""

import math
from collections.abc import Sequence

LEVEL = 0.05
"""How often a study may decide anything wrongly."""

FOUNDING_SHARE = 0.9
PLANNED_SHARE = 0.95
FIRST_LOOK_SHARE = 0.75
"""Of what is planned, the part that the first of several looks may spend: most large effects end there."""

_STEP = 4 / 3  # from look to look


def smallest_p(seeds: int) -> float:
    """Return the smallest two-sided p of a signed-rank or sign-flip test: .0625 with 5 seeds, .0039 with 9."""
    return min(1.0, 2.0 ** (1 - seeds))


def budget_of_claim(claims: int) -> float:
    """Return the error rate of each of so many claims that were made before any result came in."""
    return FOUNDING_SHARE * LEVEL / claims


def budget_of_later_claim(number: int) -> float:
    """Return the error rate of the `number`-th claim, from 1 on, that was made after results had come in.

    All of them together have what the others leave.
    """
    return (1 - FOUNDING_SHARE) * LEVEL / (number * (number + 1))


def looks_between(first: int, last: int) -> tuple[int, ...]:
    """Return the numbers of seeds at which a study looks: each a third more than the one before (9, 12, 16, 20)."""
    looks = [first]
    while looks[-1] < last:
        looks.append(min(last, math.ceil(_STEP * looks[-1] - 1e-9)))
    return tuple(looks)


def planned_levels(looks: Sequence[int], budget: float) -> list[float]:
    """Return how much of its budget a claim may have spent by the end of each planned look."""
    whole = PLANNED_SHARE * budget
    if len(looks) == 1:
        return [whole]
    steps = len(looks) - 1
    return [whole * (FIRST_LOOK_SHARE + (1 - FIRST_LOOK_SHARE) * step / steps) for step in range(steps + 1)]


def level_of_extra_look(extra: int, budget: float) -> float:
    """Return what the `extra`-th look that was not planned, from 1 on, may spend; together they keep the rest."""
    return (1 - PLANNED_SHARE) * budget / (extra * (extra + 1))


def seeds_that_decide(claims: int, several_looks: bool = False) -> int:
    """Return the smallest number of seeds at whose (first) look one of so many claims can be decided.

    6 with one claim, 8 with five, 9 with ten, 10 with twenty.
    """
    return seeds_for(planned_levels((1, 2) if several_looks else (1,), budget_of_claim(claims))[0])


def seeds_for(level: float) -> int:
    """Return the smallest number of seeds that can decide anything at a level."""
    return max(1, math.ceil(1 - math.log2(level) - 1e-12))

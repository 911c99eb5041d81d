"""How many seeds a claim needs before any verdict is possible, and at how many seeds a study looks.

Claims are decided by the exact signed-rank test (`analysis/statistics/signed_rank.py`). The claims of a study share its
error rate equally, and each claim spends its share over the looks that its study planned. A little is kept for looks
that were not planned, so that seeds may be added later.
"""

import math
from collections.abc import Sequence

LEVEL = 0.05
"""How often a study without any true effect may decide anything wrongly."""

PLANNED_SHARE = 0.95
FIRST_LOOK_SHARE = 0.7
"""Of what is planned, the part that the first of several looks may spend: most large effects end there."""

_STEP = 4 / 3  # from look to look


def smallest_p(seeds: int) -> float:
    """Return the smallest two-sided p of a signed-rank or sign-flip test: .0625 with 5 seeds, .0039 with 9."""
    return min(1.0, 2.0 ** (1 - seeds))


def looks_between(first: int, last: int) -> tuple[int, ...]:
    """Return the numbers of seeds at which a study looks: each a third more than the one before (9, 12, 16, 20)."""
    looks = [first]
    while looks[-1] < last:
        looks.append(min(last, math.ceil(_STEP * looks[-1] - 1e-9)))
    return tuple(looks)


def planned_levels(looks: Sequence[int], claims: int) -> list[float]:
    """Return how much of its error rate one of so many claims may have spent by the end of each planned look."""
    whole = PLANNED_SHARE * LEVEL / claims
    if len(looks) == 1:
        return [whole]
    steps = len(looks) - 1
    return [whole * (FIRST_LOOK_SHARE + (1 - FIRST_LOOK_SHARE) * step / steps) for step in range(steps + 1)]


def level_of_extra_look(extra: int, claims: int) -> float:
    """Return what the `extra`-th look that was not planned, from 1 on, may spend; together they keep the rest."""
    return (1 - PLANNED_SHARE) * LEVEL / claims / (extra * (extra + 1))


def seeds_that_decide(claims: int, several_looks: bool = False) -> int:
    """Return the smallest number of seeds at whose (first) look one of so many claims can be decided.

    6 with one claim, 8 with six, 9 with seven, 10 with fifteen.
    """
    looks = (1, 2) if several_looks else (1,)
    level = planned_levels(looks, claims)[0]
    return next(seeds for seeds in range(1, 10_000) if smallest_p(seeds) <= level)

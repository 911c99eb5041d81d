"""What a claim may spend of its error rate at each look at its results.

"Add seeds until it is significant" finds effects that are not there, unless every look pays. The looks that a study
planned share the level by rule (`planned_levels`). A signed-rank p has steps, so a look often spends less than it may;
the rest rolls on to the next. The sum over all looks bounds the error exactly, whatever made a study go on or stop.
"""

from collections.abc import Sequence

from reid_search.study.question.deciding import PLANNED_SHARE, level_of_extra_look, planned_levels, smallest_p

from .signed_rank import spent


def level_of_look(planned: Sequence[int], looks: Sequence[int], budget: float) -> float:
    """Return the level of the last of several looks at a claim.

    A planned look has its level, in whatever order looks were taken. Any other number of seeds is paid from what was
    kept for such looks, the first of them most. One with so few seeds that it could decide nothing costs nothing.

    Args:
        planned: Numbers of seeds at which the study planned to look, rising.
        looks: Numbers of seeds at the looks that were taken, in order of time, planned or not; at least one.
        budget: The error rate of the claim.
    """
    levels = levels_of_plan(planned, budget)
    most = max(planned_levels(planned, budget))
    now = looks[-1]
    if now in levels:
        return levels[now]
    extra = [seeds for seeds in dict.fromkeys(looks) if seeds not in levels and smallest_p(seeds) <= most]
    return level_of_extra_look(extra.index(now) + 1 if now in extra else 1, budget)


def planned_before(looks: Sequence[int], plans: Sequence[Sequence[int]], budget: float) -> Sequence[int]:
    """Return the plan that the looks at a claim follow: the earliest that has the first look that could decide.

    If none has, that look itself is the plan, and every later one was added to it.
    """
    feasible = [seeds for seeds in looks if smallest_p(seeds) <= PLANNED_SHARE * budget]
    first = feasible[0] if feasible else looks[-1]
    return next((plan for plan in plans if first in plan), (first,))


def levels_of_plan(planned: Sequence[int], budget: float) -> dict[int, float]:
    """Return the level of each planned look, by its number of seeds."""
    levels: dict[int, float] = {}
    paid = 0.0
    for seeds, until_now in zip(planned, planned_levels(planned, budget), strict=True):
        levels[seeds] = until_now - paid
        paid += spent(seeds, levels[seeds])
    return levels

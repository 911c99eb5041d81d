"""Whether more seeds could still decide a claim, if they go on as the seeds so far."""

import numpy as np

from .effect import Floats
from .signed_rank import rank_effect
from .verdict import UNDECIDED, of_claim

FUTILE = 0.1
_FUTURES = 200


def chance_to_decide(
    effects: Floats, seeds: int, level: float, smallest: float, generator: np.random.Generator
) -> float:
    """Return the chance that an effect has a verdict once there are `seeds` seeds.

    Further effects are drawn from the normal distribution with the mean and deviation of those so far. Stopping by it
    never makes a verdict easier, so the error rate is kept whatever the bound.

    Args:
        effects: The effect of each seed so far `(n,)`, n ≥ 2.
        seeds: How many there can be.
        level: Level of the test with so many.
        smallest: The smallest effect of interest.
        generator: Draws the further effects.
    """
    shape = (_FUTURES, max(0, seeds - len(effects)))
    further = generator.normal(effects.mean(), effects.std(ddof=1), shape)
    futures = (np.concatenate([effects, drawn]) for drawn in further)
    return float(np.mean([of_claim(rank_effect(future, level), smallest) != UNDECIDED for future in futures]))

"""Whether more seeds could still decide a claim, and how many a study can expect to train."""

from collections.abc import Sequence

import numpy as np

from .effect import Floats
from .signed_rank import cut_off

FUTILE = 0.1
TRUE_EFFECT = 2.0
"""Standard deviations of the effects that expected numbers of seeds are about."""

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
    futures = np.concatenate([np.broadcast_to(effects, (_FUTURES, len(effects))), further], axis=1)
    return float(_are_decided(futures, level, smallest).mean())


def stops(levels: dict[int, float], effect: float, generator: np.random.Generator, studies: int = 100) -> list[int]:
    """Return at how many seeds a claim stops, in studies whose effects are normal with this mean and deviation 1.

    It stops where it has a verdict, where more seeds would hardly give one, and at the last look.

    Args:
        levels: The level of each look, by its number of seeds, rising.
        effect: Mean of the effects, in standard deviations.
        generator: Draws them.
        studies: Number of studies.
    """
    last = max(levels)
    found = []
    for effects in generator.normal(effect, 1.0, (studies, last)):
        for seeds, level in levels.items():
            so_far = effects[:seeds]
            decided = bool(_are_decided(so_far[None], level, 0.0)[0])
            if seeds == last or decided or chance_to_decide(so_far, last, levels[last], 0.0, generator) < FUTILE:
                found.append(seeds)
                break
    return found


def expected_trainings(
    claims: Sequence[Sequence[str]], arms: Sequence[str], levels: dict[int, float], generator: np.random.Generator
) -> int:
    """Return how many trainings an ablation expects if every second claim is true by `TRUE_EFFECT` and the rest null.

    Args:
        claims: The arms of each claim.
        arms: All arms.
        levels: As in `stops`; arms without a claim stop at the first look.
        generator: Draws which claims are true, and their effects.
    """
    by_truth = [stops(levels, effect, generator) for effect in (0.0, TRUE_EFFECT)]
    totals = []
    for _ in range(_FUTURES):
        ends = [generator.choice(by_truth[int(true)]) for true in generator.random(len(claims)) < 0.5]
        seeds = dict.fromkeys(arms, min(levels))
        for own, end in zip(claims, ends, strict=True):
            seeds |= {arm: max(seeds[arm], int(end)) for arm in own}
        totals.append(sum(seeds.values()))
    return round(float(np.mean(totals)))


def _are_decided(effects: Floats, level: float, smallest: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return for each row of effects `(studies, n)` whether the interval of `rank_effect` gives a verdict."""
    count = effects.shape[1]
    if not (cut := cut_off(count, level)):
        return np.zeros(len(effects), dtype=np.bool_)
    first, second = np.triu_indices(count)
    averages = np.sort((effects[:, first] + effects[:, second]) / 2, axis=1)
    low, high = averages[:, cut - 1], averages[:, -cut]
    return (low > 0) | (high < 0) | ((-smallest < low) & (high < smallest))

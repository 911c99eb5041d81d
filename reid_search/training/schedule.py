"""The learning rate over a stage, as a function of how much of it is over."""

import math

from reid_search.study.trial.training import ScheduleConfig

_WARMUP_START = 0.01


def learning_rate_factor(config: ScheduleConfig, share: float) -> float:
    """Return the factor on the learning rate.

    Args:
        config: The schedule.
        share: Share of the stage's images that were seen, in [0, 1).

    Returns:
        From a hundredth, rising linearly, to 1 during warm-up; then what the schedule's kind says.
    """
    if share < config.warmup:
        return _WARMUP_START + (1 - _WARMUP_START) * share / config.warmup
    if config.kind == "step":
        return float(config.gamma ** sum(share >= milestone for milestone in config.milestones))
    if config.kind == "cosine":
        position = (share - config.warmup) / (1 - config.warmup)
        return config.floor + (1 - config.floor) * 0.5 * (1 + math.cos(math.pi * position))
    return 1.0

"""The learning-rate schedule of a stage."""

import math

from reid_search.study.trial.training import ScheduleConfig

_WARMUP_START = 0.01


def learning_rate_factor(config: ScheduleConfig, share: float) -> float:
    """Return the factor on the learning rate after a share of the stage's images, in [0, 1).

    It rises linearly from 0.01 to 1 during warm-up and then follows the schedule's kind.
    """
    if share < config.warmup:
        return _WARMUP_START + (1 - _WARMUP_START) * share / config.warmup
    if config.kind == "step":
        return float(config.gamma ** sum(share >= milestone for milestone in config.milestones))
    if config.kind == "cosine":
        position = (share - config.warmup) / (1 - config.warmup)
        return config.floor + (1 - config.floor) * 0.5 * (1 + math.cos(math.pi * position))
    return 1.0

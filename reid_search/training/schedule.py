"""The learning-rate schedule of a stage."""

import math

from reid_search.study.trial.training import ScheduleConfig

_POLY_POWER, _POLY_STEPS = 0.9, 10
_ROUNDING = 1e-8
"""How far a milestone may be from the share that is meant: .66666667 is more than two thirds, so a batch late."""


def learning_rate_factor(config: ScheduleConfig, share: float) -> float:
    """Return the factor on the learning rate after a share of the stage's images, in [0, 1).

    It rises linearly to 1 during warm-up and then follows the schedule's kind.
    """
    if share < config.warmup:
        return config.warmup_start + (1 - config.warmup_start) * share / config.warmup
    if config.kind == "step":
        return float(config.gamma ** sum(share >= milestone - _ROUNDING for milestone in config.milestones))
    if config.kind == "poly":
        return float((1 - math.floor(share * _POLY_STEPS) / _POLY_STEPS) ** _POLY_POWER)
    if config.kind == "cosine":
        begin = max(config.warmup, config.delay)
        position = max(0.0, share - begin) / (1 - begin)
        return config.floor + (1 - config.floor) * 0.5 * (1 + math.cos(math.pi * position))
    return 1.0

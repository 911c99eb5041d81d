"""Optuna's random sampler."""

from optuna.samplers import BaseSampler, RandomSampler

from reid_search.samplers.random.config import RandomConfig


def build(config: RandomConfig, seed: int) -> BaseSampler:
    """Build the sampler of one proposal."""
    del config
    return RandomSampler(seed=seed)

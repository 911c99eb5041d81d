"""Optuna's multivariate TPE."""

from optuna.samplers import BaseSampler, TPESampler

from reid_search.samplers.tpe.config import TpeConfig


def build(config: TpeConfig, seed: int) -> BaseSampler:
    """Build the sampler of one proposal."""
    under_way = min(config.workers - 1, config.startup // 2)
    return TPESampler(seed=seed, n_startup_trials=config.startup - under_way, multivariate=True, group=True)

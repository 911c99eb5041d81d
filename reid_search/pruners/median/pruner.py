"""Optuna's median rule."""

from optuna.pruners import BasePruner, MedianPruner

from reid_search.pruners.median.config import MedianConfig


def build(config: MedianConfig, epochs: int) -> BasePruner:
    """Build the pruner."""
    del epochs
    return MedianPruner(n_startup_trials=config.startup, n_warmup_steps=config.min_epochs)

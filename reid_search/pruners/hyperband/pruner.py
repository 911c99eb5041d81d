"""Optuna's Hyperband, which hashes the name of the Optuna study into brackets."""

from optuna.pruners import BasePruner, HyperbandPruner

from reid_search.pruners.hyperband.config import HyperbandConfig


def build(config: HyperbandConfig, epochs: int) -> BasePruner:
    """Build the pruner."""
    most = max(config.max_epochs or epochs, config.min_epochs)
    return HyperbandPruner(min_resource=config.min_epochs, max_resource=most, reduction_factor=config.reduction)

"""Optuna's asynchronous successive halving."""

from optuna.pruners import BasePruner, SuccessiveHalvingPruner

from reid_search.pruners.successive_halving.config import SuccessiveHalvingConfig


def build(config: SuccessiveHalvingConfig, epochs: int) -> BasePruner:
    """Build the pruner."""
    return SuccessiveHalvingPruner(min_resource=config.begins(epochs), reduction_factor=config.reduction)

"""From a pruner's config to Optuna's pruner."""

from typing import cast

from optuna.pruners import BasePruner

from reid_search.study import PRUNERS, PrunerConfig


def build_pruner(config: PrunerConfig, epochs: int) -> BasePruner:
    """Build the pruner of a search.

    Args:
        config: The config of any kind.
        epochs: Epochs of a trial of the search at its base.
    """
    return cast("BasePruner", PRUNERS.work_module(config).build(config, epochs))

"""From a scorer's config and what was trained to the scorer."""

from collections.abc import Mapping
from typing import cast

from torch import nn

from reid_search.errors import nearest
from reid_search.scorers.scorer import Scorer, ScorerError
from reid_search.study import SCORERS, ScorerConfig


def build_scorer(config: ScorerConfig, losses: Mapping[str, nn.Module]) -> Scorer:
    """Build a scorer.

    Args:
        config: The config of any kind of scorer.
        losses: The trained losses by name; the scorer copies the head that it uses and leaves them unchanged.

    Raises:
        ScorerError: The loss that it names does not exist, or its head lacks what the scorer needs.
    """
    name = config.loss
    if name is not None and name not in losses:
        raise ScorerError(f"scorer '{config.kind}': no trained loss '{name}'; {nearest(name, losses)}")
    return cast("Scorer", SCORERS.work_module(config).build(config, None if name is None else losses[name]))

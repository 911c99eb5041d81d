"""Builds a scorer from its config and the trained losses."""

from collections.abc import Mapping
from typing import cast

from torch import nn

from reid_search.errors import nearest
from reid_search.scorers.scorer import Scorer, ScorerError
from reid_search.study import SCORERS, ScorerConfig


def build_scorer(config: ScorerConfig, losses: Mapping[str, nn.Module]) -> Scorer:
    """Build a scorer, given the trained losses by name; it copies the head that it uses.

    Raises:
        ScorerError: There is no loss of the name in its config, or the loss's head lacks what the scorer needs.
    """
    name = config.loss
    if name is not None and name not in losses:
        raise ScorerError(f"scorer '{config.kind}': no trained loss '{name}'; {nearest(name, losses)}")
    return cast("Scorer", SCORERS.work_module(config).build(config, None if name is None else losses[name]))

"""Heads of vectors that are pooled already."""

from dataclasses import replace

from reid_search.models.layers.branch import Head, HeadSettings
from reid_search.models.layers.settings import BranchSettings


def build_vector_head(size: int, config: BranchSettings) -> Head:
    """Return a head whose `stages` take vectors `(B, size)`; it pools nothing itself.

    Args:
        size: Values of the vector.
        config: Whether and how it is reduced, and whether a BNNeck follows.
    """
    return Head(replace(HeadSettings.of(config), channels=size, pooling="avg"))
